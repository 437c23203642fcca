"""What may happen, written a second time: from sync/README.md, and without sync.rights.decide.

It names every reason that there is against somebody, where the rule names one; so it says the same
of yes and no and doesn't repeat in which order the rule asks.
"""

from collections.abc import Mapping
from dataclasses import dataclass

HOUR_MS = 3600 * 1000
FRESH_MS = 15 * 60 * 1000

RULE_REASONS = frozenset(
    {
        "unknown_point",
        "unknown_card",
        "no_right",
        "assurance_too_low",
        "not_yet_valid",
        "expired",
        "clock_untrusted",
        "outside_schedule",
        "not_fresh",
        "too_stale",
    }
)
"""Reasons that follow from a snapshot and the time alone."""


@dataclass(frozen=True, slots=True)
class PointRule:
    """A door or a tool as the console means it."""

    unlock_seconds: int
    soft_seconds: int = 86_400
    hard_seconds: int = 7 * 86_400
    requires_fresh: bool = False
    min_assurance: int = 0
    open_hours: tuple[tuple[int, int], ...] = ()
    kind: str = "door"


@dataclass(frozen=True, slots=True)
class CardRule:
    """What the holder of a card may. `hours` None: at any hour."""

    points: frozenset[str]
    not_before_ms: int | None = None
    not_after_ms: int | None = None
    hours: tuple[tuple[int, int], ...] | None = None
    is_break_glass: bool = False


@dataclass(frozen=True, slots=True)
class Rulebook:
    """One snapshot as the console means it. Cards by their number on the reader."""

    epoch: int
    serial: int
    points: Mapping[str, PointRule]
    cards: Mapping[str, CardRule]


@dataclass(frozen=True, slots=True)
class Situation:
    """When it is, as a controller can know it. `age_ms`: the least and the most it may be."""

    now_ms: int
    is_trusted: bool
    age_ms: tuple[int, int] = (0, 0)


def objections(book: Rulebook, point: str, card: str, now: Situation) -> frozenset[str]:
    """Every reason to deny that surely holds; none means that the card is let in."""
    return _objections(book, point, card, now, now.age_ms[0])


def doubts(book: Rulebook, point: str, card: str, now: Situation) -> frozenset[str]:
    """The reasons that may hold as well, for all that the world knows of the age."""
    return _objections(book, point, card, now, now.age_ms[1])


def _objections(
    book: Rulebook, point: str, card: str, now: Situation, age_ms: int
) -> frozenset[str]:
    rule, right = book.points.get(point), book.cards.get(card)
    if rule is None:
        return frozenset({"unknown_point"})
    if right is None:
        return frozenset({"unknown_card"})
    found: set[str] = set()
    if point not in right.points:
        found.add("no_right")
    if rule.min_assurance > 0:
        found.add("assurance_too_low")
    if age_ms >= rule.hard_seconds * 1000 and not right.is_break_glass:
        found.add("too_stale")
    is_old = age_ms >= min(rule.soft_seconds, rule.hard_seconds) * 1000
    if rule.requires_fresh and (is_old or not now.is_trusted):
        found.add("not_fresh")
    if right.not_after_ms is not None and right.not_after_ms < now.now_ms:
        found.add("expired")
    if right.not_before_ms is not None and right.not_before_ms > now.now_ms:
        found.add("not_yet_valid")
    if right.hours is not None:
        if not now.is_trusted:
            found.add("clock_untrusted")
        elif not any(start <= now.now_ms <= end for start, end in right.hours):
            found.add("outside_schedule")
    return frozenset(found)


def stands_open(rule: PointRule, from_ms: int, to_ms: int, *, age_ms: int) -> bool:
    """Whether a door stands unlocked for everybody, by its hours, at any time in between."""
    is_old = age_ms >= min(rule.soft_seconds, rule.hard_seconds) * 1000
    return not is_old and any(start <= to_ms and from_ms <= end for start, end in rule.open_hours)
