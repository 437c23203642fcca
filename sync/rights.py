"""THE decision rule: may this card use this point now?

The only place of the project that says yes or no. A controller calls `decide` for a tap; the
console calls it for "who can open this?", for a remote opening, and to explain a past tap on the
snapshot that the controller had. It is total: whatever is unknown is a no, with its reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from sync.ids import MemberRef, PointKey


class PointKind(StrEnum):
    """What a point moves."""

    DOOR = "door"
    TOOL = "tool"


class Assurance(IntEnum):
    """How sure it is that the card is the one it says. Source: sync/README.md, "Credentials"."""

    UID = 0
    UID_AND_SECOND_FACTOR = 1
    MUTUAL_AUTHENTICATION = 2


class Reason(StrEnum):
    """Why a decision fell as it did. Exactly one of them is a yes."""

    ALLOWED = "allowed"
    NO_SNAPSHOT = "no_snapshot"
    UNKNOWN_POINT = "unknown_point"
    UNKNOWN_CARD = "unknown_card"
    NO_RIGHT = "no_right"
    ASSURANCE_TOO_LOW = "assurance_too_low"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    CLOCK_UNTRUSTED = "clock_untrusted"
    OUTSIDE_SCHEDULE = "outside_schedule"
    STORAGE_FAULT = "storage_fault"
    STORAGE_SLOW = "storage_slow"
    JOURNAL_FULL = "journal_full"
    RELAY_FAULT = "relay_fault"
    RANDOM_UID = "random_uid"
    """The card shows another number each time. Source: sync/credential.py, `is_random`."""

    TOO_LATE = "too_late"
    """The controller stood still: whoever held the card may be gone."""

    INTERNAL_ERROR = "internal_error"
    NOT_FRESH = "not_fresh"
    TOO_STALE = "too_stale"
    THROTTLED = "throttled"
    LOCKED_DOWN = "locked_down"
    OUT_OF_SERVICE = "out_of_service"
    TAMPERED = "tampered"
    RELAY_WELDED = "relay_welded"
    RELAY_STUCK = "relay_stuck"
    IN_USE = "in_use"
    EMERGENCY_STOPPED = "emergency_stopped"


class Staleness(StrEnum):
    """How old a controller's knowledge is at a point. Source: sync/README.md, "Staleness"."""

    FRESH = "fresh"
    AGING = "aging"
    SOFT = "soft"
    HARD = "hard"


FRESH_SECONDS = 15 * 60
BREAK_GLASS_MAX = 5
"""Cards of one controller that work whatever its age."""


@dataclass(frozen=True, slots=True)
class Window:
    """From `start_ms` to `end_ms`, both included, in Unix time."""

    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Point:
    """A door or tool as a snapshot describes it; all `_seconds` are whole seconds.

    `open_hours`: when a door stands unlocked for everybody, in order.
    """

    key: PointKey
    kind: PointKind
    unlock_seconds: int
    soft_seconds: int
    hard_seconds: int
    requires_fresh: bool
    min_assurance: Assurance
    open_hours: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True)
class Right:
    """What one card may use. A bound of None is no bound.

    `schedule` None means at any hour; the console writes weekly hours out as windows of Unix time,
    so that a controller needs no time zones. `not_before_ms` and `not_after_ms` are included.
    """

    member: MemberRef
    points: frozenset[PointKey]
    schedule: tuple[Window, ...] | None = None
    not_before_ms: int | None = None
    not_after_ms: int | None = None
    is_break_glass: bool = False


@dataclass(frozen=True, slots=True)
class Moment:
    """When the question is asked, by the clock that never goes backwards.

    Not trusted: no beacon was heard since the controller started, so the clock may run late.
    `age_ms`: since a beacon last answered a nonce of this controller; 0 where the console asks.
    """

    now_ms: int
    is_trusted: bool
    age_ms: int = 0


@dataclass(frozen=True, slots=True)
class Decision:
    """Yes or no, and why."""

    reason: Reason

    @property
    def is_allowed(self) -> bool:
        """Whether the point may be released."""
        return self.reason is Reason.ALLOWED


def decide(
    point: Point | None, right: Right | None, assurance: Assurance, moment: Moment
) -> Decision:
    """Decides one tap. `point` None: not in the snapshot. `right` None: the card has no entry.

    A late clock never denies too early: `not_after_ms` is compared also when the clock is not
    trusted, because a controller that rebooted without network must let paid-up members in. What
    depends on the hour of the day is denied without trust. Source: sync/README.md, "Time".

    Knowledge that is too old denies everybody but break-glass cards, so that a controller which was
    cut off can't go on for ever by rights that were taken away.
    """
    return Decision(_reason(point, right, assurance, moment))


def _reason(
    point: Point | None, right: Right | None, assurance: Assurance, moment: Moment
) -> Reason:
    if point is None:
        return Reason.UNKNOWN_POINT
    if right is None:
        return Reason.UNKNOWN_CARD
    if point.key not in right.points:
        return Reason.NO_RIGHT
    if assurance < point.min_assurance:
        return Reason.ASSURANCE_TOO_LOW
    level = staleness(point, moment.age_ms)
    if level is Staleness.HARD and not right.is_break_glass:
        return Reason.TOO_STALE
    if point.requires_fresh and (level in _STALE or not moment.is_trusted):
        return Reason.NOT_FRESH
    if right.not_after_ms is not None and moment.now_ms > right.not_after_ms:
        return Reason.EXPIRED
    if right.not_before_ms is not None and moment.now_ms < right.not_before_ms:
        return Reason.NOT_YET_VALID
    if right.schedule is not None:
        if not moment.is_trusted:
            return Reason.CLOCK_UNTRUSTED
        if window_at(right.schedule, moment.now_ms) is None:
            return Reason.OUTSIDE_SCHEDULE
    return Reason.ALLOWED


_STALE = (Staleness.SOFT, Staleness.HARD)


def staleness(point: Point, age_ms: int) -> Staleness:
    """How old the controller's knowledge is, by the point's own limits. `age_ms` as in `Moment`."""
    if age_ms >= point.hard_seconds * 1000:
        return Staleness.HARD
    if age_ms >= point.soft_seconds * 1000:
        return Staleness.SOFT
    return Staleness.AGING if age_ms >= FRESH_SECONDS * 1000 else Staleness.FRESH


def stands_open(point: Point, moment: Moment) -> Window | None:
    """The hours in which a door stands unlocked for everybody now; None: it is locked.

    Like every right that depends on the hour of the day it needs a trusted clock, and fresh rights.
    """
    if not moment.is_trusted or staleness(point, moment.age_ms) in _STALE:
        return None
    return window_at(point.open_hours, moment.now_ms)


def window_at(windows: Sequence[Window], now_ms: int) -> Window | None:
    """The first window that holds the moment; None: none does."""
    return next((w for w in windows if w.start_ms <= now_ms <= w.end_ms), None)
