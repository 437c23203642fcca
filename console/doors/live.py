"""Doors as a source of live updates: the state of each for everybody, the rest for admins.

Each place of a page waits for a message of its own: `door-KEY` for the state, `door-rights-KEY` and
`door-taps-KEY` for what admins see.
"""

from collections.abc import Sequence

import jinja2

from console.database import Database
from console.doors import queries
from console.doors.door import view
from console.events.at_place import told_at
from console.web import times
from console.web.live_hub import LiveMessage
from console.web.render import fragment_text
from console.web.routing import Who


class DoorStates:
    """The doors, sent whenever a controller reports something new or an event came in."""

    def __init__(self, database: Database, environment: jinja2.Environment) -> None:
        self._database = database
        self._environment = environment

    @property
    def channels(self) -> frozenset[str]:
        """Reports, taps, and changes of rights, after which a door is behind for an instant."""
        return frozenset({"access_report", "access_event", "access_changed"})

    async def messages(
        self, audience: Who, changed: frozenset[str] | None
    ) -> Sequence[LiveMessage]:
        """Every door, whatever changed: they are few. Raises: DatabaseUnavailable."""
        del changed
        messages: list[LiveMessage] = []
        async with self._database.reading() as conn:
            for row in await queries.doors(conn):
                door = view(row, times.now())
                messages.append(self._message("", "doors/state.html", door.key, door=door))
                if audience is Who.ADMIN:
                    happened = await told_at(conn, door.key, is_tool=False)
                    messages += [
                        self._message("rights-", "doors/rights.html", door.key, door=door),
                        self._message("taps-", "events/at_place.html", door.key, happened=happened),
                    ]
        return messages

    def _message(self, what: str, template: str, key: str, **context: object) -> LiveMessage:
        return LiveMessage(
            f"door-{what}{key}", fragment_text(self._environment, template, **context)
        )
