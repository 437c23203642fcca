"""The list "what happens now": which events it shows to whom, in words, first and live.

Members see who opened which door. Who was refused, and why, is for admins.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from types import MappingProxyType

import jinja2

from console.database import Connection, Database
from console.events import queries
from console.events.queries import RecentRow
from console.events.wording import sentences
from console.web import times
from console.web.live_hub import LiveMessage
from console.web.render import fragment_text
from console.web.routing import Who
from sync.events import EventKind

SHOWN = 25

KINDS: Mapping[Who, tuple[EventKind, ...]] = MappingProxyType(
    {
        Who.MEMBER: (EventKind.ACCESS_GRANTED, EventKind.COMMAND_EXECUTED),
        Who.ADMIN: (
            EventKind.ACCESS_GRANTED,
            EventKind.COMMAND_EXECUTED,
            EventKind.ACCESS_DENIED,
            EventKind.ACCESS_WITHDRAWN,
        ),
    }
)
"""What each audience sees."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the list. `account_id` None: nobody we know. `note`: a second, quieter line."""

    event_id: int
    at: datetime
    is_late: bool
    is_yes: bool
    account_id: int | None
    who: str
    did: str
    note: str


@dataclass(frozen=True, slots=True)
class Day:
    """A day's lines under one heading."""

    name: str
    lines: Sequence[Line]


async def recent_days(conn: Connection, audience: Who) -> list[Day]:
    """The list as this audience may see it."""
    rows = await queries.recent_events(conn, kinds=KINDS[audience], limit=SHOWN)
    now = times.now()

    def day_of(line: Line) -> str:
        return times.day_and_time(line.at, now).rpartition(" ")[0]

    return [Day(name, tuple(lines)) for name, lines in groupby(map(line, rows), day_of)]


def line(row: RecentRow) -> Line:
    """An event in words."""
    who = row.name or row.username
    door = row.door or "a door"
    note = ""
    match row.kind:
        case EventKind.ACCESS_GRANTED:
            is_yes, did = True, f"opened {door}"
        case EventKind.COMMAND_EXECUTED:
            is_yes, did = True, f"opened {door} from the console"
        case EventKind.ACCESS_WITHDRAWN:
            is_yes, did = False, f"was let in at {door}, but the door did not open"
            note = sentences(row.reason, is_known_person=row.account_id is not None)
        case _:
            is_yes, did = False, f"was refused at {door}"
            note = sentences(row.reason, is_known_person=row.account_id is not None)
    if row.card_label and not is_yes:
        note = f"{note} Card “{row.card_label}”."
    return Line(
        event_id=row.event_id,
        at=row.at,
        is_late=not row.clock_trusted,
        is_yes=is_yes,
        account_id=row.account_id,
        who=who or ("Somebody" if is_yes else "An unknown card"),
        did=did,
        note=note,
    )


class RecentEvents:
    """The list as a source of live updates: it is sent whole, so it can't miss or double a line."""

    def __init__(self, database: Database, environment: jinja2.Environment) -> None:
        self._database = database
        self._environment = environment

    @property
    def channels(self) -> frozenset[str]:
        """An event that came in; a name that was changed comes with the next one."""
        return frozenset({"access_event"})

    async def messages(
        self, audience: Who, changed: frozenset[str] | None
    ) -> Sequence[LiveMessage]:
        """The list, whatever changed. Raises: DatabaseUnavailable."""
        del changed
        async with self._database.reading() as conn:
            days = await recent_days(conn, audience)
        text = fragment_text(
            self._environment, "events/recent.html", days=days, is_admin=audience is Who.ADMIN
        )
        return [LiveMessage("recent", text)]
