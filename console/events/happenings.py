"""What happened at a door or a tool, as a sentence: one table, keyed by the kind of event. Pure.

A sentence is told of a place by its name, in a list of all places, or on the page of the place
itself. Why something was refused is in `wording.py`.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from msgspec import Struct

from console.events.wording import UNRECORDED, Whose, sentences
from console.words import Text, capital
from sync.commands import SHUTTING, Operation
from sync.events import EventKind


class Happening(Struct, frozen=True):
    """An event, as far as a sentence needs it.

    `who`: a name; None: nobody we know. `operation`: of a command, where it is known. `was_lost`:
    her card had been marked lost before.
    """

    kind: str
    who: str | None
    reason: str | None
    operation: str | None = None
    is_tool: bool = False
    was_lost: bool = False

    @property
    def whose(self) -> Whose:
        """Whose card it is about."""
        if self.who is None:
            return Whose.NOBODYS
        return Whose.LOST if self.was_lost else Whose.SOMEBODYS


class Sentence(Struct, frozen=True):
    """`who` did `did`. `is_person`: the one whom the event concerns; else the place itself.

    `note`: why, and what changes it.
    """

    who: str
    did: str
    is_person: bool
    is_yes: bool
    note: str


At = Callable[[str], Text]
"""What happened, at a place that is named."""


class _Words(Struct, frozen=True):
    """`did`: at the place, or simply what the place did.

    `here`: on its own page, where it isn't `did` with “it”. `nobody`: who did it, if it is nobody
    that we know. Empty: not people do it, but the place.
    """

    did: At | Text
    here: Text | None = None
    nobody: str = Text("Somebody")
    is_yes: bool = True
    says_why: bool = False
    note: str = ""


_K = EventKind

ASKED = "command_asked"
"""Kind of a command of which nobody knows what became."""
TAKEN, GIVEN_BACK = "tool_taken", "tool_given_back"
"""Kinds of what happens to tools on pages, without a controller."""
_UNKNOWN = Text("It is not known whether it was done.")

_AT_DOORS: Mapping[str, _Words] = MappingProxyType(
    {
        _K.ACCESS_GRANTED: _Words(lambda at: Text("opened {place}", place=at), Text("came in")),
        _K.ACCESS_DENIED: _Words(
            lambda at: Text("was refused at {place}", place=at),
            Text("was refused"),
            nobody=Text("An unknown card"),
            is_yes=False,
            says_why=True,
        ),
        _K.ACCESS_WITHDRAWN: _Words(
            lambda at: Text("was let in at {place}, but the door did not open", place=at),
            Text("was let in, but it did not open"),
            is_yes=False,
            says_why=True,
        ),
        _K.DOOR_OPENED: _Words(Text("was opened"), nobody=""),
        _K.DOOR_CLOSED: _Words(Text("was closed"), nobody=""),
        _K.DOOR_FORCED: _Words(Text("was forced open"), nobody="", is_yes=False),
        _K.DOOR_HELD_OPEN: _Words(Text("has stood open for too long"), nobody="", is_yes=False),
        _K.EXIT_REQUESTED: _Words(
            lambda at: Text("asked to leave at {place}", place=at), Text("asked to leave")
        ),
        _K.TAMPER_BEGAN: _Words(Text("had its housing opened"), nobody="", is_yes=False),
        _K.TAMPER_ENDED: _Words(Text("has its housing closed again"), nobody=""),
        _K.UNLOCK_BEGAN: _Words(Text("stands unlocked for everybody"), nobody=""),
        _K.UNLOCK_ENDED: _Words(Text("is locked again"), nobody=""),
        _K.TOOL_STARTED: _Words(lambda at: Text("started {place}", place=at)),
        _K.TOOL_STOPPED: _Words(lambda at: Text("stopped {place}", place=at)),
        _K.TOOL_RELEASED: _Words(lambda at: Text("is done with {place}", place=at)),
        _K.FAULT_BEGAN: _Words(Text("has a fault"), nobody="", is_yes=False, says_why=True),
        _K.FAULT_ENDED: _Words(Text("works again"), nobody=""),
        _K.STALENESS_CHANGED: _Words(Text("has rights of another age now"), nobody=""),
        _K.READER_FAULT: _Words(Text("has news of its reader"), nobody=""),
        _K.EVENTS_UNRECORDED: _Words(
            Text("could not record all that happened"), nobody="", is_yes=False, says_why=True
        ),
        _K.SELF_TESTED: _Words(
            lambda at: Text("tried {place}'s relay at the controller", place=at),
            Text("tried its relay at the controller"),
        ),
        TAKEN: _Words(lambda at: Text("took {place}", place=at)),
        GIVEN_BACK: _Words(lambda at: Text("gave {place} back", place=at)),
    }
)
_AT_TOOLS: Mapping[str, _Words] = MappingProxyType(
    {
        _K.ACCESS_GRANTED: _Words(lambda at: Text("switched {place} on", place=at)),
        _K.ACCESS_WITHDRAWN: _Words(
            lambda at: Text("was granted {place}, but it did not switch on", place=at),
            is_yes=False,
            says_why=True,
        ),
    }
)
"""Where a tool's words differ from a door's."""

_ORDERS: Mapping[str, tuple[At, At]] = MappingProxyType(
    {
        Operation.OPEN: (
            lambda at: Text("opened {place}", place=at),
            lambda at: Text("open {place}", place=at),
        ),
        Operation.LOCK: (
            lambda at: Text("set {place} back to normal", place=at),
            lambda at: Text("put {place} back to normal", place=at),
        ),
        Operation.UNLOCK_UNTIL: (
            lambda at: Text("unlocked {place} for everybody", place=at),
            lambda at: Text("unlock {place} for everybody", place=at),
        ),
        Operation.LOCKDOWN: (
            lambda at: Text("locked {place} down", place=at),
            lambda at: Text("lock {place} down", place=at),
        ),
        Operation.OUT_OF_SERVICE: (
            lambda at: Text("took {place} out of service", place=at),
            lambda at: Text("take {place} out of service", place=at),
        ),
        Operation.STOP_NOW: (
            lambda at: Text("stopped {place} at once", place=at),
            lambda at: Text("stop {place} at once", place=at),
        ),
    }
)
"""What somebody did, and what she could not do."""
_SOME_ORDER: tuple[At, At] = (
    lambda at: Text("gave {place} an order", place=at),
    lambda at: Text("give {place} an order", place=at),
)
"""Of a command that isn't in the tables any more."""

_STANDS_UNRECORDED = Text(
    "It is in force, but could not be recorded in time: a restart of the controller may end it."
)
_OF_COMMANDS = frozenset({_K.COMMAND_EXECUTED, _K.COMMAND_REFUSED})
TAPS = frozenset({_K.ACCESS_GRANTED, _K.ACCESS_DENIED, _K.ACCESS_WITHDRAWN})
"""What becomes of a tap of a card. One that was withdrawn may have been an order instead."""


def sentence(happening: Happening, place: str | None) -> Sentence:
    """The event in words. `place`: its name; None: on its own page."""
    words = _words(happening)
    if not words.nobody:
        who = Text("It") if place is None else capital(place)
    else:
        who = happening.who or words.nobody
    did = words.did if isinstance(words.did, Text) else words.did(place or Text("it"))
    if place is None and words.here is not None:
        did = words.here
    note = words.note
    if words.says_why and (happening.reason or not words.is_yes):
        note = sentences(happening.reason, happening.whose)
    return Sentence(who, did, bool(words.nobody), words.is_yes, note)


def has_words(kind: str) -> bool:
    """Whether there is a sentence for this kind."""
    return kind in _AT_DOORS or kind in _OF_COMMANDS


def is_of_people(kind: str) -> bool:
    """Whether somebody did it; else a door, a tool or a controller tells it of itself."""
    return kind in _OF_COMMANDS or (kind in _AT_DOORS and bool(_AT_DOORS[kind].nobody))


def _words(happening: Happening) -> _Words:
    did, do = _ORDERS.get(happening.operation or "", _SOME_ORDER)
    match happening.kind:
        case EventKind.COMMAND_EXECUTED:
            return _Words(lambda at: Text("{did} from the console", did=did(at)))
        case EventKind.COMMAND_REFUSED | EventKind.ACCESS_WITHDRAWN if _is_in_force(happening):
            return _Words(
                lambda at: Text("{did} from the console", did=did(at)),
                is_yes=False,
                note=_STANDS_UNRECORDED,
            )
        case EventKind.COMMAND_REFUSED | EventKind.ACCESS_WITHDRAWN if _is_order(happening):
            return _Words(
                lambda at: Text("could not {do} from the console", do=do(at)),
                is_yes=False,
                says_why=True,
            )
        case "command_asked":  # ASKED
            return _Words(
                lambda at: Text("asked to {do} from the console", do=do(at)),
                is_yes=False,
                note=_UNKNOWN,
            )
        case kind:
            at_tool = _AT_TOOLS.get(kind) if happening.is_tool else None
            return at_tool or _AT_DOORS.get(kind) or _unknown(kind)


def _is_order(happening: Happening) -> bool:
    return happening.kind != EventKind.ACCESS_WITHDRAWN or happening.operation is not None


def _is_in_force(happening: Happening) -> bool:
    return happening.operation in SHUTTING and happening.reason in UNRECORDED


def _unknown(kind: str) -> _Words:
    name = kind.replace("_", " ")
    return _Words(lambda at: Text("did “{kind}” at {place}", kind=name, place=at))
