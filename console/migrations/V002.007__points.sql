-- What a door or a tool demands, when a door stands open, which tools hang at a controller, which
-- cards work however old a controller's rights are; and more kinds of orders.

-- soft_seconds, hard_seconds: how old the controller's knowledge may become. Bounded: never for ever.
alter table access.door
  add column soft_seconds    integer not null default 86400,
  add column hard_seconds    integer not null default 604800,
  add column requires_fresh  boolean not null default false,
  add column min_assurance   smallint not null default 0,
  add constraint door_staleness
    check (soft_seconds >= 3600 and soft_seconds <= hard_seconds and hard_seconds <= 90 * 86400),
  add constraint door_assurance check (min_assurance between 0 and 2);

-- When a door stands unlocked for everybody, each week, by the clock on the wall. Monday is 1; what
-- closes after minute 1440 closes on the next day.
create table access.open_hours (
  door           text not null references access.door on delete cascade,
  weekday        smallint not null check (weekday between 1 and 7),
  opens_minute   smallint not null check (opens_minute between 0 and 1439),
  closes_minute  smallint not null,
  primary key (door, weekday, opens_minute),
  constraint open_hours_at_most_a_day
    check (closes_minute > opens_minute and closes_minute <= opens_minute + 1440)
);

-- A tool that a controller powers. Its key is no door's: `tools attach` and `doors add` see to it, and
-- where both have it, the tool is left out of the rights.
create table access.tool_point (
  key             text primary key check (key ~ '^[a-z0-9-]{1,32}$'),
  tool            bigint not null unique,   -- tool_description.id
  controller      text not null references access.controller,
  soft_seconds    integer not null default 86400,
  hard_seconds    integer not null default 604800,
  requires_fresh  boolean not null default false,
  min_assurance   smallint not null default 0 check (min_assurance between 0 and 2),
  created_at      timestamptz not null default now(),
  constraint tool_point_staleness
    check (soft_seconds >= 3600 and soft_seconds <= hard_seconds and hard_seconds <= 90 * 86400)
);

create index tool_point_controller on access.tool_point (controller);

-- The slots are the limit: a sixth card has no place.
create table access.break_glass_card (
  slot        smallint primary key check (slot between 1 and 5),
  card        bigint not null unique references access.card on delete cascade,
  created_at  timestamptz not null default now()
);

alter table access.command
  add column seconds  integer check (seconds > 0),  -- of unlock_until
  add column reason   text not null default '' check (char_length(reason) <= 200);

create trigger access_changed after insert or update or delete or truncate on access.open_hours
  for each statement execute function access.announce_change();

create trigger access_changed after insert or update or delete or truncate on access.tool_point
  for each statement execute function access.announce_change();

create trigger access_changed after insert or update or delete or truncate on access.break_glass_card
  for each statement execute function access.announce_change();

do $$
begin
  if to_regrole('"p2k16-web"') is not null and current_user <> 'p2k16-web' then
    revoke all on table access.open_hours, access.tool_point, access.break_glass_card
      from "p2k16-web";
  end if;
end
$$;
