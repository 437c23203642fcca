-- Pages that are open learn at once that somebody has left a circle, and with it perhaps her role:
-- as V002.026 does for sessions, by the same hint.
create trigger access_circle_left after delete on circle_member
  for each row execute function access.announce_session_ended();

-- Who shut a door or tool, and when: the latest order but openings, which are most of them.
create index command_but_openings on access.command (controller, point, counter)
  where operation <> 'open';
