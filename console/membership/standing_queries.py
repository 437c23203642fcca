"""What is asked about one person's membership, and written of what Stripe tells of it."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from msgspec import Struct
from psycopg.rows import class_row, scalar_row

from console.database import Connection
from console.membership.hand_payment import is_by_hand
from console.membership.standing import Facts, paid_time
from console.membership.stripe_event import InvoiceUnpaid, SubscriptionChanged


class _FactsRow(Struct, frozen=True):
    paid_until: datetime | None
    companies: Sequence[str]
    failed_at: datetime | None
    renews: bool | None
    later_from: Sequence[datetime]
    later_until: Sequence[datetime]
    idle_companies: Sequence[str]


class PaidRow(Struct, frozen=True):
    """A payment. `amount` in crowns; `invoice`: Stripe's name of what was paid."""

    start_date: datetime
    end_date: datetime
    amount: Decimal
    invoice: str

    @property
    def is_by_hand(self) -> bool:
        """Whether the treasurer has entered it."""
        return is_by_hand(self.invoice)


async def facts_of(conn: Connection, *, account_id: int) -> Facts | None:
    """What the person's membership follows from; None: there is no such person."""
    async with conn.cursor(row_factory=class_row(_FactsRow)) as cursor:
        await cursor.execute(
            """
            with paid as (
              select max(end_date) filter (where counts_from <= now()) as until,
                array_agg(start_date order by start_date, end_date)
                  filter (where counts_from > now()) as later_from,
                array_agg(end_date order by start_date, end_date)
                  filter (where counts_from > now()) as later_until,
                max(paid_at) as latest
              from access.payment_owner o
              join access.counting_payments() p on p.id = o.payment and p.account = o.account
              where o.account = %(account_id)s
            )
            select p.until as paid_until,
              coalesce(p.later_from, '{}') as later_from,
              coalesce(p.later_until, '{}') as later_until,
              array(select o.name::text from company_employee e join company o on o.id = e.company
                where e.account = a.id and not o.active
                order by access.alphabetic(o.name)) as idle_companies,
              array(select o.name::text from company_employee e join company o on o.id = e.company
                where e.account = a.id and o.active
                order by access.alphabetic(o.name)) as companies,
              (select max(f.failed_at)
                from stripe_customer c join access.failed_payment f on f.customer = c.stripe_id
                where c.created_by = a.id
                  and f.dropped_at is null and f.failed_at >= coalesce(p.latest, '-infinity')
                  and not exists (select from stripe_payment s where s.stripe_id = f.invoice)
              ) as failed_at,
              (select bool_or(s.renews)
                from stripe_customer c join access.stripe_subscription s on s.customer = c.stripe_id
                where c.created_by = a.id) as renews
            from account a cross join paid p
            where a.id = %(account_id)s and not a.system
            """,
            {"account_id": account_id},
        )
        row = await cursor.fetchone()
    if row is None:
        return None
    paid_until, paid_from = paid_time(row.paid_until, row.later_from, row.later_until)
    return Facts(
        paid_until,
        tuple(row.companies),
        row.failed_at,
        row.renews,
        paid_from,
        tuple(row.idle_companies),
    )


async def paid_by(conn: Connection, *, account_id: int, limit: int) -> list[PaidRow]:
    """Somebody's latest payments, the newest first."""
    async with conn.cursor(row_factory=class_row(PaidRow)) as cursor:
        await cursor.execute(
            """
            select start_date, end_date, amount, stripe_id as invoice
            from access.payment_owner o
            join stripe_payment p on p.id = o.payment and p.created_by = o.account
            where o.account = %(account_id)s
            order by end_date desc, id desc
            limit %(limit)s
            """,
            {"account_id": account_id, "limit": limit},
        )
        return await cursor.fetchall()


async def last_payment(conn: Connection, *, account_id: int) -> int:
    """The id of the payment of this person that was written last; 0: there is none.

    Ids grow, so whatever comes has a higher one, whatever the clocks say.
    """
    async with conn.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(
            "select coalesce(max(id), 0) from stripe_payment where created_by = %(account_id)s",
            {"account_id": account_id},
        )
        return int(await cursor.fetchone() or 0)


async def upsert_failure(conn: Connection, unpaid: InvoiceUnpaid) -> None:
    """Notes a payment that failed, once for each invoice, with its latest attempt."""
    await conn.execute(
        """
        insert into access.failed_payment as f (invoice, customer, failed_at)
        values (%(invoice)s, %(customer)s, coalesce(%(failed_at)s::timestamptz, now()))
        on conflict (invoice) do update
          set customer = excluded.customer, failed_at = greatest(f.failed_at, excluded.failed_at)
        """,
        {
            "invoice": unpaid.invoice,
            "customer": unpaid.customer,
            "failed_at": unpaid.failed_at,
        },
    )


async def drop_invoice(conn: Connection, *, invoice: str) -> None:
    """Nobody waits for an invoice any more, even if its failure is told of only later."""
    await conn.execute(
        """
        insert into access.failed_payment as f (invoice, dropped_at)
        values (%(invoice)s, now())
        on conflict (invoice) do update set dropped_at = excluded.dropped_at
          where f.dropped_at is null
        """,
        {"invoice": invoice},
    )


async def drop_invoices_of(conn: Connection, *, customer: str) -> None:
    """The same of all that a customer failed to pay who owes nothing."""
    await conn.execute(
        """
        update access.failed_payment set dropped_at = now()
        where customer = %(customer)s and dropped_at is null
        """,
        {"customer": customer},
    )


async def upsert_subscription(conn: Connection, told: SubscriptionChanged) -> None:
    """Notes whether a subscription goes on, unless something newer is known.

    Stripe tells whole seconds only: of one, how it began is the oldest, and its end the newest.
    """
    await conn.execute(
        """
        insert into access.stripe_subscription as s (id, customer, renews, told_at, is_over)
        values (%(id)s, %(customer)s, %(renews)s, %(told_at)s, %(is_over)s)
        on conflict (id) do update
          set customer = excluded.customer, renews = excluded.renews, told_at = excluded.told_at,
            is_over = excluded.is_over
          where not %(is_new)s and not s.is_over
            and (excluded.is_over or excluded.told_at >= s.told_at)
        """,
        {
            "id": told.subscription,
            "customer": told.customer,
            "renews": told.renews,
            "told_at": told.told_at,
            "is_new": told.is_new,
            "is_over": told.is_over,
        },
    )
