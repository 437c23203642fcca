"""The bar on every page: alarms and emergency states of doors and tools, while they last.

Decides what is urgent enough to stand everywhere, and who sees it: what a door or tool tells of
itself is for everybody, a controller that is silent for admins, who can do something about it.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from aiohttp import web
from msgspec import Struct

from console.controllers.shown import Shown
from console.database import Connection, Database
from console.doors import queries as door_queries
from console.doors.door import view as door_view
from console.errors import DatabaseUnavailable
from console.tools import page_queries as tool_queries
from console.tools.view import view as tool_view
from console.web import times
from console.web.live_hub import LiveFragment
from console.web.routing import Who

EVERY_SECONDS = 5.0
"""How old what a page shows may be; one that is live hears at once."""
SHOWN = 5


class Alarm(Struct, frozen=True):
    """Something urgent about a door or tool. `path`: of its page."""

    place: str
    path: str
    says: tuple[Shown, ...]
    is_for_admins: bool = False


class AlarmBar(Struct, frozen=True):
    """What the bar shows, and how many more there are. `links`: whether the pages may be seen."""

    alarms: Sequence[Alarm]
    more: int
    links: bool


class Alarms:
    """The alarms as a source of live updates, and as they were a moment ago. `run` must run."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._latest: Sequence[Alarm] = ()

    @property
    def channels(self) -> frozenset[str]:
        """What controllers report, and that one has fallen silent."""
        return frozenset({"access_report"})

    async def fragments(
        self, audience: Who, changed: frozenset[str] | None
    ) -> Sequence[LiveFragment]:
        """The whole bar, whatever changed. Raises: DatabaseUnavailable."""
        del changed
        await self._look()
        return [LiveFragment("alarms", "web/alarms.html", {"bar": self.bar(audience)})]

    def bar(self, audience: Who) -> AlarmBar:
        """As it was a few seconds ago, for MEMBER or ADMIN."""
        is_admin = audience is Who.ADMIN
        hers = [alarm for alarm in self._latest if is_admin or not alarm.is_for_admins]
        return AlarmBar(hers[:SHOWN], max(0, len(hers) - SHOWN), links=is_admin)

    async def run(self) -> None:
        """Looks again and again, until it is cancelled."""
        while True:
            with suppress(DatabaseUnavailable):  # whoever else needs it says so
                await self._look()
            await asyncio.sleep(EVERY_SECONDS)

    async def _look(self) -> None:
        async with self._database.reading() as conn:
            self._latest = await alarms(conn)


async def alarms(conn: Connection) -> list[Alarm]:
    """Those of doors, then those of tools."""
    now = times.now()
    found: list[Alarm] = []
    for door_row in await door_queries.doors(conn):
        door = door_view(door_row, now)
        found += _alarms(door.name, f"/doors/{door.key}", door.urgent, door.is_offline, door.state)
    for tool_row in await tool_queries.tool_rows(conn):
        tool = tool_view(tool_row, now)
        found += _alarms(tool.name, f"/tools/{tool.id}", tool.urgent, tool.is_offline, tool.state)
    return found


def _alarms(
    place: str, path: str, urgent: tuple[Shown, ...], is_offline: bool, state: Shown
) -> list[Alarm]:
    if urgent:
        return [Alarm(place, path, urgent)]
    return [Alarm(place, path, (state,), is_for_admins=True)] if is_offline else []


ALARMS = web.AppKey("alarms", Alarms)
