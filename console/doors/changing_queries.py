"""SQL of changing a door."""

from collections.abc import Sequence, Set

from console.database import Connection
from console.rights.facts import Demands, WeeklyHours
from sync.ids import PointKey


async def lock_door(conn: Connection, *, key: PointKey) -> bool:
    """Nobody else changes the door before the transaction ends; False: there is none."""
    cursor = await conn.execute(
        "select from access.door where key = %(key)s for update", {"key": key}
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
