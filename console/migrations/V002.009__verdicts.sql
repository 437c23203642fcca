-- Why each person could use each door and tool, or could not, as of each moment: so that a tap can be
-- explained by what was true then. Only changes are kept, one row for a person and a period in which
-- nothing changed for her. Somebody without a row at a moment neither paid nor worked for an active
-- company, and was in no circle that a door or tool asks for.

create table access.verdict (
  account        bigint not null,
  since          timestamptz not null,
  until          timestamptz,      -- null: still so
  pays           boolean not null, -- or is employed; now, or later as not_before_ms says
  not_before_ms  bigint,
  not_after_ms   bigint,
  grounds        jsonb not null,   -- of each door and tool by its key: employed, circle or no_circle
  digest         bytea not null,   -- of all of it: equal ones are not stored again
  primary key (account, since),
  constraint verdict_has_a_period check (until >= since),
  constraint verdict_of_who_pays check (pays or num_nonnulls(not_before_ms, not_after_ms) = 0)
);

create unique index verdict_still_so on access.verdict (account) where until is null;
create index verdict_until on access.verdict (until) where until is not null;

-- Since when they are kept: one row, written with the first of them.
create table access.verdicts_kept (
  "only"  boolean primary key default true check ("only"),
  since   timestamptz not null
);

do $$
begin
  if to_regrole('"p2k16-web"') is not null and current_user <> 'p2k16-web' then
    revoke all on table access.verdict, access.verdicts_kept from "p2k16-web";
  end if;
end
$$;
