"""THE decision rule: may this card use this point now?

The only place of the project that says yes or no. A controller calls `decide` for a tap; the
console calls it for "who can open this?", for a remote opening, and to explain a past tap on the
snapshot that the controller had. It is total: whatever is unknown is a no, with its reason.
"""

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
    INTERNAL_ERROR = "internal_error"


@dataclass(frozen=True, slots=True)
class Point:
    """A door or tool as a snapshot describes it; all `_seconds` are whole seconds."""

    key: PointKey
    kind: PointKind
    unlock_seconds: int
    soft_seconds: int
    hard_seconds: int
    requires_fresh: bool
    min_assurance: Assurance


@dataclass(frozen=True, slots=True)
class Window:
    """From `start_ms` to `end_ms`, both included, in Unix time."""

    start_ms: int
    end_ms: int


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
    """

    now_ms: int
    is_trusted: bool


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
    if right.not_after_ms is not None and moment.now_ms > right.not_after_ms:
        return Reason.EXPIRED
    if right.not_before_ms is not None and moment.now_ms < right.not_before_ms:
        return Reason.NOT_YET_VALID
    if right.schedule is not None:
        if not moment.is_trusted:
            return Reason.CLOCK_UNTRUSTED
        if not any(w.start_ms <= moment.now_ms <= w.end_ms for w in right.schedule):
            return Reason.OUTSIDE_SCHEDULE
    return Reason.ALLOWED
