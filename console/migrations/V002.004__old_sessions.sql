-- Sessions of the old web app, whose cookies we read.

-- Whose cookies of the old web app are refused: after a password change here, until all of them that
-- were signed before it have expired.
create table access.old_session_refusal (
  account  bigint primary key,
  until    timestamptz not null
);

-- True: when it began, the browser was logged in at the old web app as the same person. It ends when
-- the browser is logged in there as somebody else, or no longer.
alter table access.session add column beside_old boolean not null default false;
