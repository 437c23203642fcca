"""What is asked of the tables of badges."""

from collections.abc import Collection
from datetime import datetime

from msgspec import Struct
from psycopg.rows import class_row, scalar_row

from console.badges.badge import Given, Kind
from console.database import Connection


class Award(Struct, frozen=True):
    """A badge that somebody has. `created_by` and `updated_by` are user names.

    `awarded_by_…` None: not known any more.
    """

    id: int
    created_at: datetime
    created_by: str
    updated_at: datetime
    updated_by: str
    account_id: int
    account_username: str
    awarded_by_id: int | None
    awarded_by_username: str | None
    description_id: int


class Description(Struct, frozen=True):
    """What a badge is for. `created_by` and `updated_by` are user names.

    All that may be None was not given. `certification_circle_id` None: anybody may award it.
    """

    id: int
    created_at: datetime
    created_by: str
    updated_at: datetime
    updated_by: str
    title: str
    description: str | None
    slug: str | None
    icon: str | None
    color: str | None
    certification_circle_id: int | None


async def awards(
    conn: Connection,
    *,
    accounts: Collection[int] | None = None,
    ids: Collection[int] | None = None,
    newest: int | None = None,
) -> list[Award]:
    """Badges that were awarded, by id; each None: whosever, whichever, however many.

    With `newest`, only so many, and the newest first.
    """
    async with conn.cursor(row_factory=class_row(Award)) as cursor:
        await cursor.execute(
            """
            select b.id, b.created_at, c.username as created_by, b.updated_at,
              u.username as updated_by, b.account as account_id, a.username as account_username,
              b.awarded_by as awarded_by_id, w.username as awarded_by_username,
              b.badge_description as description_id
            from account_badge b
            join account a on a.id = b.account
            join account c on c.id = b.created_by
            join account u on u.id = b.updated_by
            left join account w on w.id = b.awarded_by
            where (%(accounts)s::bigint[] is null or b.account = any(%(accounts)s::bigint[]))
              and (%(ids)s::bigint[] is null or b.id = any(%(ids)s::bigint[]))
            order by case when %(newest)s::int is not null then b.created_at end desc,
              case when %(newest)s::int is not null then b.id end desc, b.id
            limit %(newest)s
            """,
            {
                "accounts": None if accounts is None else list(accounts),
                "ids": None if ids is None else list(ids),
                "newest": newest,
            },
        )
        return await cursor.fetchall()


async def descriptions(conn: Connection) -> list[Description]:
    """What there are badges for, by id."""
    async with conn.cursor(row_factory=class_row(Description)) as cursor:
        await cursor.execute(
            """
            select d.id, d.created_at, c.username as created_by, d.updated_at,
              u.username as updated_by, d.title, d.description, d.slug, d.icon, d.color,
              d.certification_circle as certification_circle_id
            from badge_description d
            join account c on c.id = d.created_by
            join account u on u.id = d.updated_by
            order by d.id
            """
        )
        return await cursor.fetchall()


async def kind_called(conn: Connection, *, title: str) -> Kind | None:
    """What has exactly this title; the oldest, where there are several."""
    async with conn.cursor(row_factory=class_row(Kind)) as cursor:
        await cursor.execute(
            """
            select id as description_id, certification_circle as certification_circle_id
            from badge_description
            where title = %(title)s
            order by id
            limit 1
            """,
            {"title": title},
        )
        return await cursor.fetchone()


async def lock_titles(conn: Connection) -> None:
    """One at a time makes a new title, until its transaction ends."""
    # Any number does that nobody else uses.
    await conn.execute("select pg_advisory_xact_lock(7016207018)")


async def insert_description(conn: Connection, *, title: str, given: Given) -> int:
    """A new title, made by whoever awards it first; its id."""
    async with conn.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(
            """
            insert into badge_description (created_at, created_by, updated_at, updated_by, title)
            values (coalesce(%(at)s, now()), %(author)s, coalesce(%(at)s, now()), %(author)s,
              %(title)s)
            returning id
            """,
            {"at": given.at, "author": given.author, "title": title},
        )
        return int(await cursor.fetchone() or 0)


async def insert_award(conn: Connection, *, kind: Kind, given: Given) -> None:
    """Gives a badge, and says so in an event row: int1 the award, int2 the description."""
    await conn.execute(
        """
        with award as (
          insert into account_badge
            (created_at, created_by, updated_at, updated_by, account, badge_description, awarded_by)
          values (coalesce(%(at)s, now()), %(author)s, coalesce(%(at)s, now()), %(author)s, %(to)s,
            %(description)s, %(by)s)
          returning id, created_at
        )
        insert into event (created_at, created_by, domain, name, int1, int2)
        select created_at, %(author)s, 'badge', 'awarded', id, %(description)s from award
        """,
        {
            "at": given.at,
            "author": given.author,
            "to": given.to,
            "by": given.by,
            "description": kind.description_id,
        },
    )


async def delete_awards(conn: Connection, *, badge_id: int, account: int) -> None:
    """Takes the badge back from somebody, however often she was given it, and the event rows."""
    await conn.execute(
        """
        with award as (
          delete from account_badge
          where badge_description = %(badge_id)s and account = %(account)s
          returning id
        )
        delete from event
        where domain = 'badge' and name = 'awarded' and int1 in (select id from award)
        """,
        {"badge_id": badge_id, "account": account},
    )


async def delete_award(
    conn: Connection, *, title: str, account: int, by: int | None, at: datetime
) -> None:
    """Takes the badge back that somebody was given at this moment, and the event row of it."""
    await conn.execute(
        """
        with award as (
          delete from account_badge b
          using badge_description d
          where d.id = b.badge_description and d.title = %(title)s
            and b.account = %(account)s and b.awarded_by is not distinct from %(by)s
            and b.created_at = %(at)s
          returning b.id
        )
        delete from event
        where domain = 'badge' and name = 'awarded' and int1 in (select id from award)
        """,
        {"title": title, "account": account, "by": by, "at": at},
    )
