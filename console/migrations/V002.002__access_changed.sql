-- Says `access_changed` with the table's name whenever something changes that rights depend on,
-- whoever changes it: this program, the web app, or somebody at a psql prompt. It is a hint that
-- saves waiting, so it may get lost; what may never happen is that it makes the write itself fail.
--
-- SECURITY DEFINER with a fixed search_path: it runs the same whatever the writer's rights are, and
-- a writer can't slip a function of its own under it.

create function access.announce_change() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  begin
    perform pg_catalog.pg_notify('access_changed', tg_table_name);
  exception when others then
    null;
  end;
  return null;
end
$$;

revoke all on function access.announce_change() from public;

create trigger access_changed after insert or update or delete or truncate on public.account
  for each statement execute function access.announce_change();

create trigger access_changed after insert or update or delete or truncate on public.circle
  for each statement execute function access.announce_change();

create trigger access_changed after insert or update or delete or truncate on public.circle_member
  for each statement execute function access.announce_change();

create trigger access_changed after insert or update or delete or truncate on public.company
  for each statement execute function access.announce_change();

create trigger access_changed after insert or update or delete or truncate on public.company_employee
  for each statement execute function access.announce_change();

create trigger access_changed after insert or update or delete or truncate on public.stripe_payment
  for each statement execute function access.announce_change();

create trigger access_changed after insert or update or delete or truncate on access.door
  for each statement execute function access.announce_change();

create trigger access_changed after insert or update or delete or truncate on access.door_circle
  for each statement execute function access.announce_change();

create trigger access_changed after insert or update or delete or truncate on access.card
  for each statement execute function access.announce_change();

-- All columns but command_counter, which every remote opening moves and no right depends on.
create trigger access_changed after insert or delete or truncate
  or update of id, created_at, public_key, entry_key, broker_password_hash, enrolled_at, quarantined_at,
    quarantine_reason
  on access.controller
  for each statement execute function access.announce_change();
