"""`p2k16-console doors set`: what holds for a door, and when it stands open."""

from msgspec import Struct

from console.database import Database, at_prompt
from console.doors import changing_queries as queries
from console.doors.facts import OPEN_SECONDS_MAX
from console.errors import BadRequest
from console.rights import demanding, weekly_hours
from console.rights.demanding import NOTHING_GIVEN, Given
from console.rights.facts import Door, WeeklyHours
from console.rights.queries import doors
from sync.ids import PointKey

NO_HOURS = "none"


class DoorChange(Struct, frozen=True):
    """What `doors set` was given. None: that option wasn't. `open_hours`: a text, or `none`."""

    key: str
    given: Given = NOTHING_GIVEN
    open_seconds: int | None = None
    open_hours: str | None = None


async def change_door(database: Database, change: DoorChange) -> Door:
    """Changes the door; gives it as it is now.

    Raises: BadRequest naming every mistake; DatabaseUnavailable.
    """
    if change == DoorChange(change.key):
        raise BadRequest("nothing to set: give at least one option")
    wrong = demanding.mistakes(change.given)
    hours = _hours(change.open_hours)
    if isinstance(hours, str):
        wrong.append(f"--open-hours: {hours}")
    if change.open_seconds is not None and not 1 <= change.open_seconds <= OPEN_SECONDS_MAX:
        wrong.append(f"--open-seconds: 1 to {OPEN_SECONDS_MAX}")
    if isinstance(hours, str) or wrong:
        raise BadRequest("; ".join(wrong))
    key = PointKey(change.key)
    async with database.writing(by=at_prompt("doors set")) as conn:
        if not await queries.lock_door(conn, key=key):
            raise BadRequest(f"there is no door with the key {key}")
        (door,) = await doors(conn, key=key)
        if door.controller is None and (change.given != NOTHING_GIVEN or hours is not None):
            raise BadRequest(
                f"no controller of ours moves the door {key}: only --open-seconds can be set"
            )
        demands = demanding.changed(door.demands, change.given)
        if isinstance(demands, str):
            raise BadRequest(demands)
        await queries.set_door(
            conn, key=key, demands=demands, open_seconds=change.open_seconds or door.open_seconds
        )
        if hours is not None:
            await queries.set_hours(conn, key=key, hours=hours)
        (door,) = await doors(conn, key=key)
        return door


def _hours(text: str | None) -> tuple[WeeklyHours, ...] | str | None:
    """None: they stay as they are. A text: what is wrong."""
    if text is None:
        return None
    return () if text.strip().lower() == NO_HOURS else weekly_hours.read(text)
