-- Messages of Stripe's that were taken in. Stripe sends a message again until it is answered, and
-- may send it twice: the row is written in the transaction of what the message does.
create table access.stripe_event (
  id           text primary key check (char_length(id) between 1 and 255),
  type         text not null,
  received_at  timestamptz not null default now()
);

do $$
begin
  if to_regrole('"p2k16-web"') is not null and current_user <> 'p2k16-web' then
    revoke all on table access.stripe_event from "p2k16-web";
  end if;
end
$$;
