"""The list "what happens now": which events it shows to whom, in words, first and live.

Members see who opened which door and used which tool. Who was refused, and why, and what is wrong
with a door, is for admins.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from types import MappingProxyType

from msgspec import Struct

from console.database import Connection, Database
from console.events import queries
from console.events.happenings import TAPS, Happening, sentence
from console.events.queries import RecentRow
from console.web import times
from console.web.live_hub import LiveFragment
from console.web.routing import Who
from console.words import Text
from sync.events import EventKind

SHOWN = 25

FOR_EVERYBODY = (
    EventKind.ACCESS_GRANTED,
    EventKind.COMMAND_EXECUTED,
    EventKind.UNLOCK_BEGAN,
    EventKind.UNLOCK_ENDED,
    EventKind.TOOL_RELEASED,
)
KINDS: Mapping[Who, tuple[EventKind, ...]] = MappingProxyType(
    {
        Who.MEMBER: FOR_EVERYBODY,
        Who.FRONT_DESK: FOR_EVERYBODY,
        Who.ADMIN: (
            *FOR_EVERYBODY,
            EventKind.ACCESS_DENIED,
            EventKind.ACCESS_WITHDRAWN,
            EventKind.DOOR_FORCED,
            EventKind.DOOR_HELD_OPEN,
            EventKind.TAMPER_BEGAN,
            EventKind.TAMPER_ENDED,
            EventKind.FAULT_BEGAN,
            EventKind.FAULT_ENDED,
            EventKind.EVENTS_UNRECORDED,
        ),
    }
)
"""What each audience sees."""
NO_DETAILS: Mapping[int, str] = MappingProxyType({})


class Line(Struct, frozen=True):
    """One line of the list. `account_id` None: nobody we know. `note`: a second, quieter line.

    `is_tap`: of a card, which has a page that explains it.
    """

    event_id: int
    at: datetime
    is_late: bool
    is_yes: bool
    account_id: int | None
    who: str
    did: str
    note: str
    is_tap: bool = False


class Day(Struct, frozen=True):
    """A day's lines under one heading."""

    name: str
    lines: Sequence[Line]


async def recent_days(conn: Connection, audience: Who) -> list[Day]:
    """The list as this audience may see it."""
    return days_of(await queries.recent_events(conn, kinds=KINDS[audience], limit=SHOWN))


def days_of(rows: Sequence[RecentRow], details: Mapping[int, str] = NO_DETAILS) -> list[Day]:
    """Events, the newest first, below the names of their days.

    `details`: by an event's id, what is told of it where nothing else is.
    """
    now = times.now()
    lines = [line(row, details.get(row.event_id, "")) for row in rows]

    def day_of(line: Line) -> str:
        return times.day_name(line.at, now)

    return [Day(name, tuple(same)) for name, same in groupby(lines, day_of)]


def line(row: RecentRow, detail: str = "") -> Line:
    """An event in words."""
    who = row.name or row.username
    happening = Happening(
        row.kind, who, row.reason, row.operation, is_tool=row.is_tool, was_lost=row.was_lost
    )
    told = sentence(happening, row.place or Text("a controller"))
    note: str = told.note or detail
    if row.card_label and not told.is_yes:
        note = Text.joined([note, Text("Card “{label}”.", label=row.card_label)])
    return Line(
        event_id=row.event_id,
        at=row.at,
        is_late=not row.clock_trusted,
        is_yes=told.is_yes,
        account_id=row.account_id if told.is_person else None,
        who=told.who,
        did=told.did,
        note=note,
        is_tap=row.kind in TAPS and row.operation is None,
    )


class RecentEvents:
    """The list as a source of live updates: it is sent whole, so it can't miss or double a line."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def channels(self) -> frozenset[str]:
        """An event that came in; a name that was changed comes with the next one."""
        return frozenset({"access_event"})

    async def fragments(
        self, audience: Who, changed: frozenset[str] | None
    ) -> Sequence[LiveFragment]:
        """The list, whatever changed. Raises: DatabaseUnavailable."""
        del changed
        async with self._database.reading() as conn:
            days = await recent_days(conn, audience)
        context = {"days": days, "explains": audience is Who.ADMIN}
        return [LiveFragment("recent", "events/recent.html", context)]
