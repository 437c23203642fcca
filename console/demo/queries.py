"""Writes the rows that the old web application would have left, and asks what became of taps.

Only for the fresh database of a demo. What our own pages and commands can make is made by them.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from msgspec import Struct
from psycopg.rows import class_row

from console.database import Connection
from console.demo.taps import Record


class AccountRow(Struct, frozen=True):
    """A member. `password` None: she can't log in."""

    username: str
    email: str
    name: str
    password: str | None
    joined_at: datetime


class MemberRow(Struct, frozen=True):
    """A membership of a circle, by name."""

    circle: str
    username: str
    since: datetime


class PaymentRow(Struct, frozen=True):
    """A paid period; `amount` in kroner, as the table has it."""

    username: str
    stripe_id: str
    start: datetime
    end: datetime
    amount: Decimal


class CardRow(Struct, frozen=True):
    """A card. `lost_at` None: it is in use."""

    username: str
    credential_type: str
    site_digest: bytes
    label: str
    given_at: datetime
    lost_at: datetime | None


async def insert_accounts(conn: Connection, *, rows: Sequence[AccountRow]) -> None:
    """Members, in the order in which their ids are to rise."""
    async with conn.cursor() as cursor:
        await cursor.executemany(
            """
            insert into account (created_at, updated_at, username, email, name, password, system)
            values (%s, %s, %s, %s, %s, %s, false)
            """,
            [(r.joined_at, r.joined_at, r.username, r.email, r.name, r.password) for r in rows],
        )


async def insert_circle(
    conn: Connection, *, name: str, description: str, admin: str | None
) -> None:
    """A circle, made by `system`; `admin` None: it administers itself."""
    await conn.execute(
        """
        insert into circle (created_at, created_by, updated_at, updated_by, name, description,
          management_style, admin_circle, comment_required_for_membership)
        select now(), a.id, now(), a.id, %(name)s, %(description)s,
          case when %(admin)s::text is null then 'SELF_ADMIN' else 'ADMIN_CIRCLE' end,
          (select id from circle where name = %(admin)s), false
        from account a where a.username = 'system'
        """,
        {"name": name, "description": description, "admin": admin},
    )


async def describe_badge(
    conn: Connection, *, badge: int, description: str, circle: str | None
) -> None:
    """What a badge is for. `circle`: whose members award it; None: everybody does."""
    await conn.execute(
        """
        update badge_description
           set description = %(description)s,
               certification_circle = (select id from circle where name = %(circle)s)
         where id = %(badge)s
        """,
        {"badge": badge, "description": description, "circle": circle},
    )


async def insert_tool(conn: Connection, *, name: str, circle: str) -> None:
    """A tool, and the circle whose members may use it."""
    await conn.execute(
        """
        insert into tool_description
          (created_at, created_by, updated_at, updated_by, name, circle)
        select now(), a.id, now(), a.id, %(name)s, c.id
        from account a, circle c where a.username = 'system' and c.name = %(circle)s
        """,
        {"name": name, "circle": circle},
    )


async def insert_members(conn: Connection, *, rows: Sequence[MemberRow], by: str) -> None:
    """Who is in which circle; added by the account `by`."""
    async with conn.cursor() as cursor:
        await cursor.executemany(
            """
            insert into circle_member
              (created_at, created_by, updated_at, updated_by, circle, account, comment)
            select %s, b.id, %s, b.id, c.id, a.id, ''
            from account a, account b, circle c
            where a.username = %s and b.username = %s and c.name = %s
            """,
            [(r.since, r.since, r.username, by, r.circle) for r in rows],
        )


async def insert_payments(conn: Connection, *, rows: Sequence[PaymentRow]) -> None:
    """What members have paid."""
    async with conn.cursor() as cursor:
        await cursor.executemany(
            """
            insert into stripe_payment (created_at, created_by, updated_at, updated_by,
              stripe_id, start_date, end_date, amount, payment_date)
            select %s, a.id, %s, a.id, %s, %s, %s, %s, %s
            from account a where a.username = %s
            """,
            [
                (r.start, r.start, r.stripe_id, r.start, r.end, r.amount, r.start, r.username)
                for r in rows
            ],
        )


async def insert_company(
    conn: Connection, *, name: str, is_active: bool, contact: str, employees: Sequence[str]
) -> None:
    """A company and whom it employs."""
    await conn.execute(
        """
        with made as (
          insert into company
            (created_at, created_by, updated_at, updated_by, name, active, contact)
          select now(), a.id, now(), a.id, %(name)s, %(is_active)s, a.id
          from account a where a.username = %(contact)s
          returning id, contact
        )
        insert into company_employee
          (created_at, created_by, updated_at, updated_by, company, account)
        select now(), made.contact, now(), made.contact, made.id, a.id
        from made, account a where a.username = any (%(employees)s)
        """,
        {
            "name": name,
            "is_active": is_active,
            "contact": contact,
            "employees": list(employees),
        },
    )


async def insert_cards(conn: Connection, *, rows: Sequence[CardRow], by: str) -> None:
    """Cards with their days of handing out, and of loss; both noted by the account `by`."""
    async with conn.cursor() as cursor:
        await cursor.executemany(
            """
            insert into access.card (account, credential_type, site_digest, label,
              created_at, created_by, lost_at, lost_by)
            select a.id, %s, %s, %s, %s, b.id, %s::timestamptz,
              case when %s::timestamptz is null then null else b.id end
            from account a, account b where a.username = %s and b.username = %s
            """,
            [
                (
                    *(r.credential_type, r.site_digest, r.label, r.given_at),
                    *(r.lost_at, r.lost_at, r.username, by),
                )
                for r in rows
            ],
        )


async def account_ids(conn: Connection) -> dict[str, int]:
    """Every member's id by user name."""
    cursor = await conn.execute("select username, id from account where not system")
    return {str(username): int(account) for username, account in await cursor.fetchall()}


async def as_lost_by(conn: Connection, *, rows: Sequence[CardRow], at: datetime) -> None:
    """Makes those of the cards lost that were lost by then, and no other."""
    await conn.execute(
        """
        update access.card c
           set lost_at = r.lost_at, lost_by = case when r.lost_at is null then null
                                                   else c.created_by end
          from unnest(%(digests)s::bytea[], %(lost)s::timestamptz[]) r(site_digest, lost_at)
         where c.site_digest = r.site_digest and c.lost_at is distinct from r.lost_at
        """,
        {
            "digests": [row.site_digest for row in rows],
            "lost": [row.lost_at if row.lost_at and row.lost_at <= at else None for row in rows],
        },
    )


async def snapshots(conn: Connection) -> list[tuple[str, bytes]]:
    """What every controller was sent, the oldest first: its name, and the envelope."""
    cursor = await conn.execute(
        "select controller, envelope from access.snapshot order by epoch, serial"
    )
    return [(str(name), bytes(envelope)) for name, envelope in await cursor.fetchall()]


async def newest_event(conn: Connection) -> int:
    """The id of the event that arrived last; 0 before the first."""
    cursor = await conn.execute("select coalesce(max(id), 0) from access.event")
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def records_after(conn: Connection, *, event_id: int) -> list[Record]:
    """Taps that have arrived after that event, in the order of their arrival."""
    async with conn.cursor(row_factory=class_row(Record)) as cursor:
        await cursor.execute(
            """
            select e.id as event_id, e.point as door,
              coalesce(c.site_digest, e.site_digest) as digest,
              e.kind = 'access_granted' as is_granted, e.reason,
              e.account is not null as has_owner, e.received_at
            from access.event e
            left join access.card c on c.id = e.card
            where e.id > %(event_id)s and e.kind in ('access_granted', 'access_denied')
              and e.point is not null and coalesce(c.site_digest, e.site_digest) is not null
            order by e.id
            limit 200
            """,
            {"event_id": event_id},
        )
        return await cursor.fetchall()
