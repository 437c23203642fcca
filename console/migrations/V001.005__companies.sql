-- Companies whose employees have access while the company is active.

create table company (
  id          bigint primary key default nextval('id_seq'),
  created_at  timestamptz not null,
  created_by  bigint not null references account,
  updated_at  timestamptz not null,
  updated_by  bigint not null references account,
  name        varchar(100) not null unique,
  active      boolean not null,
  contact     bigint not null references account
);

create table company_version (
  transaction_id      bigint not null references "transaction",
  end_transaction_id  bigint references "transaction",
  operation_type      integer not null,
  id                  bigint not null,
  created_at          timestamptz not null,
  created_by          bigint not null,
  updated_at          timestamptz not null,
  updated_by          bigint not null,
  name                varchar(100) not null,
  active              boolean not null,
  contact             bigint not null
);

create table company_employee (
  id          bigint primary key default nextval('id_seq'),
  created_at  timestamptz not null,
  created_by  bigint not null references account,
  updated_at  timestamptz not null,
  updated_by  bigint not null references account,
  company     bigint not null references company,
  account     bigint not null references account,
  unique (company, account)
);

create table company_employee_version (
  transaction_id      bigint not null references "transaction",
  end_transaction_id  bigint references "transaction",
  operation_type      integer not null,
  id                  bigint not null,
  created_at          timestamptz not null,
  created_by          bigint not null,
  updated_at          timestamptz not null,
  updated_by          bigint not null,
  company             bigint not null,
  account             bigint not null
);
