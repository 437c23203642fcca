-- Pages that are open end with their session, also when another process or the prompt ended it.
-- As in V002.015: a hint, which never makes the write itself fail.

create function access.announce_session_ended() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  begin
    perform pg_catalog.pg_notify('access_session', old.account::text);
  exception when others then
    null;
  end;
  return null;
end
$$;

revoke all on function access.announce_session_ended() from public;

create trigger access_session_ended after delete on access.session
  for each row execute function access.announce_session_ended();
