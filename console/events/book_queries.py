"""SQL of what the old web app's table `event` tells: who opened, got or took what.

The table has no index by time. Its ids rise with every row that is written, so only so many of the
latest rows are looked at: far more than a space writes in the time that is asked for.
"""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from psycopg.rows import class_row

from console.database import Connection

LOOKED_AT = 10_000


class BookRow(Struct, frozen=True):
    """An event. What `number` and `text` are depends on it: an award's id; a door's key, a tool."""

    created_at: datetime
    created_by: int
    username: str
    domain: str
    name: str | None
    number: int | None
    text: str | None


async def openings_and_badges(conn: Connection, *, hours: int, limit: int) -> list[BookRow]:
    """Doors that were opened and badges that were awarded, the newest first.

    Without badges that have been taken back.
    """
    async with conn.cursor(row_factory=class_row(BookRow)) as cursor:
        await cursor.execute(
            """
            with latest as (
              select id, created_at, created_by, domain, name, int1, text1
              from event
              order by id desc
              limit %(looked_at)s
            )
            select e.created_at, e.created_by, a.username, e.domain, e.name, e.int1 as number,
              e.text1 as text
            from latest e
            join account a on a.id = e.created_by
            where e.created_at > now() - make_interval(hours => %(hours)s)
              and ((e.domain = 'door' and e.name = 'open')
                or (e.domain = 'badge'
                  and exists (select from account_badge b where b.id = e.int1)))
            order by e.created_at desc, e.id desc
            limit %(limit)s
            """,
            {"hours": hours, "limit": limit, "looked_at": LOOKED_AT},
        )
        return await cursor.fetchall()


async def tool_events(conn: Connection, *, days: int, limit: int) -> list[BookRow]:
    """Tools that were taken and given back, the newest first."""
    async with conn.cursor(row_factory=class_row(BookRow)) as cursor:
        await cursor.execute(
            """
            with latest as (
              select id, created_at, created_by, domain, name, text1
              from event
              order by id desc
              limit %(looked_at)s
            )
            select e.created_at, e.created_by, a.username, e.domain, e.name, null::int as number,
              e.text1 as text
            from latest e
            join account a on a.id = e.created_by
            where e.created_at > now() - make_interval(days => %(days)s) and e.domain = 'tool'
            order by e.created_at desc, e.id desc
            limit %(limit)s
            """,
            {"days": days, "limit": limit, "looked_at": LOOKED_AT},
        )
        return await cursor.fetchall()


async def visitors(
    conn: Connection, *, starts: Sequence[datetime], ends: Sequence[datetime]
) -> dict[datetime, int]:
    """How many people opened a door in each of these periods, by its start; absent: nobody."""
    cursor = await conn.execute(
        """
        with latest as (
          select created_at, created_by, domain, name from event order by id desc
          limit %(looked_at)s
        )
        select p.starts, count(distinct e.created_by)
        from unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[]) as p (starts, ends)
        join latest e on e.created_at >= p.starts and e.created_at < p.ends
        where e.domain = 'door' and e.name = 'open'
        group by p.starts
        """,
        {"starts": list(starts), "ends": list(ends), "looked_at": LOOKED_AT},
    )
    return {row[0]: int(row[1]) for row in await cursor.fetchall()}
