"""What is asked about people for their profiles: of everybody at once, or of one."""

from datetime import datetime
from decimal import Decimal

from msgspec import Struct
from psycopg.rows import class_row, scalar_row

from console.database import Connection


class AccountRow(Struct, frozen=True):
    """An account without its secrets. What is None was not given."""

    id: int
    created_at: datetime
    updated_at: datetime
    username: str
    email: str
    name: str | None
    phone: str | None


class CircleRow(Struct, frozen=True):
    """A circle that somebody is in."""

    account_id: int
    id: int
    name: str


class MembershipRow(Struct, frozen=True):
    """What somebody agreed to pay a month, in whole crowns, and since when she is a member."""

    fee: int
    first_membership: datetime
    start_membership: datetime


class PaymentRow(Struct, frozen=True):
    """A payment. `amount` in crowns. `payment_date` None: not known."""

    id: int
    start_date: datetime
    end_date: datetime
    amount: Decimal
    payment_date: datetime | None


class DoorOpenRow(Struct, frozen=True):
    """Somebody opened a door. `door` is its key; None: not known."""

    created_at: datetime
    created_by: int
    created_by_username: str
    door: str | None


async def people(conn: Connection) -> list[AccountRow]:
    """Everybody, by id. System accounts are no people."""
    async with conn.cursor(row_factory=class_row(AccountRow)) as cursor:
        await cursor.execute(
            """
            select id, created_at, updated_at, username, email, name, phone
            from account
            where not system
            order by id
            """
        )
        return await cursor.fetchall()


async def account(conn: Connection, *, account_id: int) -> AccountRow | None:
    """One account, be it a system account."""
    async with conn.cursor(row_factory=class_row(AccountRow)) as cursor:
        await cursor.execute(
            """
            select id, created_at, updated_at, username, email, name, phone
            from account
            where id = %(account_id)s
            """,
            {"account_id": account_id},
        )
        return await cursor.fetchone()


async def account_called(conn: Connection, *, username: str) -> AccountRow | None:
    """The account with this user name in any case, be it a system account.

    Where two differ in nothing but case, the one that is written as given, else the older one.
    """
    async with conn.cursor(row_factory=class_row(AccountRow)) as cursor:
        await cursor.execute(
            """
            select id, created_at, updated_at, username, email, name, phone
            from account
            where lower(username) = lower(%(username)s)
            order by username <> %(username)s, id
            limit 1
            """,
            {"username": username},
        )
        return await cursor.fetchone()


async def circles(conn: Connection, *, account_id: int | None = None) -> list[CircleRow]:
    """Who is in which circle, by the circle's id; None: everybody."""
    async with conn.cursor(row_factory=class_row(CircleRow)) as cursor:
        await cursor.execute(
            """
            select m.account as account_id, c.id, c.name
            from circle_member m
            join circle c on c.id = m.circle
            where %(account_id)s::bigint is null or m.account = %(account_id)s
            order by m.account, c.id
            """,
            {"account_id": account_id},
        )
        return await cursor.fetchall()


async def fees(conn: Connection, *, account_id: int | None = None) -> dict[int, int]:
    """The fee of everybody's newest membership, or of the one account's; who has none isn't there.

    The old web app may have left two memberships of one account.
    """
    cursor = await conn.execute(
        """
        select distinct on (created_by) created_by, fee
        from membership
        where %(account_id)s::bigint is null or created_by = %(account_id)s
        order by created_by, created_at desc, id desc
        """,
        {"account_id": account_id},
    )
    return dict(await cursor.fetchall())


async def membership(conn: Connection, *, account_id: int) -> MembershipRow | None:
    """The newest membership of an account."""
    async with conn.cursor(row_factory=class_row(MembershipRow)) as cursor:
        await cursor.execute(
            """
            select fee, first_membership, start_membership
            from membership
            where created_by = %(account_id)s
            order by created_at desc, id desc
            limit 1
            """,
            {"account_id": account_id},
        )
        return await cursor.fetchone()


async def payments(conn: Connection, *, account_id: int) -> list[PaymentRow]:
    """All payments of an account, by id."""
    async with conn.cursor(row_factory=class_row(PaymentRow)) as cursor:
        await cursor.execute(
            """
            select p.id, p.start_date, p.end_date, p.amount, p.payment_date
            from access.payment_owner o
            join stripe_payment p on p.id = o.payment and p.created_by = o.account
            where o.account = %(account_id)s
            order by p.id
            """,
            {"account_id": account_id},
        )
        return await cursor.fetchall()


async def payment_count(conn: Connection, *, account_id: int) -> int:
    """How many payments an account has made."""
    async with conn.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(
            "select count(*) from stripe_payment where created_by = %(account_id)s",
            {"account_id": account_id},
        )
        return int(await cursor.fetchone() or 0)


async def last_door_open(conn: Connection, *, account_id: int) -> DoorOpenRow | None:
    """When somebody last opened a door, and which; None: never."""
    async with conn.cursor(row_factory=class_row(DoorOpenRow)) as cursor:
        await cursor.execute(
            """
            select e.created_at, e.created_by, a.username as created_by_username, e.text1 as door
            from event e
            join account a on a.id = e.created_by
            where e.created_by = %(account_id)s and e.domain = 'door' and e.name = 'open'
            order by e.created_at desc, e.id desc
            limit 1
            """,
            {"account_id": account_id},
        )
        return await cursor.fetchone()
