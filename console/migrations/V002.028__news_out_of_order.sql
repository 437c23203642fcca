-- Stripe's messages come in any order: what is over stays over, whatever is told of it afterwards.

-- An invoice for whose money nobody waits any more. It may be told of before its failure is, and then
-- neither the customer nor the failure is known.
alter table access.failed_payment add column dropped_at timestamptz;
alter table access.failed_payment alter column customer drop not null;
alter table access.failed_payment alter column failed_at drop not null;
alter table access.failed_payment add constraint failed_payment_failed_or_dropped
  check (dropped_at is not null or (customer is not null and failed_at is not null));

-- A subscription that was deleted.
alter table access.stripe_subscription add column is_over boolean not null default false;
