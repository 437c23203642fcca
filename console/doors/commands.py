"""`p2k16-console doors add`: a door, made at the server's prompt."""

from collections.abc import Sequence

from msgspec import Struct

from console.controllers import queries as controllers
from console.controllers.point_key_queries import point_named
from console.database import Connection, Database, at_prompt
from console.doors import queries
from console.doors.driver import Driver
from console.doors.facts import door_mistakes
from console.errors import BadRequest
from sync.ids import ControllerId, PointKey

_OPTIONS = {
    "key": "KEY",
    "name": "--name",
    "open_seconds": "--open-seconds",
    "driver": "--driver",
    "controller": "--controller",
    "topic": "--topic",
}


class NewDoor(Struct, frozen=True):
    """What `doors add` was given. `driver` is the name of one; None: that option wasn't given."""

    key: str
    name: str
    circles: Sequence[str]
    open_seconds: int
    driver: str = Driver.CONTROLLER
    controller: str | None = None
    topic: str | None = None


async def add_door(database: Database, door: NewDoor) -> bool:
    """Makes a door, and its controller where there is none yet.

    Gives whether it can be opened as it is: False where its controller has no bundle yet.
    Raises: BadRequest naming every mistake; DatabaseUnavailable.
    """
    wrong = mistakes(door)
    async with database.writing(by=at_prompt("doors add")) as conn:
        found = await queries.circle_ids(conn, names=door.circles)
        wrong += [f"no such circle: {circle}" for circle in door.circles if circle not in found]
        if wrong:
            raise BadRequest("; ".join(wrong))
        taken = await point_named(conn, key=PointKey(door.key))
        if taken is not None:
            raise BadRequest(f"the key {door.key} is taken already: {taken.words}")
        at = None if door.controller is None else ControllerId(door.controller)
        if at is not None:
            await controllers.add_controller(conn, controller=at)
            if await controllers.is_retired(conn, controller=at):
                raise BadRequest(f"the controller {at} is retired: enrol it again first")
        is_new = await queries.add_door(
            conn,
            key=PointKey(door.key),
            name=door.name.strip(),
            controller=at,
            open_seconds=door.open_seconds,
            circles=set(found.values()),
            driver=Driver(door.driver),
            topic=door.topic,
        )
        if not is_new:
            raise BadRequest(f"there is a door with the key {door.key} already")
        return at is None or await _is_enrolled(conn, at)


def mistakes(door: NewDoor) -> list[str]:
    """What is wrong with it, as far as can be told without a database."""
    wrong = door_mistakes(
        key=door.key,
        name=door.name,
        open_seconds=door.open_seconds,
        driver=door.driver,
        controller=door.controller,
        topic=door.topic,
    )
    return [f"{_OPTIONS[field]}: {words}" for field, words in wrong.items()]


async def _is_enrolled(conn: Connection, controller: ControllerId) -> bool:
    row = await controllers.controller(conn, controller=controller)
    return row is not None and row.enrolled_at is not None
