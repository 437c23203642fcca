-- That somebody has looked into the alarms of one kind at a door or tool, from the first to the last
-- that she was shown. Nothing here is ever changed or deleted, and a controller is told nothing of it.

create table access.alarm_look (
  point        text not null,
  kind         text not null,
  reason       text not null default '',  -- of a fault; else empty
  first_event  bigint not null,           -- access.event.id
  last_event   bigint not null,
  alarms       integer not null check (alarms >= 1),
  last_at      timestamptz not null,      -- when the last of them was
  looked_by    bigint not null,
  looked_at    timestamptz not null default now(),
  comment      text not null default '' check (char_length(comment) <= 500),
  primary key (point, kind, reason, last_event),
  constraint alarm_look_has_a_span check (first_event <= last_event)
);

create index alarm_look_looked on access.alarm_look (looked_at);
create index alarm_look_point on access.alarm_look (point, looked_at);

select access.audit_changes('access.alarm_look');

-- Every page asks for the latest alarms every few seconds: they are few among the taps. The kinds are
-- those of console/events/past_alarm_queries.py.
create index event_alarm on access.event (received_at)
  where kind in ('door_forced', 'door_held_open', 'tamper_began', 'fault_began');

do $$
begin
  if to_regrole('"p2k16-web"') is not null and current_user <> 'p2k16-web' then
    revoke all on table access.alarm_look from "p2k16-web";
  end if;
end
$$;
