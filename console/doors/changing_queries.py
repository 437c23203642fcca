"""SQL of changing a door."""

from collections.abc import Sequence, Set
from datetime import datetime

from msgspec import Struct
from psycopg.rows import class_row
from psycopg.sql import SQL

from console.database import Connection
from console.doors.driver import Driver
from console.rights.facts import Demands, WeeklyHours
from sync.ids import ControllerId, PointKey


async def lock_door(conn: Connection, *, key: PointKey) -> bool:
    """Nobody else changes the door before the transaction ends; False: there is none."""
    cursor = await conn.execute(
        "select from access.door where key = %(key)s and retired_at is null for update",
        {"key": key},
    )
    return cursor.rowcount == 1


async def circles_of(conn: Connection, *, key: PointKey) -> frozenset[int]:
    """Whose members may open the door; also circles that don't exist any more."""
    cursor = await conn.execute(
        "select circle from access.door_circle where door = %(key)s", {"key": key}
    )
    return frozenset([int(row[0]) for row in await cursor.fetchall()])


async def set_circles(conn: Connection, *, key: PointKey, circles: Set[int]) -> None:
    """These, instead of those that it had. Rows that stay are left alone."""
    values = {"key": key, "circles": list(circles)}
    await conn.execute(
        """
        delete from access.door_circle
         where door = %(key)s and circle <> all(%(circles)s::bigint[])
        """,
        values,
    )
    await conn.execute(
        """
        insert into access.door_circle (door, circle)
        select %(key)s, circle from unnest(%(circles)s::bigint[]) as given (circle)
        on conflict do nothing
        """,
        values,
    )


async def set_door(conn: Connection, *, key: PointKey, demands: Demands, open_seconds: int) -> None:
    """What it demands, and for how long it is unlocked."""
    await conn.execute(
        """
        update access.door
           set soft_seconds = %(soft_seconds)s, hard_seconds = %(hard_seconds)s,
               requires_fresh = %(requires_fresh)s, min_assurance = %(min_assurance)s,
               open_seconds = %(open_seconds)s
         where key = %(key)s
        """,
        {
            "key": key,
            "soft_seconds": demands.soft_seconds,
            "hard_seconds": demands.hard_seconds,
            "requires_fresh": demands.requires_fresh,
            "min_assurance": int(demands.min_assurance),
            "open_seconds": open_seconds,
        },
    )


async def set_hours(conn: Connection, *, key: PointKey, hours: Sequence[WeeklyHours]) -> None:
    """When it stands open, instead of what was set before; what stays the same isn't touched."""
    given = {
        "key": key,
        "weekdays": [each.weekday for each in hours],
        "opens": [each.opens_minute for each in hours],
        "closes": [each.closes_minute for each in hours],
    }
    await conn.execute(
        """
        delete from access.open_hours
        where door = %(key)s and (weekday, opens_minute, closes_minute) not in (
          select *
            from unnest(%(weekdays)s::smallint[], %(opens)s::smallint[], %(closes)s::smallint[]))
        """,
        given,
    )
    await conn.execute(
        """
        insert into access.open_hours (door, weekday, opens_minute, closes_minute)
        select %(key)s, given.*
          from unnest(%(weekdays)s::smallint[], %(opens)s::smallint[], %(closes)s::smallint[])
            as given
        on conflict do nothing
        """,
        given,
    )


async def set_driver(
    conn: Connection,
    *,
    key: PointKey,
    name: str,
    driver: Driver,
    controller: ControllerId | None,
    topic: str | None,
) -> None:
    """What it is called, and what moves it."""
    await conn.execute(
        """
        update access.door
           set name = %(name)s, driver = %(driver)s, controller = %(controller)s,
               topic = %(topic)s
         where key = %(key)s
        """,
        {"key": key, "name": name, "driver": driver, "controller": controller, "topic": topic},
    )


async def retire(conn: Connection, *, key: PointKey) -> None:
    """From now on it is in no rights and on no page."""
    await conn.execute(
        "update access.door set retired_at = now() where key = %(key)s and retired_at is null",
        {"key": key},
    )


async def bring_back(conn: Connection, *, key: PointKey) -> None:
    """From now on it is as any other."""
    await conn.execute(
        """
        update access.door set retired_at = null
         where key = %(key)s and retired_at is not null
        """,
        {"key": key},
    )


async def controller_of(conn: Connection, *, key: PointKey) -> ControllerId | None:
    """Where a door hangs, also a retired one; None: nowhere."""
    cursor = await conn.execute(
        "select controller from access.door where key = %(key)s", {"key": key}
    )
    row = await cursor.fetchone()
    return None if row is None or row[0] is None else ControllerId(row[0])


class RetiredRow(Struct, frozen=True):
    """A door that is out of use."""

    key: str
    name: str
    retired_at: datetime


async def retired(
    conn: Connection, *, limit: int, key: PointKey | None = None, is_locking: bool = False
) -> list[RetiredRow]:
    """Those that are out of use, by name, or the one; with a lock, nobody else changes it."""
    lock = SQL("for update") if is_locking else SQL("")
    async with conn.cursor(row_factory=class_row(RetiredRow)) as cursor:
        await cursor.execute(
            SQL(
                """
                select key, name, retired_at
                  from access.door
                 where retired_at is not null and (%(key)s::text is null or key = %(key)s)
                 order by access.alphabetic(name), key
                 limit %(limit)s
                {lock}
                """
            ).format(lock=lock),
            {"key": key, "limit": limit},
        )
        return await cursor.fetchall()
