-- What Stripe tells of money that didn't come, and of subscriptions that go on or don't. Payments that
-- came stay in stripe_payment.

-- An invoice that no card has paid. It is over once stripe_payment has the invoice, or a later payment.
create table access.failed_payment (
  invoice    text primary key check (char_length(invoice) between 1 and 50),
  customer   text not null check (char_length(customer) between 1 and 50),  -- stripe_customer.stripe_id
  failed_at  timestamptz not null
);

create index failed_payment_customer on access.failed_payment (customer);

-- Whether a subscription goes on by itself at the end of what is paid. Stripe's messages may come in any
-- order: told_at is when the newest was made.
create table access.stripe_subscription (
  id        text primary key check (char_length(id) between 1 and 50),
  customer  text not null check (char_length(customer) between 1 and 50),
  renews    boolean not null,
  told_at   timestamptz not null
);

create index stripe_subscription_customer on access.stripe_subscription (customer);

select access.audit_changes('access.failed_payment');
select access.audit_changes('access.stripe_subscription', ignored => '{told_at}');

do $$
begin
  if to_regrole('"p2k16-web"') is not null and current_user <> 'p2k16-web' then
    revoke all on table access.failed_payment, access.stripe_subscription from "p2k16-web";
  end if;
end
$$;
