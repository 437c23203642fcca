"""What the demo's page shows of the building, as values for its templates. Pure.

Relay and light are what the controllers say of themselves; what a tap led to is what the console
has recorded or, until it has, what the reader's light showed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from console.demo.makerspace import Door
from console.demo.taps import TapMade, Tries
from console.events.wording import wording


@dataclass(frozen=True, slots=True)
class Reported:
    """What a controller says of itself and its door.

    `waiting`: events that the console has not acknowledged. `serial` 0: it has no rights yet.
    """

    is_linked: bool
    waiting: int
    serial: int
    relay: str
    light: str
    state: str


@dataclass(frozen=True, slots=True)
class Seen:
    """One controller as it was seen last. `reported` None: it doesn't answer."""

    door: Door
    reported: Reported | None
    is_cut: bool
    is_booting: bool
    held: str | None
    """Colour of the card that is held to the reader now."""


@dataclass(frozen=True, slots=True)
class Words:
    """A sentence and its tone: good, bad, wait, or plain."""

    tone: str
    text: str
    more: str = ""


@dataclass(frozen=True, slots=True)
class DoorView:
    """One door, its reader, and the controller beside it."""

    key: str
    name: str
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


@dataclass(frozen=True, slots=True)
class BuildingView:
    """All of it. `marks`: the floor plan's attributes, by which its style moves the doors."""

    doors: tuple[DoorView, ...]
    broker_runs: bool
    tries: Tries

    @property
    def marks(self) -> dict[str, str]:
        """Names and values of the floor plan's data attributes."""
        marks = {"broker": "on" if self.broker_runs else "off"}
        for door in self.doors:
            marks[f"{door.key}-relay"] = door.relay
            marks[f"{door.key}-light"] = door.light
            marks[f"{door.key}-held"] = door.held
            marks[f"{door.key}-power"] = "on" if door.is_on else "off"
            marks[f"{door.key}-cable"] = "cut" if door.is_cut else "whole"
            marks[f"{door.key}-link"] = "up" if door.is_linked else "down"
        return marks


def view(
    seen: Sequence[Seen],
    *,
    broker_runs: bool,
    last_taps: Mapping[str, TapMade],
    cards: Mapping[str, str],
    tries: Tries,
) -> BuildingView:
    """The page's values. `last_taps`: by door; `cards`: whose card, by the card's key."""
    doors = tuple(
        _door(one, broker_runs=broker_runs, tap=last_taps.get(one.door.key), cards=cards)
        for one in seen
    )
    return BuildingView(doors, broker_runs, tries)


def _door(
    seen: Seen, *, broker_runs: bool, tap: TapMade | None, cards: Mapping[str, str]
) -> DoorView:
    door, reported = seen.door, seen.reported
    return DoorView(
        key=door.key,
        name=door.name,
        controller=door.controller,
        relay="unknown" if reported is None else reported.relay,
        light="off" if reported is None else reported.light,
        is_linked=reported is not None and reported.is_linked,
        is_cut=seen.is_cut,
        is_on=reported is not None,
        held=seen.held or "none",
        state=_state(seen),
        network=_network(seen, broker_runs=broker_runs),
        last=_last(tap, cards),
    )


def _state(seen: Seen) -> Words:
    if seen.reported is None:
        return Words("wait", "Starting" if seen.is_booting else "Controller is off")
    if seen.reported.relay == "on":
        return Words("good", "Unlocked")
    match seen.reported.state:
        case "boot":
            return Words("wait", "Starting")
        case "fault":
            return Words("bad", "Fault: nobody gets in")
        case _ if seen.reported.serial == 0:
            return Words("wait", "Waiting for its rights")
        case _:
            return Words("plain", "Locked")


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


def _last(tap: TapMade | None, cards: Mapping[str, str]) -> Words:
    if tap is None:
        return Words("plain", "No card yet")
    who = cards[tap.card]
    if tap.record is not None:
        record = tap.record
        late = "Decided without network; the console got it later."
        if record.is_granted:
            return Words(
                "good", f"{who}: let in", late if tap.was_offline else "The console has it."
            )
        words = wording(record.reason, is_known_person=record.has_owner)
        why = f"{words.why[:1].upper()}{words.why[1:]}. {words.remedy}".strip()
        return Words("bad", f"{who}: refused", f"{why} {late if tap.was_offline else ''}".strip())
    match tap.light:
        case "green":
            return Words("good", f"{who}: let in", "The console hears of it when it can.")
        case "red":
            return Words("bad", f"{who}: refused", "The console hears of it, and why, when it can.")
        case _ if tap.is_over:
            return Words("plain", f"{who}: not read", "The controller was not ready.")
        case _:
            return Words("plain", f"{who}: card at the reader")
