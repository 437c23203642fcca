-- Who pays. In all three tables `created_by` is the account that pays, not the author of the row.
-- The constraints of stripe_payment keep the name that the table had when it was made.

create table membership (
  id                bigint primary key default nextval('id_seq'),
  created_at        timestamptz not null,
  created_by        bigint not null references account,
  updated_at        timestamptz not null,
  updated_by        bigint not null references account,
  first_membership  timestamptz not null,
  start_membership  timestamptz not null,
  fee               integer not null
);

create table membership_version (
  transaction_id      bigint not null references "transaction",
  end_transaction_id  bigint references "transaction",
  operation_type      integer not null,
  id                  bigint not null,
  created_at          timestamptz not null,
  created_by          bigint not null,
  updated_at          timestamptz not null,
  updated_by          bigint not null,
  first_membership    timestamptz not null,
  start_membership    timestamptz not null,
  fee                 integer not null
);

create table stripe_customer (
  id          bigint primary key default nextval('id_seq'),
  created_at  timestamptz not null,
  created_by  bigint not null references account,
  updated_at  timestamptz not null,
  updated_by  bigint not null references account,
  stripe_id   varchar(50) not null unique
);

create table stripe_customer_version (
  transaction_id      bigint not null references "transaction",
  end_transaction_id  bigint references "transaction",
  operation_type      integer not null,
  id                  bigint not null,
  created_at          timestamptz not null,
  created_by          bigint not null,
  updated_at          timestamptz not null,
  updated_by          bigint not null,
  stripe_id           varchar(50) not null unique
);

create table stripe_payment (
  id            bigint constraint membership_payment_pkey primary key default nextval('id_seq'),
  created_at    timestamptz not null,
  created_by    bigint not null constraint membership_payment_created_by_fkey references account,
  updated_at    timestamptz not null,
  updated_by    bigint not null constraint membership_payment_updated_by_fkey references account,
  stripe_id     varchar(50) not null,
  start_date    timestamptz not null,
  end_date      timestamptz not null,
  amount        numeric(8, 2) not null,
  payment_date  timestamptz
);

create table stripe_payment_version (
  transaction_id      bigint not null
                      constraint membership_payment_version_transaction_id_fkey
                      references "transaction",
  end_transaction_id  bigint
                      constraint membership_payment_version_end_transaction_id_fkey
                      references "transaction",
  operation_type      integer not null,
  id                  bigint not null,
  created_at          timestamptz not null,
  created_by          bigint not null,
  updated_at          timestamptz not null,
  updated_by          bigint not null,
  stripe_id           varchar(50) not null,
  start_date          timestamptz not null,
  end_date            timestamptz not null,
  amount              numeric(8, 2) not null,
  payment_date        timestamptz
);
