-- What break-glass cards opened while a controller could record nothing, as its reports told it. An event
-- of the same tap comes once it can; if the controller loses its power before, this is all that is left.

create table access.told_opening (
  controller   text not null references access.controller,
  tap_id       text not null check (tap_id ~ '^[0-9a-f]{32}$'),
  point        text not null,
  entry        text not null,          -- of the card, as this controller has it
  happened_at  timestamptz,            -- null: the controller didn't know the time
  has_opened   boolean not null,       -- false: the relay did not move
  boot         text not null,          -- the start of the controller that told it
  told_at      timestamptz not null,
  primary key (controller, tap_id)
);

create index event_granted_tap on access.event (tap_id) where kind = 'access_granted';

do $$
begin
  if to_regrole('"p2k16-web"') is not null and current_user <> 'p2k16-web' then
    revoke all on table access.told_opening from "p2k16-web";
  end if;
end
$$;
