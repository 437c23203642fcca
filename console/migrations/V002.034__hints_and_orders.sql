-- Pages that are open learn at once that somebody has left a circle, and with it perhaps her role:
-- as V002.026 does for sessions, by the same hint.
create trigger access_circle_left after delete on circle_member
  for each row execute function access.announce_session_ended();

-- The latest order to a door or tool that is in force, but openings, which are most of them. What
-- shuts is in force also if its controller could not record it.
create index command_but_openings on access.command (controller, point, counter)
  where operation <> 'open';

create function access.latest_order(at_controller text, at_point text)
returns table (operation text, seconds integer, given_by text, given_at timestamptz)
language sql stable parallel safe
as $$
  select o.operation, o.seconds, coalesce(nullif(a.name, ''), a.username)::text, o.result_at
    from access.command o left join public.account a on a.id = o.actor
   where o.controller = at_controller and o.point = at_point and o.operation <> 'open'
     and (o.result = 'executed'
          or (o.operation in ('lockdown', 'out_of_service', 'stop_now')
              and o.result ~ '^refused:(storage_fault|storage_slow|journal_full)(:|$)'))
   order by o.counter desc
   limit 1
$$;
