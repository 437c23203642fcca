-- Circles give rights. ADMIN_CIRCLE: the members of `admin_circle` decide who is in it.
-- The ids in circle_member are integer, though those they refer to are bigint, and a circle may do
-- without a description where its version row may not: this is the schema as it has grown.

create table circle (
  id                               bigint primary key default nextval('id_seq'),
  created_at                       timestamptz not null,
  created_by                       bigint not null references account,
  updated_at                       timestamptz not null,
  updated_by                       bigint not null references account,
  name                             varchar(50) not null unique,
  description                      varchar(50),
  management_style                 varchar,
  admin_circle                     bigint references circle,
  comment_required_for_membership  boolean,
  constraint circle_management_style check (
    management_style = 'ADMIN_CIRCLE' and admin_circle is not null or management_style = 'SELF_ADMIN')
);

create table circle_version (
  transaction_id                   bigint not null references "transaction",
  end_transaction_id               bigint references "transaction",
  operation_type                   integer not null,
  id                               bigint not null,
  created_at                       timestamptz not null,
  created_by                       bigint not null,
  updated_at                       timestamptz not null,
  updated_by                       bigint not null,
  name                             varchar(50) not null,
  description                      varchar(50) not null,
  management_style                 varchar,
  admin_circle                     bigint,
  comment_required_for_membership  boolean
);

create table circle_member (
  id          bigint primary key default nextval('id_seq'),
  created_at  timestamptz not null,
  created_by  bigint not null references account,
  updated_at  timestamptz not null,
  updated_by  bigint not null references account,
  circle      integer not null references circle,
  account     integer not null references account,
  comment     text,
  unique (circle, account)
);

create table circle_member_version (
  transaction_id      bigint not null references "transaction",
  end_transaction_id  bigint references "transaction",
  operation_type      integer not null,
  id                  bigint not null,
  created_at          timestamptz not null,
  created_by          bigint not null,
  updated_at          timestamptz not null,
  updated_by          bigint not null,
  circle              integer not null,
  account             integer not null,
  comment             text
);
