-- What members do by themselves: take tools and give them back, enrol their first card, show their face.

-- Says the table's name on a channel of its own, so that open pages tell it; no right depends on it.
-- As in V002.002: a hint, which never makes the write itself fail.
create function access.announce_on() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  begin
    perform pg_catalog.pg_notify(tg_argv[0], tg_table_name);
  exception when others then
    null;
  end;
  return null;
end
$$;

revoke all on function access.announce_on() from public;

-- Also where the web app writes it.
create trigger access_checkout after insert or update or delete or truncate on public.tool_checkout
  for each statement execute function access.announce_on('access_checkout');

-- Whether members enrol their first card at this door's reader.
alter table access.door add column takes_first_cards boolean not null default false;

-- Somebody without a card who stands at a door: the next unknown card that is held to its reader within
-- the minute becomes hers. See docs/decisions/0024.
create table access.card_claim (
  id           bigint generated always as identity primary key,
  account      bigint not null,
  door         text not null references access.door on delete cascade,
  code         text not null check (code ~ '^[0-9]{4}$'),  -- for people: on her page, and on the admins'
  began_at     timestamptz not null,
  ends_at      timestamptz not null check (ends_at > began_at),
  note         text check (note in ('taken', 'lost', 'random')),  -- what else was held there meanwhile
  outcome      text check (outcome in ('assigned', 'given_up', 'doubtful')),  -- null: it waits until it ends
  card         bigint,        -- may be gone, if she said that it wasn't hers
  answered_at  timestamptz,   -- when she said whether it was hers
  constraint card_claim_has_its_card check ((outcome = 'assigned') = (card is not null)),
  constraint card_claim_answered_once_assigned check (answered_at is null or card is not null)
);

create index card_claim_account on access.card_claim (account, began_at);
create index card_claim_waiting on access.card_claim (door, ends_at) where outcome is null;

create trigger access_claim after insert or update or delete or truncate on access.card_claim
  for each statement execute function access.announce_on('access_claim');

-- What became of it is told by the card.
select access.audit_changes('access.card_claim', operations => 'insert');

-- A small square JPEG of somebody, made of a photo that she uploaded.
create table access.avatar (
  account     bigint primary key,
  version     text not null check (version ~ '^[0-9a-f]{16}$'),  -- another one for another picture
  jpeg        bytea not null check (octet_length(jpeg) between 1 and 20480),
  changed_at  timestamptz not null default now()
);

select access.audit_changes('access.avatar', ignored => '{changed_at}');

do $$
begin
  if to_regrole('"p2k16-web"') is not null and current_user <> 'p2k16-web' then
    revoke all on table access.card_claim, access.avatar from "p2k16-web";
    revoke all on sequence access.card_claim_id_seq from "p2k16-web";
  end if;
end
$$;
