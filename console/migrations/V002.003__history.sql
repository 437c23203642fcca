-- Writes the `*_version` rows and the row of "transaction" for what this program changes, as the web
-- app does for what it changes itself. Only sessions that have set p2k16.keep_history to 'on' are
-- concerned (console/database.py): in others, such as the web app's or psql's, no trigger fires.
--
-- One row of "transaction" for each database transaction, one version row for each object that it
-- changed, with all its values: operation_type 0 it was made, 1 changed, 2 deleted. A version row ends
-- (end_transaction_id) with the transaction of the next one; that of a deletion has the last values.
-- What is changed several times in one transaction gets one row; what comes and goes in it gets none.
--
-- The writer's own rights are used: whoever may write a table may write its versions.

create function access.keep_history() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  versions constant text := format('public.%I', tg_table_name || '_version');
  kind integer := case tg_op when 'INSERT' then 0 when 'UPDATE' then 1 else 2 end;
  object bigint;
  content jsonb;
  noted text[];
  own bigint;        -- this transaction's id in "transaction"; null: it has no row yet
  latest bigint;     -- transaction of the newest version row, which may be our own
  latest_kind integer;
  previous bigint;   -- transaction of the newest version row that is not our own
  added bigint := 0;
begin
  if tg_op = 'DELETE' then
    content := to_jsonb(old);
  else
    content := to_jsonb(new);
  end if;
  if tg_op = 'UPDATE' and to_jsonb(old) = content then
    return null;
  end if;
  if tg_table_name = 'circle' and content ->> 'description' is null then
    content := content || '{"description": ""}';
  end if;
  object := content ->> 'id';

  -- A rollback to a savepoint takes this note back together with the row that it names. The database
  -- transaction stands beside it, so that a note from another one can't be taken for ours.
  noted := string_to_array(current_setting('p2k16.transaction', true), ' ');
  if noted[1] = pg_current_xact_id()::text then
    own := noted[2];
  end if;

  execute format(
    'select transaction_id, operation_type from %s where id = $1 order by transaction_id desc limit 1',
    versions)
    into latest, latest_kind using object;

  -- Others may have taken a later number and changed this object before us. The order of the numbers
  -- is the order of an object's versions, so we go on with a new one.
  if own is null or latest > own then
    insert into public."transaction" (id, issued_at, remote_addr)
    values (
      nextval('public.transaction_id_seq'),
      to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'),
      nullif(left(current_setting('p2k16.remote_addr', true), 100), ''))
    returning id into own;
    perform set_config('p2k16.transaction', concat(pg_current_xact_id(), ' ', own), true);
  end if;

  if latest = own then
    execute format('delete from %s where id = $1 and transaction_id = $2', versions)
      using object, own;
    execute format('select max(transaction_id) from %s where id = $1', versions)
      into previous using object;
    kind := case
      when latest_kind = 0 and kind = 2 then null
      when latest_kind = 0 then 0
      when latest_kind = 2 then 1
      else kind
    end;
  else
    previous := latest;
  end if;

  -- A conflict is possible in stripe_customer_version, where a stripe_id may come only once. Then the
  -- change is made without a version: failing it would be worse.
  if kind is not null then
    execute format(
      'insert into %1$s select * from jsonb_populate_record(null::%1$s, $1) on conflict do nothing',
      versions)
      using content || jsonb_build_object(
        'transaction_id', own, 'end_transaction_id', null, 'operation_type', kind);
    get diagnostics added = row_count;
  end if;

  if previous is not null then
    execute format(
      'update %s set end_transaction_id = $3
       where id = $1 and transaction_id = $2 and end_transaction_id is distinct from $3',
      versions)
      using object, previous, case when added > 0 then own end;
  end if;
  return null;
end
$$;

revoke all on function access.keep_history() from public;

do $$
declare
  versioned text;
begin
  foreach versioned in array array[
    'account', 'account_badge', 'badge_description', 'circle', 'circle_member', 'company',
    'company_employee', 'membership', 'stripe_customer', 'stripe_payment', 'tool_checkout',
    'tool_description'
  ] loop
    execute format(
      'create trigger keep_history after insert or update or delete on public.%I
         for each row when (current_setting(''p2k16.keep_history'', true) = ''on'')
         execute function access.keep_history()',
      versioned);
  end loop;
end
$$;
