"""What the demo's page shows of the building, as values for its templates. Pure.

Relay, light and state are what the controllers say of themselves; what a tap led to is what the
console has recorded or, until it has, what the reader's light showed.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from console.controllers.point_state import state_shown
from console.controllers.shown import Shown
from console.demo.makerspace import Door, Tool
from console.demo.taps import TapMade, Tries
from console.events.wording import Whose, wording
from sync.rights import PointKind


class Reported(Struct, frozen=True):
    """What a controller says of itself and its door or tool.

    `waiting`: events that the console has not acknowledged. `serial` 0: it has no rights yet.
    """

    is_linked: bool
    waiting: int
    serial: int
    relay: str
    light: str
    state: str


class Felt(Struct, frozen=True):
    """How a leaf, or a motor and its emergency stop, stand. None: there is none."""

    leaf: str | None = None
    motor: str | None = None
    stop: str | None = None


class Seen(Struct, frozen=True):
    """One controller as it was seen last. `reported` None: it doesn't answer."""

    point: Door | Tool
    felt: Felt
    reported: Reported | None
    is_cut: bool
    is_booting: bool
    held: str | None
    """Colour of the card that is held to the reader now."""


class Words(Struct, frozen=True):
    """A sentence and its tone: good, bad, wait, or plain."""

    tone: str
    text: str
    more: str = ""


_TONES = {"good": "good", "bad": "bad", "warn": "wait", "": "plain"}


class PointView(Struct, frozen=True):
    """One door or tool, its reader, and the controller beside it. `icon`: of its state."""

    key: str
    name: str
    is_tool: bool
    felt: Felt
    icon: str
    controller: str
    relay: str
    light: str
    is_linked: bool
    is_cut: bool
    is_on: bool
    held: str
    state: Words
    network: Words
    last: Words


class BuildingView(Struct, frozen=True):
    """All of it. `marks`: the floor plan's attributes, by which its style moves doors and saw."""

    points: tuple[PointView, ...]
    broker_runs: bool
    tries: Tries

    @property
    def marks(self) -> dict[str, str]:
        """Names and values of the floor plan's data attributes."""
        marks = {"broker": "on" if self.broker_runs else "off"}
        for point in self.points:
            marks[f"{point.key}-relay"] = point.relay
            marks[f"{point.key}-light"] = point.light
            marks[f"{point.key}-held"] = point.held
            marks[f"{point.key}-power"] = "on" if point.is_on else "off"
            marks[f"{point.key}-cable"] = "cut" if point.is_cut else "whole"
            marks[f"{point.key}-link"] = "up" if point.is_linked else "down"
            felt = point.felt
            things = {"leaf": felt.leaf, "motor": felt.motor, "stop": felt.stop}
            marks |= {f"{point.key}-{name}": how for name, how in things.items() if how}
        return marks


def view(
    seen: Sequence[Seen],
    *,
    broker_runs: bool,
    last_taps: Mapping[str, TapMade],
    cards: Mapping[str, str],
    tries: Tries,
) -> BuildingView:
    """The page's values. `last_taps`: by point; `cards`: whose card, by the card's key."""
    points = tuple(
        _point(one, broker_runs=broker_runs, tap=last_taps.get(one.point.key), cards=cards)
        for one in seen
    )
    return BuildingView(points, broker_runs, tries)


def _point(
    seen: Seen, *, broker_runs: bool, tap: TapMade | None, cards: Mapping[str, str]
) -> PointView:
    point, reported = seen.point, seen.reported
    is_tool = isinstance(point, Tool)
    shown = _state(seen)
    return PointView(
        key=point.key,
        name=point.name,
        is_tool=is_tool,
        felt=seen.felt,
        icon=shown.icon,
        controller=point.controller,
        relay="unknown" if reported is None else reported.relay,
        light="off" if reported is None else reported.light,
        is_linked=reported is not None and reported.is_linked,
        is_cut=seen.is_cut,
        is_on=reported is not None,
        held=seen.held or "none",
        state=Words(_TONES[shown.tone], shown.words),
        network=_network(seen, broker_runs=broker_runs),
        last=_last(tap, cards, yes="may use it" if is_tool else "let in"),
    )


def _state(seen: Seen) -> Shown:
    """In the words of the console's own pages."""
    reported = seen.reported
    if reported is None:
        return Shown("Starting" if seen.is_booting else "Controller is off", "alert", "warn")
    if reported.serial == 0:
        return Shown("Waiting for its rights", "alert", "warn")
    kind = PointKind.TOOL if isinstance(seen.point, Tool) else PointKind.DOOR
    return state_shown(kind, reported.state)


def _network(seen: Seen, *, broker_runs: bool) -> Words:
    reported = seen.reported
    if reported is None:
        return Words("wait", "Not running")
    waiting = ""
    if reported.waiting:
        events = "1 event waits" if reported.waiting == 1 else f"{reported.waiting} events wait"
        waiting = f"{events} for the console"
    if reported.is_linked:
        return Words("good", "Online", waiting)
    if seen.is_cut:
        return Words("wait", "Cable cut: decides by itself", waiting)
    if not broker_runs:
        return Words("wait", "Broker stopped: decides by itself", waiting)
    return Words("wait", "Looking for the console", waiting or "It tries again within 30 s")


def _last(tap: TapMade | None, cards: Mapping[str, str], *, yes: str) -> Words:
    """`yes`: what a grant means."""
    if tap is None:
        return Words("plain", "No card yet")
    who = cards[tap.card]
    if tap.gives_back:
        return Words("plain", f"{who}: has finished", "Whoever has it gives it back with her card.")
    if tap.record is not None:
        record = tap.record
        late = "Decided without network; the console got it later."
        if record.is_granted:
            return Words(
                "good", f"{who}: {yes}", late if tap.was_offline else "The console has it."
            )
        words = wording(record.reason, Whose.SOMEBODYS if record.has_owner else Whose.NOBODYS)
        why = f"{words.why[:1].upper()}{words.why[1:]}. {words.remedy}".strip()
        return Words("bad", f"{who}: refused", f"{why} {late if tap.was_offline else ''}".strip())
    match tap.light:
        case "green":
            return Words("good", f"{who}: {yes}", "The console hears of it when it can.")
        case "red":
            return Words("bad", f"{who}: refused", "The console hears of it, and why, when it can.")
        case _ if tap.is_over:
            return Words("plain", f"{who}: not read", "The controller was not ready.")
        case _:
            return Words("plain", f"{who}: card at the reader")
