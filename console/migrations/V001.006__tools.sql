-- Tools, and who has one checked out now.

create table tool_description (
  id           bigint primary key default nextval('id_seq'),
  created_at   timestamptz not null,
  created_by   bigint not null references account,
  updated_at   timestamptz not null,
  updated_by   bigint not null references account,
  name         varchar(50) not null,
  description  text,
  circle       bigint references circle
);

create table tool_description_version (
  transaction_id      bigint not null references "transaction",
  end_transaction_id  bigint references "transaction",
  operation_type      integer not null,
  id                  bigint not null,
  created_at          timestamptz not null,
  created_by          bigint not null,
  updated_at          timestamptz not null,
  updated_by          bigint not null,
  name                varchar(50) not null,
  description         text,
  circle              bigint
);

create table tool_checkout (
  id                bigint primary key default nextval('id_seq'),
  created_at        timestamptz not null,
  created_by        bigint not null references account,
  updated_at        timestamptz not null,
  updated_by        bigint not null references account,
  tool_description  bigint not null references tool_description,
  account           bigint not null references account,
  started           timestamptz
);

create table tool_checkout_version (
  transaction_id      bigint not null references "transaction",
  end_transaction_id  bigint references "transaction",
  operation_type      integer not null,
  id                  bigint not null,
  created_at          timestamptz not null,
  created_by          bigint not null,
  updated_at          timestamptz not null,
  updated_by          bigint not null,
  tool_description    bigint,
  account             bigint,
  started             timestamptz
);
