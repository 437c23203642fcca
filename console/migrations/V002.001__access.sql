-- Everything of ours: controllers, doors, cards, what was published, what was reported.
--
-- No foreign key leads into a table of the web app: it could make that app's delete fail. An account
-- or a circle that no longer exists drops out when the tables are joined. The web app's role has no
-- right to this schema.

-- A Raspberry Pi at one or more doors. The keys are all null until it is enrolled.
create table access.controller (
  id                 text primary key check (id ~ '^[a-z0-9-]{1,32}$'),
  created_at         timestamptz not null default now(),
  public_key         bytea,   -- of its own Ed25519 key, which signs what it reports
  entry_key          bytea,   -- secret: turns a card's site digest into this controller's entry for it
  broker_password_hash text,  -- its hash, in the form of Mosquitto's password file
  enrolled_at        timestamptz,
  command_counter    bigint not null default 0 check (command_counter >= 0),
  quarantined_at     timestamptz,   -- set: it has shown two histories; nothing that it says is believed
  quarantine_reason  text,
  constraint controller_enrolled_whole
    check (num_nulls(public_key, entry_key, broker_password_hash, enrolled_at) in (0, 4)),
  constraint controller_quarantine_has_reason
    check ((quarantined_at is null) = (quarantine_reason is null))
);

-- The latest state that a controller has reported.
create table access.controller_report (
  controller   text primary key references access.controller,
  received_at  timestamptz not null,
  report       jsonb not null
);

create table access.door (
  key           text primary key check (key ~ '^[a-z0-9-]{1,32}$'),
  name          text not null check (char_length(name) between 1 and 100),
  controller    text not null references access.controller,
  open_seconds  integer not null check (open_seconds between 1 and 300),
  created_at    timestamptz not null default now(),
  created_by    bigint
);

create index door_controller on access.door (controller);

-- Members of any of these circles may open the door while they pay.
create table access.door_circle (
  door    text not null references access.door on delete cascade,
  circle  bigint not null,
  primary key (door, circle)
);

-- A person's card. Its number is nowhere: only a digest of it that is slow to compute.
create table access.card (
  id               bigint generated always as identity primary key,
  account          bigint not null,
  credential_type  text not null check (credential_type ~ '^[a-z0-9]{1,16}$'),
  site_digest      bytea not null check (octet_length(site_digest) = 16),
  label            text not null default '' check (char_length(label) <= 100),
  created_at       timestamptz not null default now(),
  created_by       bigint,
  lost_at          timestamptz,
  lost_by          bigint,
  constraint card_lost_by_needs_lost_at check (lost_at is not null or lost_by is null)
);

-- A card belongs to one person at a time; one that was lost may be found and given to another.
create unique index card_in_use on access.card (site_digest) where lost_at is null;
create index card_account on access.card (account);

-- Every snapshot as it was signed, so that any tap can be explained later.
create table access.snapshot (
  controller      text not null references access.controller,
  epoch           bigint not null check (epoch >= 0),
  serial          bigint not null check (serial >= 1),
  digest          bytea not null,   -- of the snapshot as sent
  content_digest  bytea not null,   -- without serial and time: equal content is not published again
  made_at         timestamptz not null,
  envelope        bytea not null check (octet_length(envelope) <= 5 * 1024 * 1024),
  primary key (controller, epoch, serial)
);

-- How far each controller's journal has been received. A new SD card starts a new journal.
create table access.journal (
  controller    text not null references access.controller,
  journal_id    text not null check (char_length(journal_id) between 1 and 64),
  acknowledged  bigint not null default 0 check (acknowledged >= 0),
  head_hash     bytea not null,
  first_seen    timestamptz not null default now(),
  last_seen     timestamptz not null default now(),
  primary key (controller, journal_id)
);

-- What controllers have recorded, each event once: the key makes a repeated delivery harmless.
create table access.event (
  id               bigint generated always as identity unique,
  controller       text not null references access.controller,
  journal_id       text not null,
  seq              bigint not null check (seq >= 1),
  hash             bytea not null,   -- another hash for the same key means two histories
  received_at      timestamptz not null default now(),
  happened_at      timestamptz not null,
  clock_trusted    boolean not null,
  kind             text not null,
  point            text,
  tap_id           text,
  reason           text,
  assurance        smallint,
  account          bigint,
  card             bigint,
  credential_type  text,
  site_digest      bytea,   -- of a card that nobody has; null for a card that is known
  command          uuid,
  epoch            bigint,
  serial           bigint,
  payload          text not null check (octet_length(payload) <= 65536),
  legacy_event     bigint,
  primary key (controller, journal_id, seq)
);

create index event_happened on access.event (happened_at);
create index event_account on access.event (account, happened_at) where account is not null;
create index event_point on access.event (point, happened_at) where point is not null;
create index event_unknown_card on access.event (site_digest, happened_at)
  where site_digest is not null;

-- Openings and other orders from here. `result` stays null when the controller has not answered.
create table access.command (
  id          uuid primary key,
  controller  text not null references access.controller,
  point       text not null,
  operation   text not null,
  actor       bigint not null,
  counter     bigint not null check (counter >= 1),
  issued_at   timestamptz not null default now(),
  result      text,
  result_at   timestamptz,
  unique (controller, counter)
);

create index command_issued on access.command (issued_at);

-- Somebody who is logged in. The cookie holds the token, and this table only its digest.
create table access.session (
  token_digest  bytea primary key,
  account       bigint not null,
  created_at    timestamptz not null default now(),
  seen_at       timestamptz not null default now(),
  expires_at    timestamptz not null,
  address       text,
  user_agent    text
);

create index session_account on access.session (account);
create index session_expires on access.session (expires_at);

-- Which keys this database belongs to: one row. Other keys in the data folder are refused.
create table access.site (
  "only"           boolean primary key default true check ("only"),
  root_public_key  bytea not null,
  created_at       timestamptz not null default now()
);

-- The schema belongs to whoever runs this and is open to nobody else, unless the server was told to
-- give every new thing to the web app's role.
do $$
begin
  if to_regrole('"p2k16-web"') is not null and current_user <> 'p2k16-web' then
    revoke all on schema access from "p2k16-web";
    revoke all on all tables in schema access from "p2k16-web";
    revoke all on all sequences in schema access from "p2k16-web";
  end if;
end
$$;
