"""A tap, explained: which rule asked what, what it found, and what decided. Pure.

The decision is replayed with `sync.rights.decide` on the snapshot that the controller had; nothing
is decided here. A person without a right has no entry in a snapshot, so of her the verdict of that
time says why. What the steps are called, and what would change it, is for the pages.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import Enum, StrEnum
from types import MappingProxyType

from msgspec import Struct

from console.rights.verdict import Verdict
from sync.ids import Entry, PointKey
from sync.rights import Assurance, Moment, Point, Reason, Right, decide
from sync.snapshot import Snapshot


class Check(StrEnum):
    """One question of the rule, or of the controller before and after it."""

    READY = "ready"
    """Whether the controller asked the rule at all: it works, and nothing is locked down."""
    POINT = "point"
    """Whether the door or tool is in its rights."""
    CARD = "card"
    """Whether somebody has the card."""
    NOT_LOST = "not_lost"
    MEMBERSHIP = "membership"
    GROUND = "ground"
    """A circle of the point, or for a door an active company."""
    ASSURANCE = "assurance"
    """Whether the card is hard enough to copy."""
    AGE = "age"
    """Whether the controller has heard from the console, not too long ago."""
    FRESH = "fresh"
    HOURS = "hours"
    FREE = "free"
    """Whether nobody else was using the tool."""
    DONE = "done"
    """Whether it was recorded in time, and the relay moved."""


class Mark(Enum):
    """What a check found."""

    YES = "yes"
    NO = "no"
    NOT_ASKED = "not asked"
    NOT_KEPT = "not kept"
    """It was asked, but what was found is not known any more."""


class Step(Struct, frozen=True):
    """One line of the explanation."""

    check: Check
    mark: Mark


class CardThen(Struct, frozen=True):
    """What the console knows of the card at the moment of the tap."""

    has_owner: bool
    is_lost: bool = False


class Tap(Struct, frozen=True):
    """A tap as the controller told it.

    `answered`: its reason, which may be newer than this software. `entry`: the card's name at this
    controller; None: no number of it is known. `is_withdrawn`: it was a yes first.
    """

    point: PointKey
    answered: str
    entry: Entry | None
    assurance: Assurance
    time_ms: int
    is_trusted: bool
    is_withdrawn: bool = False


class Explained(Struct, frozen=True):
    """`replayed`: what the rule says on the snapshot of that time; None: it wasn't asked, or that
    snapshot is not kept.

    `agrees`: whether the controller said the same; None: it can't be told, or the controller had a
    reason of its own that the rule knows nothing of. `has_own_reason`: it didn't ask the rule.
    """

    steps: tuple[Step, ...]
    replayed: Reason | None
    agrees: bool | None
    has_own_reason: bool = False


_DECIDED_BY: Mapping[Reason | None, Check] = MappingProxyType(
    {
        Reason.UNKNOWN_POINT: Check.POINT,
        Reason.UNKNOWN_CARD: Check.CARD,
        Reason.NO_RIGHT: Check.GROUND,
        Reason.ASSURANCE_TOO_LOW: Check.ASSURANCE,
        Reason.TOO_STALE: Check.AGE,
        Reason.NOT_FRESH: Check.FRESH,
        Reason.EXPIRED: Check.MEMBERSHIP,
        Reason.NOT_YET_VALID: Check.MEMBERSHIP,
        Reason.CLOCK_UNTRUSTED: Check.HOURS,
        Reason.OUTSIDE_SCHEDULE: Check.HOURS,
    }
)
"""Every no of `decide`, in the order in which it asks."""

_IN_THIS_ORDER = (
    Check.POINT,
    Check.CARD,
    Check.NOT_LOST,
    Check.GROUND,
    Check.ASSURANCE,
    Check.AGE,
    Check.FRESH,
    Check.MEMBERSHIP,
    Check.HOURS,
)
_RECORDED_MS = 1_000
"""A tap is decided at most so long before the moment that its record bears."""


def explain(
    tap: Tap,
    snapshot: Snapshot | None,
    *,
    card: CardThen,
    verdict: Verdict | None,
    names_rights: bool,
) -> Explained:
    """Replays a tap. `snapshot` None: not kept. `verdict` None: it was not kept, or has no person.

    `names_rights`: the controller named a snapshot by which it decided.
    """
    answered = _known(tap.answered)
    if not names_rights and not _is_of_the_rule(answered):
        rest = (Check.CARD, Check.MEMBERSHIP, Check.GROUND)
        steps = [Step(Check.READY, Mark.NO), *(Step(check, Mark.NOT_ASKED) for check in rest)]
        return Explained(tuple(steps), None, None, has_own_reason=True)
    if snapshot is None:
        return Explained(tuple(_untold(tap, card, verdict)), None, None)
    point, right = found(tap, snapshot)
    moments = _moments(tap, point, answered)
    said = [decide(point, right, tap.assurance, moment).reason for moment in moments]
    replayed = answered if answered is not None and answered in said else said[0]
    if replayed is Reason.UNKNOWN_CARD:
        steps = [Step(Check.POINT, Mark.YES), *_without_entry(tap, card, verdict)]
    else:
        steps = _steps_of(replayed, point, right)
    if tap.is_withdrawn or not _is_of_the_rule(answered):
        steps += _after(answered, replayed)
        return Explained(tuple(steps), replayed, None)
    return Explained(tuple(steps), replayed, replayed is answered)


def found(tap: Tap, snapshot: Snapshot) -> tuple[Point | None, Right | None]:
    """What the controller found in its rights."""
    right = None if tap.entry is None else snapshot.entries.get(tap.entry)
    return snapshot.points.get(tap.point), right


def _steps_of(replayed: Reason, point: Point | None, right: Right | None) -> list[Step]:
    """The questions of `decide`, up to the one that decided. Not of a card that has no right."""
    asked = [check for check in _IN_THIS_ORDER if _concerns(check, point, right)]
    no = _DECIDED_BY.get(replayed)
    steps: list[Step] = []
    mark = Mark.YES
    for check in asked:
        if check is no:
            steps.append(Step(check, Mark.NO))
            mark = Mark.NOT_ASKED
        else:
            steps.append(Step(check, mark))
    return steps


def _without_entry(tap: Tap, card: CardThen, verdict: Verdict | None) -> list[Step]:
    """Why a card has no entry: from the console's own facts, for the controller has none."""
    if not card.has_owner:
        rest = (Check.NOT_LOST, Check.MEMBERSHIP, Check.GROUND)
        return [Step(Check.CARD, Mark.NO), *(Step(check, Mark.NOT_ASKED) for check in rest)]
    known = Step(Check.CARD, Mark.YES)
    if card.is_lost:
        rest = (Check.MEMBERSHIP, Check.GROUND)
        return [
            known,
            Step(Check.NOT_LOST, Mark.NO),
            *(Step(check, Mark.NOT_ASKED) for check in rest),
        ]
    pays = Mark.NOT_KEPT if verdict is None else _mark(verdict.holds(tap.time_ms))
    ground = Mark.NOT_KEPT if verdict is None else _mark(verdict.ground.is_enough)
    return [
        known,
        Step(Check.NOT_LOST, Mark.YES),
        Step(Check.MEMBERSHIP, pays),
        Step(Check.GROUND, ground),
    ]


def _untold(tap: Tap, card: CardThen, verdict: Verdict | None) -> Sequence[Step]:
    """Without the snapshot: what the controller's own reason tells."""
    answered = _known(tap.answered)
    if answered is Reason.UNKNOWN_CARD:
        return [Step(Check.POINT, Mark.YES), *_without_entry(tap, card, verdict)]
    if answered in _DECIDED_BY:
        return [Step(_DECIDED_BY[answered], Mark.NO)]
    return [Step(check, Mark.NOT_KEPT) for check in (Check.GROUND, Check.MEMBERSHIP)]


def _concerns(check: Check, point: Point | None, right: Right | None) -> bool:
    """Whether the question can be answered with no at all, at this point and for this right."""
    match check:
        case Check.ASSURANCE:
            return point is not None and point.min_assurance > Assurance.UID
        case Check.FRESH:
            return point is not None and point.requires_fresh
        case Check.HOURS:
            return right is not None and right.schedule is not None
        case _:
            return True


def _moments(tap: Tap, point: Point | None, answered: Reason | None) -> tuple[Moment, ...]:
    """When it was decided: at the recorded time, or just before.

    How old its knowledge was only the controller knows; it told it by its answer.
    """
    age_ms = 0
    if point is not None and answered is Reason.TOO_STALE:
        age_ms = point.hard_seconds * 1000
    elif point is not None and answered is Reason.NOT_FRESH and tap.is_trusted:
        age_ms = point.soft_seconds * 1000
    recorded = Moment(tap.time_ms, tap.is_trusted, age_ms)
    return recorded, replace(recorded, now_ms=tap.time_ms - _RECORDED_MS)


def _after(answered: Reason | None, replayed: Reason) -> list[Step]:
    """What stood in the way after the rule had said yes."""
    if replayed is not Reason.ALLOWED:
        return []
    return [Step(Check.FREE if answered is Reason.IN_USE else Check.DONE, Mark.NO)]


def _is_of_the_rule(answered: Reason | None) -> bool:
    """Whether `decide` may have said it; otherwise the controller had a reason of its own."""
    return answered is Reason.ALLOWED or answered in _DECIDED_BY


def _known(answered: str) -> Reason | None:
    return Reason(answered) if answered in set(Reason) else None


def _mark(is_yes: bool) -> Mark:
    return Mark.YES if is_yes else Mark.NO
