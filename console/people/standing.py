"""What a person's membership comes to, in one sentence. Pure.

Only words: whether a door opens is decided by the rights, not here.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from console.rights.queries import GRACE_HOURS
from console.web import times

SLACK = timedelta(hours=GRACE_HOURS)
"""Doors go on for so long after the last paid moment."""


@dataclass(frozen=True, slots=True)
class Facts:
    """`paid_until`: end of the latest payment that has begun; None: has never paid.

    `companies`: active ones that employ the person.
    """

    paid_until: datetime | None
    companies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """`sentence` for pages; `is_active`: a member now, the day of slack included."""

    is_active: bool
    sentence: str


def standing(facts: Facts, now: datetime) -> Standing:
    """The membership in a sentence."""
    employed = f"employed by {' and '.join(facts.companies)}" if facts.companies else ""
    paid_until = facts.paid_until
    if paid_until is None:
        words = employed or "no membership"
        return Standing(bool(employed), _sentence(words))
    if now <= paid_until:
        paid = f"paid until {times.day(paid_until, now)}"
    elif now <= paid_until + SLACK:
        last = times.day_and_time(paid_until + SLACK, now)
        paid = f"payment ended {times.day(paid_until, now)}; doors work until {_inner(last)}"
    else:
        paid = f"membership ended {times.day(paid_until, now)}"
    words = f"{employed}; {paid}" if employed else paid
    return Standing(bool(employed) or now <= paid_until + SLACK, _sentence(words))


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _inner(words: str) -> str:
    """Today and yesterday lose their capital inside a sentence."""
    return words[:1].lower() + words[1:] if words.startswith(("Today", "Yesterday")) else words
