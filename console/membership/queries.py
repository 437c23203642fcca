"""What is asked of the tables of payments. Customers and payments belong to `created_by`."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from msgspec import Struct
from psycopg.rows import class_row, scalar_row

from console.database import Connection
from console.membership.billing import Line, Payer


class Subscriber(Struct, frozen=True):
    """Somebody who subscribed, as far as a letter to her needs it."""

    account_id: int
    username: str
    name: str | None
    email: str


class Month(Struct, frozen=True):
    """What came in, in major units, and how many people it came from."""

    first_day: date
    revenue: Decimal
    members: int


async def payer(conn: Connection, *, account_id: int) -> Payer | None:
    """Who a customer is made for."""
    async with conn.cursor(row_factory=class_row(Payer)) as cursor:
        await cursor.execute(
            "select id as account_id, name, email from account where id = %(account_id)s",
            {"account_id": account_id},
        )
        return await cursor.fetchone()


async def customer_of(conn: Connection, *, account_id: int) -> str | None:
    """Stripe's id of the person; the newest where there are several, which old mistakes made."""
    async with conn.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(
            """
            select stripe_id from stripe_customer where created_by = %(account_id)s
            order by id desc limit 1
            """,
            {"account_id": account_id},
        )
        found: str | None = await cursor.fetchone()
        return found


async def owner_of(conn: Connection, *, customer: str) -> int | None:
    """Whose customer it is. Nobody else changes its payments until the transaction ends."""
    async with conn.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(
            """
            select created_by::bigint from stripe_customer where stripe_id = %(customer)s
            for no key update
            """,
            {"customer": customer},
        )
        found: int | None = await cursor.fetchone()
        return found


async def subscriber(conn: Connection, *, account_id: int) -> Subscriber | None:
    """A person. Nobody else changes her customers until the transaction ends."""
    async with conn.cursor(row_factory=class_row(Subscriber)) as cursor:
        await cursor.execute(
            """
            select id as account_id, username, name, email from account
            where id = %(account_id)s and not system
            for no key update
            """,
            {"account_id": account_id},
        )
        return await cursor.fetchone()


async def insert_customer(conn: Connection, *, account_id: int, customer: str) -> None:
    """Notes that the customer is this person, unless she has one, or somebody else is it."""
    await conn.execute(
        """
        insert into stripe_customer (created_at, created_by, updated_at, updated_by, stripe_id)
        select now(), %(account_id)s, now(), %(account_id)s, %(customer)s
        where not exists (select from stripe_customer where created_by = %(account_id)s)
        on conflict (stripe_id) do nothing
        """,
        {"account_id": account_id, "customer": customer},
    )


async def lines_of(conn: Connection, *, invoice: str) -> list[Line]:
    """The lines of an invoice that have rows."""
    async with conn.cursor(row_factory=class_row(Line)) as cursor:
        await cursor.execute(
            """
            select start_date as start, end_date as end, amount from stripe_payment
            where stripe_id = %(invoice)s order by id
            """,
            {"invoice": invoice},
        )
        return await cursor.fetchall()


async def insert_payments(
    conn: Connection,
    *,
    account_id: int,
    invoice: str,
    paid_at: datetime,
    lines: Sequence[Line],
) -> None:
    """A row for each line, in the name of the person who paid."""
    for line in lines:
        await conn.execute(
            """
            insert into stripe_payment (created_at, created_by, updated_at, updated_by, stripe_id,
              start_date, end_date, amount, payment_date)
            values (now(), %(account_id)s, now(), %(account_id)s, %(invoice)s,
              %(start)s, %(end)s, %(amount)s, %(paid_at)s)
            """,
            {
                "account_id": account_id,
                "invoice": invoice,
                "start": line.start,
                "end": line.end,
                "amount": line.amount,
                "paid_at": paid_at,
            },
        )


async def insert_event(conn: Connection, *, event_id: str, kind: str) -> bool:
    """Notes a message. False: it was taken in before. Waits for whoever takes it in just now."""
    cursor = await conn.execute(
        """
        insert into access.stripe_event (id, type) values (%(event_id)s, %(kind)s)
        on conflict (id) do nothing
        """,
        {"event_id": event_id, "kind": kind},
    )
    return cursor.rowcount == 1


async def has_event(conn: Connection, *, event_id: str) -> bool:
    """Whether a message was taken in."""
    async with conn.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(
            "select exists (select from access.stripe_event where id = %(event_id)s)",
            {"event_id": event_id},
        )
        return bool(await cursor.fetchone())


async def months(conn: Connection, *, count: int) -> list[Month]:
    """The latest `count` months in which somebody paid, the oldest first, in UTC."""
    async with conn.cursor(row_factory=class_row(Month)) as cursor:
        await cursor.execute(
            """
            select * from (
              select date_trunc('month', coalesce(payment_date, start_date))::date as first_day,
                sum(amount) as revenue, count(distinct created_by) as members
              from stripe_payment
              where coalesce(payment_date, start_date) between '2000-01-01' and '2100-01-01'
              group by 1 order by 1 desc limit %(count)s
            ) latest
            order by first_day
            """,
            {"count": count},
        )
        return await cursor.fetchall()
