"""Alarms that are over by themselves, until somebody has looked into them. Pure.

Decides which events are such alarms, what is said of them, and by which states of its door or tool
one still lasts. Several of one kind at one place are one line.
"""

from collections.abc import Mapping, Set
from datetime import datetime
from types import MappingProxyType

from msgspec import Struct

from console.web import times
from console.words import Text
from sync.events import EventKind
from sync.rights import Reason

LOOKED_BACK_DAYS = 30
"""What the console got to know of earlier is not asked about any more."""
HELD_MINUTES = 15
"""A door that was held open, and was closed within so long of its alarm, needs no look."""
COMMENT_CHARACTERS_MAX = 500


class AlarmKey(Struct, frozen=True):
    """Alarms of one kind at one door or tool. `reason`: of a fault; else empty."""

    point: str
    kind: str
    reason: str


class AlarmKind(Struct, frozen=True):
    """`did`: follows the name of the place. `lasts_as`: words of a report while it lasts."""

    did: Text
    lasts_as: Set[str]


_OUT_OF_ORDER = frozenset({"fault"})
_KINDS: Mapping[tuple[str, str], AlarmKind] = MappingProxyType(
    {
        (EventKind.DOOR_FORCED, ""): AlarmKind(Text("was forced open"), frozenset({"forced"})),
        (EventKind.DOOR_HELD_OPEN, ""): AlarmKind(
            Text("stood open for too long"), frozenset({"held_open"})
        ),
        (EventKind.TAMPER_BEGAN, ""): AlarmKind(
            Text("had its housing opened"), frozenset({"tampered"})
        ),
        (EventKind.FAULT_BEGAN, Reason.RELAY_WELDED): AlarmKind(
            Text("had a relay that did not let go"), frozenset({"relay_welded"})
        ),
        (EventKind.FAULT_BEGAN, Reason.RELAY_STUCK): AlarmKind(
            Text("had a relay that did not move"), _OUT_OF_ORDER
        ),
        (EventKind.FAULT_BEGAN, Reason.RELAY_FAULT): AlarmKind(
            Text("could not move its relay"), _OUT_OF_ORDER
        ),
        (EventKind.FAULT_BEGAN, Reason.STORAGE_FAULT): AlarmKind(
            Text("could record nothing"), _OUT_OF_ORDER
        ),
        (EventKind.FAULT_BEGAN, Reason.EMERGENCY_STOPPED): AlarmKind(
            Text("had its emergency stop pressed"), frozenset({"stopped"})
        ),
    }
)
"""Of a fault only those that a person finds at the door or tool. Not among them: a controller in
quarantine, which stays so until somebody enrols it anew."""

FAULTS = tuple(reason for kind, reason in _KINDS if kind == EventKind.FAULT_BEGAN)


def lasts(key: AlarmKey, reported: Set[str]) -> bool:
    """Whether it is there still. `reported`: what its place says of itself now, as words."""
    kind = _KINDS.get((key.kind, key.reason))
    return kind is not None and not kind.lasts_as.isdisjoint(reported)


def told(key: AlarmKey, *, alarms: int, last_at: datetime, now: datetime) -> Text:
    """`was forced open today 03:12`, `was forced open 3 times, last today 03:12`."""
    kind = _KINDS.get((key.kind, key.reason))
    did = Text("had an alarm") if kind is None else kind.did
    return Text.plural(
        "{did} {time}",
        "{did} {n} times, last {time}",
        alarms,
        did=did,
        time=times.within_sentence(last_at, now),
    )
