"""What somebody looks for in the log, and what of it she may see. Pure.

Whoever sees people sees what people did; what doors and controllers tell of themselves is for
admins.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from msgspec import Struct

from console.events.at_place import KINDS
from console.events.happenings import ASKED, GIVEN_BACK, TAKEN, is_of_people
from console.words import Text
from sync.events import EventKind


class Sort(StrEnum):
    """What is looked for."""

    ALL = ""
    REFUSED = "refused"
    OPENINGS = "openings"
    TROUBLE = "trouble"
    TOOLS = "tools"


SORTS: Mapping[Sort, Text] = MappingProxyType(
    {
        Sort.ALL: Text("Everything"),
        Sort.REFUSED: Text("What was refused"),
        Sort.OPENINGS: Text("Openings"),
        Sort.TROUBLE: Text("Alarms and faults"),
        Sort.TOOLS: Text("Tools"),
    }
)
_EVERY = (*KINDS, ASKED, TAKEN, GIVEN_BACK)
_KINDS: Mapping[Sort, tuple[str, ...]] = MappingProxyType(
    {
        Sort.ALL: _EVERY,
        Sort.REFUSED: (
            EventKind.ACCESS_DENIED,
            EventKind.ACCESS_WITHDRAWN,
            EventKind.COMMAND_REFUSED,
        ),
        Sort.OPENINGS: (
            EventKind.ACCESS_GRANTED,
            EventKind.COMMAND_EXECUTED,
            EventKind.UNLOCK_BEGAN,
            EventKind.UNLOCK_ENDED,
        ),
        Sort.TROUBLE: (
            EventKind.DOOR_FORCED,
            EventKind.DOOR_HELD_OPEN,
            EventKind.TAMPER_BEGAN,
            EventKind.TAMPER_ENDED,
            EventKind.FAULT_BEGAN,
            EventKind.FAULT_ENDED,
            EventKind.READER_FAULT,
            EventKind.STALENESS_CHANGED,
            EventKind.EVENTS_UNRECORDED,
        ),
        Sort.TOOLS: _EVERY,
    }
)


class Typed(Struct, frozen=True):
    """What stands in the form. `place`: the path of a door's or a tool's page."""

    place: str = ""
    person: str = ""
    sort: str = ""
    since: str = ""
    until: str = ""

    def parameters(self) -> Mapping[str, str]:
        """As they stand in an address, without the empty ones."""
        fields = {
            "place": self.place,
            "username": self.person,
            "sort": self.sort,
            "since": self.since,
            "until": self.until,
        }
        return {name: value for name, value in fields.items() if value}


def sorts_for(*, sees_all: bool) -> Mapping[Sort, Text]:
    """What may be chosen; for others than admins without what no person does."""
    return {
        sort: words
        for sort, words in SORTS.items()
        if any(map(is_of_people, kinds_of(sort, sees_all=sees_all)))
        or (sees_all and sort is Sort.TROUBLE)
    }


def kinds_of(sort: Sort, *, sees_all: bool) -> tuple[str, ...]:
    """The kinds of events that are meant, and may be seen."""
    return tuple(kind for kind in _KINDS[sort] if sees_all or is_of_people(kind))
