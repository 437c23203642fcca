-- Which payments are whose. stripe_payment has no index by person, and as the web app's table it gets
-- none: this stands beside it, so that a page about one person need not read everybody's payments.
--
-- It says where to look and no more: who reads by it joins stripe_payment and compares created_by, so
-- a row too many does nothing. One that is missing would hide a payment; index_payments mends that, at
-- each start and daily. What controllers are told is read from stripe_payment itself.

create table access.payment_owner (
  payment  bigint primary key,   -- stripe_payment.id
  account  bigint not null       -- its created_by
);

create index payment_owner_account on access.payment_owner (account);

create function access.index_payments() returns bigint
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
  with gone as (
    delete from access.payment_owner o
     where not exists (select from public.stripe_payment p where p.id = o.payment)
    returning 1
  ), indexed as (
    insert into access.payment_owner as o (payment, account)
      select p.id, p.created_by from public.stripe_payment p
       where not exists (
         select from access.payment_owner h where h.payment = p.id and h.account = p.created_by)
    on conflict (payment) do update set account = excluded.account
    returning 1
  )
  select (select count(*) from gone) + (select count(*) from indexed)
$$;

-- May never make the write itself fail, like access.announce_change.
create function access.index_payment() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  begin
    if tg_op = 'TRUNCATE' then
      delete from access.payment_owner;
      return null;
    end if;
    if tg_op <> 'INSERT' then
      delete from access.payment_owner where payment = old.id;
    end if;
    if tg_op <> 'DELETE' then
      insert into access.payment_owner (payment, account) values (new.id, new.created_by)
        on conflict (payment) do update set account = excluded.account;
    end if;
  exception when others then
    null;
  end;
  return null;
end
$$;

revoke all on function access.index_payments(), access.index_payment() from public;

create trigger access_index_payment after insert or delete or update of id, created_by
  on public.stripe_payment
  for each row execute function access.index_payment();

create trigger access_index_payments after truncate on public.stripe_payment
  for each statement execute function access.index_payment();

select access.index_payments();

do $$
begin
  if to_regrole('"p2k16-web"') is not null and current_user <> 'p2k16-web' then
    revoke all on table access.payment_owner from "p2k16-web";
  end if;
end
$$;
