"""Which events get a slot of the journal while slots are scarce, and which are only counted. Pure.

Denials give way first: whoever holds card after card to a reader can neither use up what grants
need nor hide an alarm. Where events are kept is said in edge/journal.py.
"""

from dataclasses import dataclass
from enum import Enum, auto

from sync.events import EventKind


@dataclass(frozen=True, slots=True)
class Slots:
    """How many events may wait for their acknowledgement.

    From `spacious` on, only grants, commands, doors that stand open and alarms are recorded. Of the
    slots from there to `most`, `alarms` are for alarms alone, and they get no more: neither can a
    loose contact keep members out, nor can any number of taps hide a door that is forced.
    """

    spacious: int = 100_000
    most: int = 110_000
    alarms: int = 2_000


class Room(Enum):
    """What becomes of an event when slots are scarce."""

    LIMITED = auto()
    """Recorded while there is a slot; without one, what it stands for must not happen."""

    ALARM = auto()
    """Recorded in the slots that are kept for it; counted once they are used up."""

    COUNTED = auto()
    """Counted instead, once slots are scarce."""

    ALWAYS = auto()
    """Takes back, or ends, what was recorded; of that there is only so much."""


class Allotment(Enum):
    """What to do with an event now."""

    RECORD = auto()
    RECORD_ALARM = auto()
    """It takes one of the slots that are kept for alarms."""

    COUNT = auto()
    COUNT_ALARM = auto()
    REFUSE = auto()
    """What it stands for must not happen."""


_ROOM = {
    EventKind.ACCESS_GRANTED: Room.LIMITED,
    EventKind.COMMAND_EXECUTED: Room.LIMITED,
    EventKind.COMMAND_REFUSED: Room.LIMITED,
    EventKind.UNLOCK_BEGAN: Room.LIMITED,
    EventKind.SELF_TESTED: Room.LIMITED,
    EventKind.UNLOCK_ENDED: Room.ALWAYS,
    EventKind.TOOL_RELEASED: Room.ALWAYS,
    EventKind.ACCESS_WITHDRAWN: Room.ALWAYS,
    EventKind.CONTROLLER_STARTED: Room.ALARM,
    EventKind.DOOR_FORCED: Room.ALARM,
    EventKind.DOOR_HELD_OPEN: Room.ALARM,
    EventKind.TAMPER_BEGAN: Room.ALARM,
    EventKind.TAMPER_ENDED: Room.ALARM,
    EventKind.FAULT_BEGAN: Room.ALARM,
    EventKind.FAULT_ENDED: Room.ALARM,
    EventKind.READER_FAULT: Room.ALARM,
    EventKind.EVENTS_UNRECORDED: Room.ALARM,
}
"""The kinds that are worth more than being counted."""


def allot(
    kind: EventKind, slots: Slots, *, waiting: int, alarms: int, has_happened: bool
) -> Allotment:
    """What to do with an event of this kind while `waiting` events wait for the console.

    `alarms`: how many have taken one of their slots since slots became scarce. `has_happened`: it
    can't be refused any more. A door that has been opened is recorded then whatever the cost; a
    command that was refused may be counted.
    """
    room = _ROOM.get(kind, Room.COUNTED)
    if has_happened and room is Room.LIMITED:
        room = Room.ALWAYS if kind is EventKind.ACCESS_GRANTED else Room.COUNTED
    kept_free = max(0, slots.alarms - alarms)
    if room is Room.LIMITED and waiting >= slots.most - kept_free:
        return Allotment.REFUSE
    if waiting < slots.spacious or room in {Room.LIMITED, Room.ALWAYS}:
        return Allotment.RECORD
    if room is Room.COUNTED:
        return Allotment.COUNT
    return Allotment.RECORD_ALARM if kept_free else Allotment.COUNT_ALARM
