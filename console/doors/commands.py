"""`p2k16-console doors add`: a door, made at the server's prompt."""

from collections.abc import Sequence
from dataclasses import dataclass

from console.controllers import queries as controllers
from console.database import Database
from console.doors import queries
from console.errors import BadRequest
from sync.errors import WireError
from sync.ids import controller_id, point_key

OPEN_SECONDS_MAX = 300
NAME_CHARACTERS_MAX = 100


@dataclass(frozen=True, slots=True)
class Added:
    """`is_enrolled`: whether the door's controller has its bundle already."""

    controller: str
    is_enrolled: bool


async def add_door(
    database: Database,
    *,
    key: str,
    name: str,
    circles: Sequence[str],
    controller: str,
    open_seconds: int,
) -> Added:
    """Makes a door, and its controller where there is none yet.

    Raises: BadRequest naming every mistake; DatabaseUnavailable.
    """
    wrong: list[str] = []
    try:
        door, at = point_key(key), controller_id(controller)
    except WireError as error:
        raise BadRequest(str(error)) from error
    if not 1 <= len(name.strip()) <= NAME_CHARACTERS_MAX or not name.isprintable():
        wrong.append(f"--name: 1 to {NAME_CHARACTERS_MAX} characters")
    if not 1 <= open_seconds <= OPEN_SECONDS_MAX:
        wrong.append(f"--open-seconds: 1 to {OPEN_SECONDS_MAX}")
    async with database.writing() as conn:
        found = await queries.circle_ids(conn, names=circles)
        wrong += [f"no such circle: {circle}" for circle in circles if circle not in found]
        if wrong:
            raise BadRequest("; ".join(wrong))
        await controllers.add_controller(conn, controller=at)
        is_new = await queries.add_door(
            conn,
            key=door,
            name=name.strip(),
            controller=at,
            open_seconds=open_seconds,
            circles=set(found.values()),
        )
        if not is_new:
            raise BadRequest(f"there is a door with the key {key} already")
        row = await controllers.controller(conn, controller=at)
    return Added(controller, row is not None and row.enrolled_at is not None)
