-- Members and system accounts. `password` is a `$2b$` or `$6$` hash; null means that nobody can log in.
-- An *_version table repeats the columns of its table, one row for each change by the web app.

create table account (
  id                    bigint primary key default nextval('id_seq'),
  created_at            timestamptz not null,
  updated_at            timestamptz not null,
  username              varchar(50) not null unique,
  email                 varchar(120) not null unique,
  password              varchar(100),
  name                  varchar(100),
  phone                 varchar(50),
  reset_token           varchar(50) unique,
  reset_token_validity  timestamptz,
  system                boolean not null default false,
  membership_number     integer
);

create table account_version (
  transaction_id        bigint not null references "transaction",
  end_transaction_id    bigint references "transaction",
  operation_type        integer not null,
  id                    bigint not null,
  created_at            timestamptz not null,
  updated_at            timestamptz not null,
  username              varchar(50) not null,
  email                 varchar(120) not null,
  password              varchar(100),
  name                  varchar(100),
  phone                 varchar(50),
  reset_token           varchar(50),
  reset_token_validity  timestamptz,
  system                boolean,
  membership_number     integer
);
