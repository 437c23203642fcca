-- What has happened, for people to read. What int1…text5 mean depends on domain and name:
-- door/open has the door's key in text1.

create table event (
  id          bigint primary key default nextval('id_seq'),
  created_at  timestamptz not null,
  created_by  bigint not null references account,
  domain      varchar not null,
  int1        integer,
  int2        integer,
  int3        integer,
  int4        integer,
  int5        integer,
  text1       varchar,
  text2       varchar,
  text3       varchar,
  text4       varchar,
  text5       varchar,
  name        varchar
);
