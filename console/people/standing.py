"""What a person's membership comes to, in one sentence. Pure.

Only words: whether a door opens is decided by the rights, not here.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from console.rights.queries import GRACE_HOURS
from console.web import times
from console.words import Text, all_of

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
    sentence: Text


def standing(facts: Facts, now: datetime) -> Standing:
    """The membership in a sentence."""
    companies, paid_until = facts.companies, facts.paid_until
    employed = [Text("employed by {companies}", companies=all_of(companies))] if companies else []
    if paid_until is None:
        words = employed or [Text("no membership")]
        return Standing(bool(employed), Text.joined(words).capital())
    words = Text.joined([*employed, _paid(paid_until, now)], "; ")
    return Standing(bool(employed) or now <= paid_until + SLACK, words.capital())


def _paid(paid_until: datetime, now: datetime) -> Text:
    day = times.day(paid_until, now)
    if now <= paid_until:
        return Text("paid until {day}", day=day)
    end = paid_until + SLACK
    if now <= end:
        return Text(
            "payment ended {day}; doors work until {end}",
            day=day,
            end=times.within_sentence(end, now),
        )
    return Text("membership ended {day}", day=day)
