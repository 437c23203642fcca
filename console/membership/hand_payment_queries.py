"""What is asked of one person's payments, and written of those that are entered by hand."""

import secrets
from datetime import datetime
from decimal import Decimal

from msgspec import Struct
from psycopg.rows import class_row

from console.database import Connection
from console.membership.hand_payment import MARK, is_by_hand
from console.web.versions import version_of

RANDOM_BYTES = 16


class PaymentRow(Struct, frozen=True):
    """A payment. `amount` in crowns; `invoice`: Stripe's name of what was paid, or our mark."""

    id: int
    start_date: datetime
    end_date: datetime
    amount: Decimal
    invoice: str

    @property
    def is_by_hand(self) -> bool:
        """Whether somebody has entered it, who may take it back."""
        return is_by_hand(self.invoice)


async def hold(conn: Connection, *, account_id: int) -> None:
    """Nobody else enters a payment of hers, or takes one back, before the transaction ends."""
    await conn.execute(
        "select from account where id = %(account_id)s for no key update",
        {"account_id": account_id},
    )


async def payments(conn: Connection, *, account_id: int, limit: int) -> list[PaymentRow]:
    """Somebody's latest payments, the newest first."""
    async with conn.cursor(row_factory=class_row(PaymentRow)) as cursor:
        await cursor.execute(
            """
            select p.id, p.start_date, p.end_date, p.amount, p.stripe_id::text as invoice
            from access.payment_owner o
            join stripe_payment p on p.id = o.payment and p.created_by = o.account
            where o.account = %(account_id)s
            order by p.end_date desc, p.id desc
            limit %(limit)s
            """,
            {"account_id": account_id, "limit": limit},
        )
        return await cursor.fetchall()


async def overlapping(
    conn: Connection, *, account_id: int, begins: datetime, ends: datetime, limit: int
) -> list[PaymentRow]:
    """Those that pay for a part of this time already."""
    async with conn.cursor(row_factory=class_row(PaymentRow)) as cursor:
        await cursor.execute(
            """
            select p.id, p.start_date, p.end_date, p.amount, p.invoice
            from access.payment_owner o
            join access.counting_payments() p on p.id = o.payment and p.account = o.account
            where o.account = %(account_id)s
              and p.start_date < %(ends)s and p.end_date > %(begins)s
            order by p.start_date, p.id
            limit %(limit)s
            """,
            {"account_id": account_id, "begins": begins, "ends": ends, "limit": limit},
        )
        return await cursor.fetchall()


async def payment(conn: Connection, *, account_id: int, payment_id: int) -> PaymentRow | None:
    """One of somebody's payments."""
    async with conn.cursor(row_factory=class_row(PaymentRow)) as cursor:
        await cursor.execute(
            """
            select id, start_date, end_date, amount, stripe_id::text as invoice
            from stripe_payment
            where id = %(payment_id)s and created_by = %(account_id)s
            """,
            {"account_id": account_id, "payment_id": payment_id},
        )
        return await cursor.fetchone()


async def version(conn: Connection, *, account_id: int) -> str:
    """Another text after each payment that comes, or is taken back."""
    cursor = await conn.execute(
        """
        select coalesce(max(payment), 0), count(*) from access.payment_owner
        where account = %(account_id)s
        """,
        {"account_id": account_id},
    )
    return version_of(*(await cursor.fetchone() or ()))


async def insert(
    conn: Connection,
    *,
    account_id: int,
    begins: datetime,
    ends: datetime,
    amount: Decimal,
    actor_id: int,
) -> None:
    """A payment by hand, in the name of the person who paid; `updated_by` is who entered it."""
    await conn.execute(
        """
        insert into stripe_payment (created_at, created_by, updated_at, updated_by, stripe_id,
          start_date, end_date, amount, payment_date)
        values (now(), %(account_id)s, now(), %(actor_id)s, %(mark)s, %(begins)s, %(ends)s,
          %(amount)s, now())
        """,
        {
            "account_id": account_id,
            "actor_id": actor_id,
            "mark": f"{MARK}{secrets.token_hex(RANDOM_BYTES)}",
            "begins": begins,
            "ends": ends,
            "amount": amount,
        },
    )


async def delete(conn: Connection, *, account_id: int, payment_id: int) -> bool:
    """Removes a payment by hand. False: there is none such."""
    cursor = await conn.execute(
        """
        delete from stripe_payment
        where id = %(payment_id)s and created_by = %(account_id)s
          and starts_with(stripe_id, %(mark)s)
        """,
        {"payment_id": payment_id, "account_id": account_id, "mark": MARK},
    )
    return cursor.rowcount == 1
