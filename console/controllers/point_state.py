"""What pages say of a door or tool at a controller: what it has told, and what that is worth. Pure.

A report that is too old says nothing about now: then the point is called offline, with the time
since when, and never locked or unlocked.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Protocol, cast

from msgspec import Struct

from console.controllers.freshness import Freshness, freshness
from console.controllers.reports import is_offline
from console.controllers.said import Json, part, sentence, troubles
from console.controllers.shown import Shown
from console.words import Text
from sync.commands import Operation
from sync.rights import Point, PointKind

ALARMS_MAX = 10
WORD_CHARACTERS_MAX = 40


class AtController(Protocol):
    """What the tables know of the controller. `serial` 0: nothing was published to it yet."""

    @property
    def enrolled_at(self) -> datetime | None:
        """None: it has no keys yet."""
        ...

    @property
    def quarantined_at(self) -> datetime | None:
        """Not None: nothing that it says is believed."""
        ...

    @property
    def received_at(self) -> datetime | None:
        """When its latest report came."""
        ...

    @property
    def report(self) -> Json | None:
        """That report."""
        ...

    @property
    def serial(self) -> int:
        """Of the newest snapshot."""
        ...

    @property
    def digest(self) -> bytes | None:
        """Of the newest snapshot."""
        ...


class PointView(Struct, frozen=True):
    """A point as pages show it. `word`: its state as reported; empty: nothing is known now.

    `is_shut`: nobody is let in or served now, whatever her rights, but perhaps with a break-glass
    card.
    `troubles`: what its controller says doesn't work. `is_ajar`: the leaf of a door stands open.
    `urgent`: alarms, and a state of emergency: what everybody should know of. `reported`: the
    state and the alarms as they were reported, as words.
    """

    word: str
    state: Shown
    is_shut: bool
    is_offline: bool
    rights: Shown
    freshness: Freshness | None
    alarms: tuple[str, ...]
    troubles: tuple[str, ...]
    is_ajar: bool
    urgent: tuple[Shown, ...]
    reported: frozenset[str]


_BOOT = Shown(Text("Starting"), "alert", "warn")
_LOCKDOWN = Shown(Text("Locked down"), "lock", "bad")
_OUT_OF_SERVICE = Shown(Text("Out of service"), "alert", "warn")
_FAULT = Shown(Text("Out of order"), "alert", "bad")

STANDS_OPEN = "unlocked"
"""The state of a door that is unlocked for everybody."""
_DOOR: Mapping[str, Shown] = MappingProxyType(
    {
        "boot": _BOOT,
        "locked": Shown(Text("Locked"), "lock"),
        "deciding": Shown(Text("Reading a card"), "card"),
        "released": Shown(Text("Unlocked"), "unlock", "good"),
        "opened": Shown(Text("Open"), "unlock", "good"),
        "held_open": Shown(Text("Held open"), "alert", "warn"),
        "forced": Shown(Text("Forced open"), "alert", "bad"),
        STANDS_OPEN: Shown(Text("Unlocked for everybody"), "unlock", "good"),
        "tampered": Shown(Text("Housing opened"), "alert", "bad"),
        "lockdown": _LOCKDOWN,
        "out_of_service": _OUT_OF_SERVICE,
        "fault": _FAULT,
    }
)
_TOOL: Mapping[str, Shown] = MappingProxyType(
    {
        "boot": _BOOT,
        "locked": Shown(Text("Off"), "lock"),
        "deciding": Shown(Text("Reading a card"), "card"),
        "armed": Shown(Text("Ready to be started"), "tool", "good"),
        "running": Shown(Text("Running"), "tool", "good"),
        "idle": Shown(Text("On, and idle"), "tool", "good"),
        "lockdown": _LOCKDOWN,
        "out_of_service": _OUT_OF_SERVICE,
        "stopped": Shown(Text("Emergency stop pressed"), "alert", "bad"),
        "fault": _FAULT,
    }
)
IN_USE = frozenset({"armed", "running", "idle"})
"""States of a tool in which somebody uses it."""
_ON: Mapping[PointKind, Shown] = MappingProxyType(
    {
        PointKind.DOOR: Shown(Text("Unlocked"), "unlock", "good"),
        PointKind.TOOL: Shown(Text("On"), "tool", "good"),
    }
)
"""Whatever else is reported, while the relay is on."""
_EMERGENCIES = frozenset({"held_open", "forced", "tampered", "lockdown", "fault", "stopped"})
"""States that everybody should know of while they last."""
_SHUT = frozenset({"lockdown", "out_of_service", "tampered", "fault", "stopped"})
_SHUTS: Mapping[str, str] = MappingProxyType(
    {
        Operation.LOCKDOWN: "lockdown",
        Operation.OUT_OF_SERVICE: "out_of_service",
        Operation.STOP_NOW: "out_of_service",
    }
)
"""The state that an order leads to which shuts."""
_MAY_BE_ON = IN_USE | {"released", "opened", STANDS_OPEN, "held_open"}
_PASSING = frozenset({"", "boot", "locked", "deciding"})
"""States in which a relay may still be on for an instant."""
_ALARMS: Mapping[str, str] = MappingProxyType(
    {
        "forced": Text("Forced open"),
        "held_open": Text("Held open"),
        "tampered": Text("Housing opened"),
        "relay_welded": Text("The relay doesn't let go"),
        "relay_stuck": Text("The relay was told to move and did not"),
    }
)

NOT_ENROLLED = Shown(Text("No controller yet"), "alert", "warn")
IN_QUARANTINE = Shown(Text("Controller in quarantine"), "alert", "bad")
NEVER_HEARD = Shown(Text("Never heard of"), "alert", "warn")
OFFLINE = Shown(Text("Offline"), "alert", "warn")
NOT_SAID = Shown(Text("Not at its controller"), "alert", "bad")
_NOT_THERE = (NOT_ENROLLED, NOT_SAID)
"""No controller has it yet. One in quarantine, or never heard, may well let people in."""


def point_view(row: AtController, point: Point, now: datetime) -> PointView:
    """The point as it is now."""
    offline = is_offline(row.received_at, now)
    reported = part(row.report, "state", "points", point.key)
    is_known = row.enrolled_at is not None and row.quarantined_at is None
    age: Freshness | None = None
    if is_known and row.received_at is not None:
        age_ms = part(row.report, "state").get("age_ms")
        level = reported.get("staleness")
        age = freshness(point, level=level, age_ms=age_ms, heard_at=row.received_at, now=now)
    word = "" if offline or not is_known else _word(reported)
    state = _state(row, point.kind, reported, offline=offline)
    alarms = () if not word else tuple(a for a in _alarms(reported) if a != state.words)
    emergency = (state,) if word in _EMERGENCIES else ()
    return PointView(
        word=word,
        state=state,
        is_shut=word in _SHUT or state in _NOT_THERE,
        is_offline=offline and row.received_at is not None,
        rights=rights(enrolled=is_known, report=row.report, serial=row.serial, digest=row.digest),
        freshness=age,
        alarms=alarms,
        troubles=() if offline else troubles(row.report),
        is_ajar=bool(word) and reported.get("contact") == "open",
        urgent=(*emergency, *(Shown(words, "alert", "bad") for words in alarms)),
        reported=frozenset((word, *_alarm_words(reported))) if word else frozenset(),
    )


def is_shut_by(word: str, order: str | None) -> bool:
    """Whether a point in the state `word` is so by its latest order, an operation."""
    return bool(word) and _SHUTS.get(order or "") == word


def state_shown(kind: PointKind, word: str) -> Shown:
    """How a controller's word for the state of its door or tool is said to people."""
    known = _DOOR if kind is PointKind.DOOR else _TOOL
    return known.get(word, Shown(sentence(word) or Text("Unknown"), "alert", "warn"))


def rights(*, enrolled: bool, report: Json | None, serial: int, digest: bytes | None) -> Shown:
    """How the rights in force compare with those that were published; `serial` 0: none were."""
    if not enrolled or serial == 0 or digest is None:
        return Shown(Text("No rights published yet"), "alert", "warn")
    applied = part(report, "applied")
    if applied.get("digest") == digest.hex():
        return Shown(Text("Up to date, no. {serial}", serial=serial), "check", "good")
    has = applied.get("serial")
    if not isinstance(has, int) or has == 0:
        return Shown(
            Text("Behind: has no rights yet, no. {serial} waits", serial=serial), "alert", "warn"
        )
    if has >= serial:
        return Shown(Text("Has no. {has}, which we didn't publish", has=has), "alert", "bad")
    return Shown(
        Text("Behind: has no. {has}, no. {serial} waits", has=has, serial=serial), "alert", "warn"
    )


def _state(row: AtController, kind: PointKind, reported: Json, *, offline: bool) -> Shown:
    if row.quarantined_at is not None:
        return IN_QUARANTINE
    if row.enrolled_at is None:
        return NOT_ENROLLED
    if row.received_at is None:
        return NEVER_HEARD
    if offline:
        return OFFLINE
    if not reported:
        return NOT_SAID
    word = _word(reported)
    said = state_shown(kind, word)
    if reported.get("relay") != "on" or word in _MAY_BE_ON:
        return said
    on = _ON[kind]
    if word in _PASSING:
        return on
    return Shown(Text("{on}, though it says: {said}", on=on.words, said=said.words), "alert", "bad")


def _word(reported: Json) -> str:
    return str(reported.get("state", ""))[:WORD_CHARACTERS_MAX]


def _alarms(reported: Json) -> list[str]:
    words = dict.fromkeys(_alarm_words(reported))
    return [_ALARMS.get(word, sentence(word)) for word in words]


def _alarm_words(reported: Json) -> list[str]:
    found = reported.get("alarms")
    words = cast("list[object]", found)[:ALARMS_MAX] if isinstance(found, list) else []
    return [str(word)[:WORD_CHARACTERS_MAX] for word in words]
