"""`p2k16-console doors add`: a door, made at the server's prompt."""

from collections.abc import Sequence
from dataclasses import dataclass

from console.controllers import queries as controllers
from console.controllers.point_key_queries import point_named
from console.database import Connection, Database, at_prompt
from console.doors import queries
from console.doors.driver import Driver
from console.errors import BadRequest
from sync.errors import WireError
from sync.ids import ControllerId, PointKey, controller_id, point_key

OPEN_SECONDS_MAX = 300
NAME_CHARACTERS_MAX = 100
TOPIC_CHARACTERS_MAX = 100


@dataclass(frozen=True, slots=True)
class NewDoor:
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
            raise BadRequest(f"the key {door.key} is taken already: {taken}")
        at = None if door.controller is None else ControllerId(door.controller)
        if at is not None:
            await controllers.add_controller(conn, controller=at)
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
    wrong: list[str] = []
    try:
        point_key(door.key)
    except WireError as error:
        wrong.append(f"KEY: {error}")
    if not 1 <= len(door.name.strip()) <= NAME_CHARACTERS_MAX or not door.name.isprintable():
        wrong.append(f"--name: 1 to {NAME_CHARACTERS_MAX} characters")
    if not 1 <= door.open_seconds <= OPEN_SECONDS_MAX:
        wrong.append(f"--open-seconds: 1 to {OPEN_SECONDS_MAX}")
    if door.driver not in set(Driver):
        wrong.append(f"--driver: {', '.join(Driver)}")
        return wrong
    return wrong + _driver_mistakes(door)


def _driver_mistakes(door: NewDoor) -> list[str]:
    wrong: list[str] = []
    if door.driver == Driver.CONTROLLER:
        if door.controller is None:
            wrong.append("--controller: a door with --driver controller needs one")
    elif door.controller is not None:
        wrong.append(f"--controller: a door with --driver {door.driver} has none")
    if door.controller is not None:
        try:
            controller_id(door.controller)
        except WireError as error:
            wrong.append(f"--controller: {error}")
    if door.driver != Driver.MQTT:
        if door.topic is not None:
            wrong.append(f"--topic: a door with --driver {door.driver} has none")
    elif door.topic is None:
        wrong.append("--topic: a door with --driver mqtt needs one")
    elif not is_topic(door.topic):
        wrong.append(f"--topic: 1 to {TOPIC_CHARACTERS_MAX} characters without + and #")
    return wrong


def is_topic(text: str) -> bool:
    """Whether it can stand at the end of an MQTT topic."""
    return (
        1 <= len(text) <= TOPIC_CHARACTERS_MAX
        and text.isprintable()
        and not any(wildcard in text for wildcard in "+#")
    )


async def _is_enrolled(conn: Connection, controller: ControllerId) -> bool:
    row = await controllers.controller(conn, controller=controller)
    return row is not None and row.enrolled_at is not None
