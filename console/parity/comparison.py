"""Both rules side by side: where their verdicts differ, and why. Pure."""

from collections.abc import Iterator, Sequence
from enum import StrEnum

from msgspec import Struct

from console.parity.old_rule import OldMoment, OldPerson, Payment, counts, may_open, may_use
from console.rights.access import weigh, weigh_tool
from console.rights.facts import Door, Person, Tool
from console.rights.people_queries import EARLY_SECONDS, SLACK_HOURS
from sync.rights import Reason

SLACK_MS = SLACK_HOURS * 3600 * 1000
EARLY_MS = EARLY_SECONDS * 1000
"""What our rule adds to a payment's end."""


class Verdict(StrEnum):
    """What a rule says. ERROR: the old application fails instead of answering."""

    YES = "yes"
    NO = "no"
    ERROR = "error"


class Why(StrEnum):
    """Why two verdicts differ. UNEXPLAINED: the comparison itself is wrong."""

    SYSTEM_ACCOUNT = "system account"
    NOTHING_PAID = "payment amount not above zero"
    BEGINS_LATER = "payment begins later"
    ENDS_BEFORE_IT_BEGINS = "payment ends before it begins"
    TIME_ZONE = "time-zone offset"
    NO_CIRCLE = "tool without circle"
    COPIED_EASILY = "place that demands more than a card's number"
    UNEXPLAINED = "unexplained"


class Place(Struct, frozen=True):
    """A door or a tool. `key`: a door's key, a tool's id."""

    kind: str
    key: str
    name: str


class Difference(Struct, frozen=True):
    """A person and a place where the rules differ. No `account`, no `username`: everybody."""

    account: int | None
    username: str | None
    place: Place
    old: Verdict
    ours: Verdict
    why: tuple[Why, ...]


class Someone(Struct, frozen=True):
    """A person as each rule sees her. `ours` None: ours gives her no right to anything."""

    old: OldPerson
    ours: Person | None


class World(Struct, frozen=True):
    """All there is to compare, as of one moment; doors and tools with their names."""

    moment: OldMoment
    people: Sequence[Someone]
    doors: Sequence[tuple[Door, str]]
    tools: Sequence[tuple[Tool, str]]


def differences(world: World) -> Iterator[Difference]:
    """Those that concern everybody, then those of each person."""
    for tool, name in world.tools:
        if tool.circle is None:
            place = Place("tool", str(tool.id), name)
            yield Difference(None, None, place, Verdict.ERROR, Verdict.NO, (Why.NO_CIRCLE,))
    for someone in world.people:
        yield from _at_doors(world, someone)
        yield from _at_tools(world, someone)


def _at_doors(world: World, someone: Someone) -> Iterator[Difference]:
    for door, name in world.doors:
        old = may_open(someone.old, door.circles, world.moment)
        ours = _at_door(someone.ours, door, world.moment.now_ms)
        if old != (ours is Reason.ALLOWED):
            yield _difference(someone.old, Place("door", door.key, name), ours, world.moment)


def _at_tools(world: World, someone: Someone) -> Iterator[Difference]:
    for tool, name in world.tools:
        if tool.circle is None:
            continue
        old = may_use(someone.old, tool.circle, world.moment)
        ours = _at_tool(someone.ours, tool, world.moment.now_ms)
        if old != (ours is Reason.ALLOWED):
            yield _difference(someone.old, Place("tool", str(tool.id), name), ours, world.moment)


def _at_door(person: Person | None, door: Door, now_ms: int) -> Reason:
    return Reason.NO_RIGHT if person is None else weigh(person, door, now_ms).decision.reason


def _at_tool(person: Person | None, tool: Tool, now_ms: int) -> Reason:
    return Reason.NO_RIGHT if person is None else weigh_tool(person, tool, now_ms).decision.reason


def _difference(person: OldPerson, place: Place, ours: Reason, moment: OldMoment) -> Difference:
    is_yes = ours is Reason.ALLOWED
    return Difference(
        person.account,
        person.username,
        place,
        old=Verdict.NO if is_yes else Verdict.YES,
        ours=Verdict.YES if is_yes else Verdict.NO,
        why=tuple(_reasons(person, ours, moment)),
    )


def _reasons(person: OldPerson, ours: Reason, moment: OldMoment) -> list[Why]:
    """In the order of `Why`. Only payments that the old rule counts can make it say yes."""
    if person.is_system:
        return [Why.SYSTEM_ACCOUNT]
    if ours is Reason.ASSURANCE_TOO_LOW:
        return [Why.COPIED_EASILY]
    if ours is Reason.ALLOWED:
        is_late = any(_is_current(p, moment) and not counts(p, moment) for p in person.payments)
        return [Why.TIME_ZONE if is_late else Why.UNEXPLAINED]
    found = {_flaw(payment, moment) for payment in person.payments if counts(payment, moment)}
    return [why for why in Why if why in found] or [Why.UNEXPLAINED]


def _is_current(payment: Payment, moment: OldMoment) -> bool:
    return _flaw(payment, moment) is Why.UNEXPLAINED


def _flaw(payment: Payment, moment: OldMoment) -> Why:
    """Why our rule doesn't count the payment; UNEXPLAINED: it does."""
    last_ms = payment.end_ms + SLACK_MS
    if not payment.is_above_zero:
        return Why.NOTHING_PAID
    first_ms = payment.start_ms - EARLY_MS
    if last_ms < first_ms:
        return Why.ENDS_BEFORE_IT_BEGINS
    if first_ms > moment.now_ms:
        return Why.BEGINS_LATER
    if last_ms < moment.now_ms:
        return Why.TIME_ZONE
    return Why.UNEXPLAINED
