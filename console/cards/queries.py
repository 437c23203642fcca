"""What is asked of the table of cards, and of the taps of cards that nobody has.

A card's digest never leaves these functions but to be written: pages name a card by its id, and an
unknown card by the id of its latest tap.
"""

from datetime import datetime

from msgspec import Struct
from psycopg.rows import class_row, scalar_row

from console.database import Connection


class CardRow(Struct, frozen=True):
    """A card of somebody. `lost_at` None: in use."""

    card_id: int
    account_id: int
    credential_type: str
    label: str
    created_at: datetime
    created_by: str | None
    lost_at: datetime | None
    lost_by: str | None
    last_used: datetime | None
    last_door: str | None
    is_break_glass: bool


class OwnerRow(Struct, frozen=True):
    """Whose a card is."""

    card_id: int
    account_id: int
    username: str
    name: str | None

    @property
    def shown_name(self) -> str:
        """The name, or the user name of somebody who has none."""
        return self.name or self.username


class UnknownCardRow(Struct, frozen=True):
    """A card that nobody has, by its latest tap. `was_of`: whose lost card it is, if it is one."""

    event_id: int
    seen_at: datetime
    door: str | None
    credential_type: str | None
    taps: int
    was_of: str | None


class SeenCardRow(Struct, frozen=True):
    """What an unknown card's tap told, to be written down with its owner."""

    site_digest: bytes
    credential_type: str


async def cards_of(conn: Connection, *, account_id: int) -> list[CardRow]:
    """Somebody's cards: those in use first, then the lost ones, the newest first."""
    async with conn.cursor(row_factory=class_row(CardRow)) as cursor:
        await cursor.execute(
            """
            select k.id as card_id, k.account as account_id, k.credential_type, k.label,
              k.created_at, coalesce(nullif(c.name, ''), c.username) as created_by, k.lost_at,
              coalesce(nullif(l.name, ''), l.username) as lost_by,
              used.at as last_used, used.door as last_door,
              k.lost_at is null and exists (
                select from access.break_glass_card b where b.card = k.id) as is_break_glass
            from access.card k
            left join account c on c.id = k.created_by
            left join account l on l.id = k.lost_by
            left join lateral (
              select e.happened_at as at,
                coalesce(d.name, t.name, e.point) as door
              from access.event e
              left join access.door d on d.key = e.point
              left join access.tool_point p on p.key = e.point
              left join tool_description t on t.id = p.tool
              where e.account = k.account and e.card = k.id and e.point is not null
              order by e.happened_at desc limit 1
            ) used on true
            where k.account = %(account_id)s
            order by k.lost_at is not null, k.created_at desc, k.id desc
            limit 100
            """,
            {"account_id": account_id},
        )
        return await cursor.fetchall()


async def owner_of(conn: Connection, *, card_id: int) -> OwnerRow | None:
    """Whose a card is, lost or not."""
    async with conn.cursor(row_factory=class_row(OwnerRow)) as cursor:
        await cursor.execute(
            """
            select k.id as card_id, a.id as account_id, a.username, a.name
            from access.card k join account a on a.id = k.account
            where k.id = %(card_id)s
            """,
            {"card_id": card_id},
        )
        return await cursor.fetchone()


async def owner_of_digest(conn: Connection, *, site_digest: bytes) -> OwnerRow | None:
    """Whose card in use has this digest."""
    async with conn.cursor(row_factory=class_row(OwnerRow)) as cursor:
        await cursor.execute(
            """
            select k.id as card_id, a.id as account_id, a.username, a.name
            from access.card k join account a on a.id = k.account
            where k.site_digest = %(site_digest)s and k.lost_at is null
            """,
            {"site_digest": site_digest},
        )
        return await cursor.fetchone()


async def insert_card(
    conn: Connection,
    *,
    account_id: int,
    credential_type: str,
    site_digest: bytes,
    label: str,
    actor_id: int | None,
) -> int | None:
    """Gives a card to somebody and returns its id; None when it is in use already."""
    async with conn.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(
            """
            insert into access.card (account, credential_type, site_digest, label, created_by)
            values (%(account_id)s, %(credential_type)s, %(site_digest)s, %(label)s, %(actor_id)s)
            on conflict (site_digest) where lost_at is null do nothing
            returning id
            """,
            {
                "account_id": account_id,
                "credential_type": credential_type,
                "site_digest": site_digest,
                "label": label,
                "actor_id": actor_id,
            },
        )
        found: int | None = await cursor.fetchone()
        return found


async def free_card_of_nobody(conn: Connection, *, site_digest: bytes) -> None:
    """Marks a card lost whose account was deleted, so that it can be given to somebody else."""
    await conn.execute(
        """
        update access.card k set lost_at = now()
        where k.site_digest = %(site_digest)s and k.lost_at is null
          and not exists (select from account a where a.id = k.account)
        """,
        {"site_digest": site_digest},
    )


async def mark_lost(conn: Connection, *, card_id: int, actor_id: int) -> None:
    """A card stops being anybody's key. Done before: nothing changes."""
    await conn.execute(
        """
        update access.card set lost_at = now(), lost_by = %(actor_id)s
        where id = %(card_id)s and lost_at is null
        """,
        {"card_id": card_id, "actor_id": actor_id},
    )


async def locked_label(conn: Connection, *, card_id: int) -> str | None:
    """A card's label, which nobody else changes until the transaction ends. None: no such card."""
    async with conn.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(
            "select label from access.card where id = %(card_id)s for no key update",
            {"card_id": card_id},
        )
        found: str | None = await cursor.fetchone()
        return found


async def set_label(conn: Connection, *, card_id: int, label: str) -> None:
    """Renames a card."""
    await conn.execute(
        "update access.card set label = %(label)s where id = %(card_id)s",
        {"card_id": card_id, "label": label},
    )


async def unknown_cards(conn: Connection, *, days: int, limit: int) -> list[UnknownCardRow]:
    """Cards that were tapped lately and that nobody uses, as unknown or lost; the latest first."""
    async with conn.cursor(row_factory=class_row(UnknownCardRow)) as cursor:
        await cursor.execute(
            """
            with tap as (
              select e.id, e.site_digest, e.point, e.credential_type,
                e.happened_at as seen_at
              from access.event e
              where e.site_digest is not null
                and e.received_at > now() - make_interval(days => %(days)s)
                and not exists (select from access.card k
                  where k.site_digest = e.site_digest and k.lost_at is null)
            ), latest as (
              select distinct on (site_digest) id, site_digest, point, credential_type, seen_at,
                count(*) over (partition by site_digest) as taps
              from tap
              order by site_digest, seen_at desc, id desc
            )
            select t.id as event_id, t.seen_at, coalesce(d.name, t.point) as door,
              t.credential_type, t.taps,
              (select coalesce(nullif(a.name, ''), a.username)
                from access.card k join account a on a.id = k.account
                where k.site_digest = t.site_digest and k.lost_at is not null
                order by k.lost_at desc limit 1) as was_of
            from latest t
            left join access.door d on d.key = t.point
            order by t.seen_at desc, t.id desc
            limit %(limit)s
            """,
            {"days": days, "limit": limit},
        )
        return await cursor.fetchall()


async def is_enrolled_at_some_door(conn: Connection) -> bool:
    """Whether there is a door where members enrol their first card."""
    cursor = await conn.execute(
        """
        select exists (select from access.door
                        where takes_first_cards and controller is not null and retired_at is null)
        """
    )
    row = await cursor.fetchone()
    return row is not None and bool(row[0])


async def seen_card(conn: Connection, *, event_id: int) -> SeenCardRow | None:
    """The card of a tap; whether somebody has it by now is for `assign`."""
    async with conn.cursor(row_factory=class_row(SeenCardRow)) as cursor:
        await cursor.execute(
            """
            select site_digest, credential_type
            from access.event
            where id = %(event_id)s and site_digest is not null
              and credential_type is not null
            """,
            {"event_id": event_id},
        )
        return await cursor.fetchone()
