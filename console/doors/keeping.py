"""Makes, changes and retires doors, each in a transaction of the caller's."""

from collections.abc import Set as AbstractSet

from console.circles.queries import all_circles
from console.controllers import queries as controllers
from console.controllers.point_key_queries import point_named
from console.controllers.wording import NO_CONTROLLER, key_taken, still_retired
from console.database import Connection
from console.doors import changing_queries, queries
from console.doors.draft import Meant
from console.doors.driver import Driver
from console.rights import queries as rights
from console.web.mistakes import Mistaken
from console.web.versions import CHANGED_MEANWHILE
from console.words import Text
from sync.ids import ControllerId, PointKey

CIRCLES_MAX = 36
"""Of a new door: a form has at most 50 fields."""


async def door_as_it_is(conn: Connection, key: PointKey) -> Meant | None:
    """A door that is not retired; None: there is none."""
    rows = await queries.doors(conn, key=key)
    facts = await rights.doors(conn, key=key)
    if not rows or not facts:
        return None
    (row,), (door,) = rows, facts
    return Meant(
        key=door.key,
        name=row.name,
        driver=Driver(row.driver),
        controller=door.controller,
        topic=row.topic,
        open_seconds=door.open_seconds,
        demands=door.demands,
        hours=door.open_hours,
    )


async def make(conn: Connection, door: Meant, circles: AbstractSet[int]) -> Mistaken | None:
    """A new door; done as well when there is just this one already."""
    known = {row.circle_id for row in await all_circles(conn)}
    if not circles or circles - known:
        return Mistaken({"circles": Text("Choose the circles whose members may open it.")})
    if len(circles) > CIRCLES_MAX:
        return Mistaken({"circles": Text("A new door has at most {n} circles.", n=CIRCLES_MAX)})
    taken = await point_named(conn, key=door.key)
    if taken is not None:
        is_same = await door_as_it_is(conn, door.key) == door
        if is_same and await changing_queries.circles_of(conn, key=door.key) == circles:
            return None
        return Mistaken({"key": key_taken(taken)})
    if door.controller is not None and await controllers.is_retired(
        conn, controller=door.controller
    ):
        return Mistaken({"controller": NO_CONTROLLER})
    await queries.add_door(
        conn,
        key=door.key,
        name=door.name,
        controller=door.controller,
        open_seconds=door.open_seconds,
        circles=circles,
        driver=door.driver,
        topic=door.topic,
    )
    await _set(conn, door)
    return None


async def change(conn: Connection, door: Meant, *, version: str) -> Mistaken | None:
    """Changes a door whose row is locked, unless somebody changed it since `version`."""
    known = await door_as_it_is(conn, door.key)
    if known is None or known == door:
        return None
    if known.version != version:
        return Mistaken({"form": CHANGED_MEANWHILE})
    if door.controller not in {None, known.controller} and await controllers.is_retired(
        conn, controller=ControllerId(door.controller or "")
    ):
        return Mistaken({"controller": NO_CONTROLLER})
    await changing_queries.set_driver(
        conn,
        key=door.key,
        name=door.name,
        driver=door.driver,
        controller=door.controller,
        topic=door.topic,
    )
    await _set(conn, door)
    return None


async def retire(conn: Connection, key: PointKey) -> Mistaken | None:
    """Takes a door out of use; nothing happens to one that is."""
    await changing_queries.retire(conn, key=key)
    return None


async def bring_back(conn: Connection, key: PointKey) -> Mistaken | None:
    """Takes it into use again, as it was."""
    at = await changing_queries.controller_of(conn, key=key)
    if at is not None and await controllers.is_retired(conn, controller=at):
        return Mistaken({"form": still_retired(at)})
    await changing_queries.bring_back(conn, key=key)
    return None


async def _set(conn: Connection, door: Meant) -> None:
    await changing_queries.set_door(
        conn, key=door.key, demands=door.demands, open_seconds=door.open_seconds
    )
    await changing_queries.set_hours(conn, key=door.key, hours=door.hours)
