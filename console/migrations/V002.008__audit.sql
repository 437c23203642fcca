-- Who changed what: one row for each row that this program adds, changes or removes in the tables that
-- people change. As in V002.003, only sessions that have set p2k16.keep_history to 'on' are concerned.
-- Nothing is ever deleted here.
--
-- Who, from where and in doing what come from settings of the transaction (console/database.py).

create table access.audit (
  id           bigint generated always as identity primary key,
  happened_at  timestamptz not null default clock_timestamp(),
  actor        bigint,          -- who did it; null: nobody was logged in
  address      text,            -- from where; null: not over the network
  doing        text,            -- method and route, or a command; null: the program of itself
  place        text not null,   -- the table, such as public.circle_member
  object       text not null,   -- the row's key; where it has several columns, with / between them
  account      bigint,          -- the person whom it concerns; null: nobody in particular
  operation    text not null check (operation in ('added', 'changed', 'removed')),
  old          jsonb,           -- the row as it was; of a change only the columns that changed
  new          jsonb,           -- and as it is since
  about        jsonb,           -- of a change: columns that say which row it is, whether they changed or not
  constraint audit_has_its_sides
    check ((old is null) = (operation = 'added') and (new is null) = (operation = 'removed')
      and (about is not null) = (operation = 'changed'))
);

create index audit_happened on access.audit (happened_at, id);
create index audit_actor on access.audit (actor, happened_at, id) where actor is not null;
create index audit_account on access.audit (account, happened_at, id) where account is not null;
create index audit_place on access.audit (place, happened_at, id);
create index audit_removed on access.audit (place, object) where operation = 'removed';

-- Arguments, all of them lists of columns but the second: the key; the column that names the person;
-- what says which row it is; secrets, of which only is told that they changed; what doesn't count.
create function access.write_audit() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  keys constant text[] := tg_argv[0];
  person constant text := tg_argv[1];
  telling constant text[] := tg_argv[2];
  secrets constant text[] := tg_argv[3];
  ignored constant text[] := tg_argv[4];
  before jsonb;
  after jsonb;
  whole jsonb;
  said jsonb;
  object text;
  concerned bigint;
  one text;
begin
  if tg_op <> 'INSERT' then
    before := to_jsonb(old);
    whole := before;
  end if;
  if tg_op <> 'DELETE' then
    after := to_jsonb(new);
    whole := after;
  end if;
  if tg_op = 'UPDATE' then
    select jsonb_object_agg(b.key, b.value), jsonb_object_agg(b.key, after -> b.key)
      into before, after
      from jsonb_each(before - ignored) b
      where b.value is distinct from after -> b.key;
    if before is null then
      return null;
    end if;
    select coalesce(jsonb_object_agg(t.key, whole -> t.key), '{}') into said
      from unnest(telling) t (key);
  else
    before := before - ignored;
    after := after - ignored;
  end if;

  foreach one in array secrets loop
    if jsonb_typeof(before -> one) <> 'null' then
      before := before || jsonb_build_object(one, '(secret)');
    end if;
    if jsonb_typeof(after -> one) <> 'null' then
      after := after || jsonb_build_object(one, '(secret)');
    end if;
  end loop;

  object := whole ->> keys[1];
  foreach one in array keys[2:] loop
    object := concat(object, '/', whole ->> one);
  end loop;
  if person = 'card' then
    select account into concerned from access.card where id = (whole ->> 'card')::bigint;
  else
    concerned := whole ->> person;
  end if;

  insert into access.audit
    (actor, address, doing, place, object, account, operation, old, new, about)
  values (
    nullif(current_setting('p2k16.actor', true), '')::bigint,
    nullif(left(current_setting('p2k16.remote_addr', true), 100), ''),
    nullif(left(current_setting('p2k16.doing', true), 200), ''),
    tg_table_schema || '.' || tg_table_name,
    object,
    concerned,
    case tg_op when 'INSERT' then 'added' when 'UPDATE' then 'changed' else 'removed' end,
    before,
    after,
    said);
  return null;
end
$$;

revoke all on function access.write_audit() from public;

-- From now on changes of this table are audited. A later migration says so in one line, also again
-- when the table got a column that is secret:
--
--   select access.audit_changes('access.new_table');
--
-- person: the column that names the account whom a row concerns; by default `account`, where there is
-- one. `card` means whoever has that card. secret: further columns besides those of bytes, and those
-- that are called like secrets. ignored: columns that change without anybody having changed something.
create function access.audit_changes(
  audited regclass,
  person text default null,
  secret text[] default '{}',
  ignored text[] default '{}',
  operations text default 'insert or update or delete'
) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  secretive constant text := '(^|_)(password|token|secret|digest|hash)($|_)|_key$';
  columns text[];
  keys text[];
  telling text[];
  secrets text[];
begin
  select array_agg(a.attname::text),
    array_agg(a.attname::text) filter (where a.attname in (
      'name', 'title', 'username', 'label', 'key', 'circle', 'badge_description', 'company', 'tool',
      'tool_description', 'door', 'card', 'controller')),
    array_agg(a.attname::text) filter (where a.attname = any (secret)
      or a.atttypid = 'bytea'::regtype
      or (a.attname ~ secretive and a.atttypid <> 'timestamptz'::regtype))
    into columns, telling, secrets
    from pg_attribute a
    where a.attrelid = audited and a.attnum > 0 and not a.attisdropped;
  select array_agg(a.attname::text order by array_position(i.indkey::smallint[], a.attnum))
    into keys
    from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
    where i.indrelid = audited and i.indisprimary;
  if keys is null or not columns @> array_remove(secret || ignored || person, null) then
    raise exception '% has no primary key, or not all of these columns', audited;
  end if;
  if person is null and 'account' = any (columns) then
    person := 'account';
  end if;
  execute format('drop trigger if exists audit on %s', audited);
  execute format(
    'create trigger audit after %s on %s
       for each row when (current_setting(''p2k16.keep_history'', true) = ''on'')
       execute function access.write_audit(%L, %L, %L, %L, %L)',
    operations, audited, keys::text, coalesce(person, ''), coalesce(telling, '{}')::text,
    coalesce(secrets, '{}')::text, ('{updated_at,updated_by}'::text[] || ignored)::text);
end
$$;

revoke all on function access.audit_changes(regclass, text, text[], text[], text) from public;

select access.audit_changes('public.account', person => 'id');
select access.audit_changes('public.account_badge');
select access.audit_changes('public.badge_description');
select access.audit_changes('public.circle');
select access.audit_changes('public.circle_member');
select access.audit_changes('public.company');
select access.audit_changes('public.company_employee');
select access.audit_changes('public.membership', person => 'created_by');
select access.audit_changes('public.stripe_customer', person => 'created_by');
select access.audit_changes('public.stripe_payment', person => 'created_by');
select access.audit_changes('public.tool_checkout');
select access.audit_changes('public.tool_description');
select access.audit_changes('access.break_glass_card', person => 'card');
select access.audit_changes('access.card');
-- An order moves the counter.
select access.audit_changes('access.controller', ignored => '{command_counter}');
select access.audit_changes('access.door');
select access.audit_changes('access.door_circle');
select access.audit_changes('access.open_hours');
select access.audit_changes('access.tool_point');
-- What became of an order is no change that anybody made.
select access.audit_changes('access.command', operations => 'insert');

do $$
begin
  if to_regrole('"p2k16-web"') is not null and current_user <> 'p2k16-web' then
    revoke all on table access.audit from "p2k16-web";
    revoke all on sequence access.audit_id_seq from "p2k16-web";
  end if;
end
$$;
