-- The schema of the p2k16 web app before this program, which the two can share. It is kept as it is:
-- V001 is never changed, and an existing p2k16 database is taken over without running it.
--
-- One sequence gives the ids of all tables. It starts high: the ids below are for seeded rows.

create sequence id_seq start with 100000;
create sequence transaction_id_seq start with 100000;

-- One row for each database transaction of the web app that changes something versioned. The app
-- takes the id from transaction_id_seq itself, and writes issued_at as UTC without an offset.
create table "transaction" (
  id           bigint primary key default nextval('id_seq'),
  issued_at    varchar(100) not null,
  remote_addr  varchar(100)
);
