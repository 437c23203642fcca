"""What a person's membership comes to, in one sentence, and the one thing to do about it. Pure.

Only words: whether a door opens is decided by the rights, not here.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from console.rights.queries import GRACE_HOURS
from console.web import times

SLACK = timedelta(hours=GRACE_HOURS)
"""Doors go on for so long after the last paid moment."""
SOON = timedelta(days=7)
"""A membership that ends within it, and isn't known to go on, is worth a look."""


class Step(Enum):
    """What there is to do."""

    NOTHING = "nothing"
    CHOOSE = "choose"
    """A membership."""
    LOOK = "look"
    """Whether it goes on."""
    FIX = "fix"
    """The payment."""


@dataclass(frozen=True, slots=True)
class Facts:
    """`paid_until`: end of the latest payment that has begun; None: has never paid.

    `companies`: active ones that employ the person. `failed_at`: when a payment failed that none
    has made up for. `renews`: whether a subscription pays for what comes next; None: not known.
    """

    paid_until: datetime | None
    companies: tuple[str, ...]
    failed_at: datetime | None = None
    renews: bool | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """`sentence` for pages; `is_active`: a member now, the day of slack included."""

    is_active: bool
    sentence: str
    step: Step = Step.NOTHING


def standing(facts: Facts, now: datetime) -> Standing:
    """The membership in a sentence."""
    employed = f"employed by {' and '.join(facts.companies)}" if facts.companies else ""
    is_paying = facts.paid_until is not None and now <= facts.paid_until + SLACK
    paid = _failure(facts, now) if facts.failed_at is not None else _paid(facts, now)
    words = f"{employed}; {paid}" if employed and paid else employed or paid or "no membership"
    return Standing(bool(employed) or is_paying, _sentence(words), _step(facts, now))


def _failure(facts: Facts, now: datetime) -> str:
    """A payment that failed, and what doors make of it."""
    failed = f"payment failed {times.day(facts.failed_at, now)}" if facts.failed_at else ""
    if facts.paid_until is None or facts.companies:
        return failed
    last = facts.paid_until + SLACK
    if now <= last:
        return f"{failed}; doors work until {_inner(times.day_and_time(last, now))}"
    return f"{failed}; membership ended {times.day(facts.paid_until, now)}"


def _paid(facts: Facts, now: datetime) -> str:
    paid_until = facts.paid_until
    if paid_until is None:
        return ""
    if now <= paid_until:
        ends = ", and then it ends" if facts.renews is False else ""
        return f"paid until {times.day(paid_until, now)}{ends}"
    if now <= paid_until + SLACK:
        last = times.day_and_time(paid_until + SLACK, now)
        return f"payment ended {times.day(paid_until, now)}; doors work until {_inner(last)}"
    return f"membership ended {times.day(paid_until, now)}"


def _step(facts: Facts, now: datetime) -> Step:
    if facts.failed_at is not None:
        return Step.FIX
    if facts.companies:
        return Step.NOTHING
    if facts.paid_until is None or now > facts.paid_until + SLACK:
        return Step.CHOOSE
    is_soon = facts.paid_until - now <= SOON
    return Step.LOOK if is_soon and not facts.renews else Step.NOTHING


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _inner(words: str) -> str:
    """Today and yesterday lose their capital inside a sentence."""
    return words[:1].lower() + words[1:] if words.startswith(("Today", "Yesterday")) else words
