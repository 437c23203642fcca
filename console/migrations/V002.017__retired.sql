-- Doors, tools and controllers that are out of use. They stay, so that their history has its names and
-- nobody takes their keys by accident, and they can be brought back.

alter table access.door add column retired_at timestamptz;

-- Without keys a controller is believed nothing. Enrolling it again brings it back.
alter table access.controller
  add column retired_at timestamptz,
  add constraint controller_retired_has_no_keys check (retired_at is null or enrolled_at is null);

-- As before, and the new column.
drop trigger access_changed on access.controller;

create trigger access_changed after insert or delete or truncate
  or update of id, created_at, public_key, entry_key, broker_password_hash, enrolled_at, quarantined_at,
    quarantine_reason, retired_at
  on access.controller
  for each statement execute function access.announce_change();

-- Its circle is taken from the tool itself, so that the old web app lets nobody have it either.
create table access.retired_tool (
  tool        bigint primary key,   -- tool_description.id
  circle      bigint,               -- which it had
  retired_at  timestamptz not null default now()
);

create trigger access_changed after insert or update or delete or truncate on access.retired_tool
  for each statement execute function access.announce_change();

select access.audit_changes('access.retired_tool');

do $$
begin
  if to_regrole('"p2k16-web"') is not null and current_user <> 'p2k16-web' then
    revoke all on table access.retired_tool from "p2k16-web";
  end if;
end
$$;
