-- A tool's circle decides who may use it: a change is told at once, as V002.002 tells those of doors.

create trigger access_changed after insert or update or delete or truncate on public.tool_description
  for each statement execute function access.announce_change();
