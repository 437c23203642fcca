"""The bar on every page: alarms and emergency states of doors and tools, while they last, and those
that are over until an admin has looked into them.

Decides what is urgent enough to stand everywhere, and who sees it: what a door or tool tells of
itself is for everybody. A controller that is silent, and alarms of before, are for admins, who can
do something about it. Which alarms of before there are is `console/events/past_alarms.py`'s.
"""

import asyncio
from collections.abc import Mapping, Sequence, Set
from contextlib import suppress
from datetime import datetime

from aiohttp import web
from msgspec import Struct

from console.controllers.shown import Shown
from console.database import Connection, Database
from console.doors import queries as door_queries
from console.doors.door import view as door_view
from console.errors import DatabaseUnavailable
from console.events.past_alarm_queries import WaitingRow, waiting
from console.events.past_alarms import lasts, told
from console.tools import page_queries as tool_queries
from console.tools.view import view as tool_view
from console.web import times
from console.web.live_hub import LiveFragment
from console.web.routing import Who
from console.words import Text

EVERY_SECONDS = 5.0
"""How old what a page shows may be; one that is live hears at once."""
SHOWN = 3
"""So many are told on a page, which stays in view on a phone; the rest are counted."""


class Alarm(Struct, frozen=True):
    """Something urgent about a door or tool. `path`: of its page; None: it has none any more.

    `is_past`: it is over, and stays until somebody has looked into it.
    """

    place: str
    path: str | None
    says: tuple[Shown, ...]
    is_for_admins: bool = False
    is_past: bool = False


class Waiting(Struct, frozen=True):
    """Alarms that nobody has looked into, in words. `is_lasting`: the last of them isn't over."""

    row: WaitingRow
    says: Text
    is_lasting: bool


class AlarmBar(Struct, frozen=True):
    """What the bar shows, and how many more there are. `links`: whether the pages may be seen."""

    alarms: Sequence[Alarm]
    more: int
    links: bool


class Alarms:
    """The alarms as a source of live updates, and as they were a moment ago. `run` must run."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._places: Sequence[PlaceNow] = ()
        self._latest: Sequence[Alarm] = ()
        self._looking = asyncio.Lock()  # what was seen earlier never comes after what is newer

    @property
    def channels(self) -> frozenset[str]:
        """What controllers report, that one has fallen silent, events, and looks into alarms."""
        return frozenset({"access_report", "access_event", "access_looked"})

    async def fragments(
        self, audience: Who, changed: frozenset[str] | None
    ) -> Sequence[LiveFragment]:
        """The whole bar, whatever changed. Raises: DatabaseUnavailable.

        Where there was nothing but events, whose hints are numbers, the places are as they were.
        """
        if changed and all(hint.isdigit() for hint in changed):
            async with self._looking, self._database.reading() as conn:
                await self._look_back(conn)
        else:
            await self.look()
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
                await self.look()
            await asyncio.sleep(EVERY_SECONDS)

    async def look(self) -> None:
        """Sees what is so now. Raises: DatabaseUnavailable."""
        async with self._looking, self._database.reading() as conn:
            self._places = await places_now(conn, times.now())
            await self._look_back(conn)

    async def _look_back(self, conn: Connection) -> None:
        """Puts what is over behind what isn't."""
        places = self._places
        past = await waiting_alarms(conn, places, times.now())
        self._latest = [
            *(alarm for place in places for alarm in place.alarms),
            *(_past(one) for one in past if not one.is_lasting),
        ]


class PlaceNow(Struct, frozen=True):
    """A door or tool. `key` None: no controller has it. `reported`: as in `PointView`."""

    key: str | None
    alarms: Sequence[Alarm]
    reported: Set[str]


async def places_now(conn: Connection, now: datetime) -> list[PlaceNow]:
    """All doors, then all tools, as they are."""
    places: list[PlaceNow] = []
    for door_row in await door_queries.doors(conn):
        door = door_view(door_row, now)
        found = _alarms(door.name, f"/doors/{door.key}", door.urgent, door.is_offline, door.state)
        places.append(PlaceNow(door.key, found, door.reported))
    for tool_row in await tool_queries.tool_rows(conn):
        tool = tool_view(tool_row, now)
        found = _alarms(tool.name, f"/tools/{tool.id}", tool.urgent, tool.is_offline, tool.state)
        places.append(PlaceNow(tool.key, found, tool.reported))
    return places


async def waiting_alarms(
    conn: Connection, places: Sequence[PlaceNow], now: datetime
) -> list[Waiting]:
    """What nobody has looked into, the latest first."""
    reported: Mapping[str | None, Set[str]] = {place.key: place.reported for place in places}
    return [
        Waiting(
            row,
            told(row.key, alarms=row.alarms, last_at=row.last_at, now=now),
            lasts(row.key, reported.get(row.point, frozenset())),
        )
        for row in await waiting(conn)
    ]


def _past(one: Waiting) -> Alarm:
    says = (Shown(one.says, "alert", "bad"),)
    return Alarm(one.row.place, one.row.path, says, is_for_admins=True, is_past=True)


def _alarms(
    place: str, path: str, urgent: tuple[Shown, ...], is_offline: bool, state: Shown
) -> list[Alarm]:
    if urgent:
        return [Alarm(place, path, urgent)]
    return [Alarm(place, path, (state,), is_for_admins=True)] if is_offline else []


ALARMS = web.AppKey("alarms", Alarms)
