"""What happened at a door or a tool, as a sentence: one table, keyed by the kind of event. Pure.

A sentence is told of a place by its name, in a list of all places, or on the page of the place
itself. Why something was refused is in `wording.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from console.events.wording import sentences
from sync.commands import Operation
from sync.events import EventKind


@dataclass(frozen=True, slots=True)
class Happening:
    """An event, as far as a sentence needs it.

    `who`: a name; None: nobody we know. `operation`: of a command, where it is known.
    """

    kind: str
    who: str | None
    reason: str | None
    operation: str | None = None
    is_tool: bool = False


@dataclass(frozen=True, slots=True)
class Sentence:
    """`who` did `did`. `is_person`: the one whom the event concerns; else the place itself.

    `note`: why, and what changes it.
    """

    who: str
    did: str
    is_person: bool
    is_yes: bool
    note: str


@dataclass(frozen=True, slots=True)
class _Words:
    """`{}` is the place. `here`: on its own page, where it isn't `did` with “it”.

    `nobody`: who did it, if it is nobody that we know. Empty: not people do it, but the place.
    """

    did: str
    here: str = ""
    nobody: str = "Somebody"
    is_yes: bool = True
    says_why: bool = False


_K = EventKind

_AT_DOORS: Mapping[str, _Words] = MappingProxyType(
    {
        _K.ACCESS_GRANTED: _Words("opened {}", "came in"),
        _K.ACCESS_DENIED: _Words(
            "was refused at {}",
            "was refused",
            nobody="An unknown card",
            is_yes=False,
            says_why=True,
        ),
        _K.ACCESS_WITHDRAWN: _Words(
            "was let in at {}, but the door did not open",
            "was let in, but it did not open",
            is_yes=False,
            says_why=True,
        ),
        _K.DOOR_OPENED: _Words("was opened", nobody=""),
        _K.DOOR_CLOSED: _Words("was closed", nobody=""),
        _K.DOOR_FORCED: _Words("was forced open", nobody="", is_yes=False),
        _K.DOOR_HELD_OPEN: _Words("has stood open for too long", nobody="", is_yes=False),
        _K.EXIT_REQUESTED: _Words("asked to leave at {}", "asked to leave"),
        _K.TAMPER_BEGAN: _Words("had its housing opened", nobody="", is_yes=False),
        _K.TAMPER_ENDED: _Words("has its housing closed again", nobody=""),
        _K.UNLOCK_BEGAN: _Words("stands unlocked for everybody", nobody=""),
        _K.UNLOCK_ENDED: _Words("is locked again", nobody=""),
        _K.TOOL_STARTED: _Words("started {}"),
        _K.TOOL_STOPPED: _Words("stopped {}"),
        _K.TOOL_RELEASED: _Words("is done with {}"),
        _K.FAULT_BEGAN: _Words("has a fault", nobody="", is_yes=False, says_why=True),
        _K.FAULT_ENDED: _Words("works again", nobody=""),
        _K.STALENESS_CHANGED: _Words("has rights of another age now", nobody=""),
        _K.READER_FAULT: _Words("has news of its reader", nobody=""),
        _K.EVENTS_UNRECORDED: _Words(
            "could not record all that happened", nobody="", is_yes=False, says_why=True
        ),
        _K.SELF_TESTED: _Words(
            "tried {}'s relay at the controller", "tried its relay at the controller"
        ),
    }
)
_AT_TOOLS: Mapping[str, _Words] = MappingProxyType(
    {
        _K.ACCESS_GRANTED: _Words("switched {} on"),
        _K.ACCESS_WITHDRAWN: _Words(
            "was granted {}, but it did not switch on", is_yes=False, says_why=True
        ),
    }
)
"""Where a tool's words differ from a door's."""

_ORDERS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        Operation.OPEN: ("opened {}", "open {}"),
        Operation.LOCK: ("set {} back to normal", "set {} back to normal"),
        Operation.UNLOCK_UNTIL: ("unlocked {} for everybody", "unlock {} for everybody"),
        Operation.LOCKDOWN: ("locked {} down", "lock {} down"),
        Operation.OUT_OF_SERVICE: ("took {} out of service", "take {} out of service"),
        Operation.STOP_NOW: ("stopped {} at once", "stop {} at once"),
    }
)
"""What somebody did, and what she could not do."""
_SOME_ORDER = ("gave {} an order", "give {} an order")
"""Of a command that isn't in the tables any more."""

ASKED = "command_asked"
"""Kind of a command of which nobody knows what became."""


def sentence(happening: Happening, place: str | None) -> Sentence:
    """The event in words. `place`: its name; None: on its own page."""
    words = _words(happening)
    if not words.nobody:
        who = "It" if place is None else place[:1].upper() + place[1:]
    else:
        who = happening.who or words.nobody
    did = words.did.format(place or "it")
    if place is None and words.here:
        did = words.here
    note = ""
    if words.says_why and (happening.reason or not words.is_yes):
        note = sentences(happening.reason, is_known_person=happening.who is not None)
    return Sentence(who, did, bool(words.nobody), words.is_yes, note)


def has_words(kind: str) -> bool:
    """Whether there is a sentence for this kind."""
    return kind in _AT_DOORS or kind in {_K.COMMAND_EXECUTED, _K.COMMAND_REFUSED}


def _words(happening: Happening) -> _Words:
    did, infinitive = _ORDERS.get(happening.operation or "", _SOME_ORDER)
    match happening.kind:
        case EventKind.COMMAND_EXECUTED:
            return _Words(f"{did} from the console")
        case EventKind.COMMAND_REFUSED:
            return _Words(f"could not {infinitive} from the console", is_yes=False, says_why=True)
        case "command_asked":
            return _Words(f"asked to {infinitive} from the console", is_yes=False)
        case kind:
            at_tool = _AT_TOOLS.get(kind) if happening.is_tool else None
            return at_tool or _AT_DOORS.get(kind, _Words(f"did “{kind.replace('_', ' ')}” at {{}}"))
