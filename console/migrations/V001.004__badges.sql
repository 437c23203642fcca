-- Competency awards. A badge is never an RFID card.

create table badge_description (
  id                    bigint primary key default nextval('id_seq'),
  created_at            timestamptz not null,
  created_by            bigint not null references account,
  updated_at            timestamptz not null,
  updated_by            bigint not null references account,
  title                 varchar not null,
  certification_circle  bigint references circle,
  slug                  varchar,
  icon                  varchar,
  color                 varchar,
  description           text
);

create table badge_description_version (
  transaction_id        bigint not null references "transaction",
  end_transaction_id    bigint references "transaction",
  operation_type        integer not null,
  id                    bigint not null,
  created_at            timestamptz not null,
  created_by            bigint not null,
  updated_at            timestamptz not null,
  updated_by            bigint not null,
  title                 varchar,
  certification_circle  bigint,
  slug                  varchar,
  icon                  varchar,
  color                 varchar,
  description           text
);

create table account_badge (
  id                 bigint primary key default nextval('id_seq'),
  created_at         timestamptz not null,
  created_by         bigint not null references account,
  updated_at         timestamptz not null,
  updated_by         bigint not null references account,
  account            bigint not null references account,
  badge_description  bigint not null,
  awarded_by         bigint references account
);

create table account_badge_version (
  transaction_id      bigint not null references "transaction",
  end_transaction_id  bigint references "transaction",
  operation_type      integer not null,
  id                  bigint not null,
  created_at          timestamptz not null,
  created_by          bigint not null,
  updated_at          timestamptz not null,
  updated_by          bigint not null,
  account             bigint not null references account,
  badge_description   bigint not null,
  awarded_by          bigint
);
