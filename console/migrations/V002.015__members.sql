-- What members do by themselves: take tools and give them back, and enrol their first card.

-- Says `access_checkout` whenever somebody takes a tool or gives it back, here or in the web app, so
-- that open pages tell it. As in V002.002: a hint, which never makes the write itself fail.
create function access.announce_checkout() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  begin
    perform pg_catalog.pg_notify('access_checkout', tg_table_name);
  exception when others then
    null;
  end;
  return null;
end
$$;

revoke all on function access.announce_checkout() from public;

create trigger access_checkout after insert or update or delete or truncate on public.tool_checkout
  for each statement execute function access.announce_checkout();
