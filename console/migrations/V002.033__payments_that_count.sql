-- Which payments count, and when: the one place that says it, for rights, pages and reports.
-- No view: the web app's migrations may change its table, and a view on it would refuse that.

create function access.counting_payments()
returns table (
  id bigint, account bigint, invoice text, start_date timestamptz, end_date timestamptz,
  amount numeric, paid_at timestamptz, counts_from timestamptz, counts_until timestamptz
)
language sql stable parallel safe
as $$
  -- Instants are cut to what a wire number holds; 'infinity' is an instant here, too.
  select id, created_by, stripe_id::text, start_date, end_date, amount,
         coalesce(payment_date, start_date),
         least(greatest(start_date, '1970-01-02 00:00+00'), '9000-01-01 00:00+00')
           - interval '5 minutes',
         least(greatest(end_date, '1970-01-01 00:00+00'), '9000-01-01 00:00+00')
           + interval '24 hours'
    from public.stripe_payment
   where amount > 0 and amount <> 'NaN'
$$;

comment on function access.counting_payments() is
  'A payment counts five minutes before it begins: Stripe says when that is, and its clock may be ahead of ours. '
  'It counts a day longer than it says.';
