"""Doors as a source of live updates: the state of each for everybody, the rest for admins.

Each place of a page waits for a message of its own: `door-KEY` for the state, `door-rights-KEY` and
`door-taps-KEY` for what admins see.
"""

from collections.abc import Sequence

from console.database import Database
from console.doors import queries
from console.doors.door import view
from console.events.at_place import told_at
from console.web import times
from console.web.live_hub import LiveFragment
from console.web.routing import Who


class DoorStates:
    """The doors, sent whenever a controller reports something new or an event came in."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def channels(self) -> frozenset[str]:
        """Reports, taps, and changes of rights, after which a door is behind for an instant."""
        return frozenset({"access_report", "access_event", "access_changed"})

    async def fragments(
        self, audience: Who, changed: frozenset[str] | None
    ) -> Sequence[LiveFragment]:
        """Every door, whatever changed: they are few. Raises: DatabaseUnavailable."""
        del changed
        fragments: list[LiveFragment] = []
        async with self._database.reading() as conn:
            for row in await queries.doors(conn):
                door = view(row, times.now())
                fragments.append(_fragment("", "doors/state.html", door.key, door=door))
                if audience is Who.ADMIN:
                    happened = await told_at(conn, door.key, is_tool=False)
                    fragments += [
                        _fragment("rights-", "doors/rights.html", door.key, door=door),
                        _fragment("taps-", "events/at_place.html", door.key, happened=happened),
                    ]
        return fragments


def _fragment(what: str, template: str, key: str, **context: object) -> LiveFragment:
    return LiveFragment(f"door-{what}{key}", template, context)
