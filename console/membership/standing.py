"""What a person's membership comes to, in one sentence, and the one thing to do about it. Pure.

Only words: whether a door opens is decided by the rights, not here.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import Enum

from msgspec import Struct

from console.rights.people_queries import SLACK_HOURS
from console.web import times
from console.words import Text, all_of

SLACK = timedelta(hours=SLACK_HOURS)
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


class Facts(Struct, frozen=True):
    """`paid_until`: end of what is paid without a gap; None: no payment has begun yet.

    `companies`: active ones that employ the person. `failed_at`: when a payment failed that none
    has made up for. `renews`: whether a subscription pays for what comes next; None: not known.
    `paid_from`: when the next payment begins, after a gap. `idle_companies`: those that employ
    the person and aren't active.
    """

    paid_until: datetime | None
    companies: tuple[str, ...]
    failed_at: datetime | None = None
    renews: bool | None = None
    paid_from: datetime | None = None
    idle_companies: tuple[str, ...] = ()


def paid_time(
    until: datetime | None, later_from: Sequence[datetime], later_until: Sequence[datetime]
) -> tuple[datetime | None, datetime | None]:
    """`paid_until` and `paid_from`.

    `until`: of the payments that have begun. Of the others beginnings and ends, in order.
    """
    for begins, ends in zip(later_from, later_until, strict=True):
        if until is None or begins > until + SLACK:
            return until, begins
        until = max(until, ends)
    return until, None


class Standing(Struct, frozen=True):
    """`sentence` for pages; `is_active`: a member now, the day of slack included."""

    is_active: bool
    sentence: Text
    step: Step = Step.NOTHING


def standing(facts: Facts, now: datetime) -> Standing:
    """The membership in a sentence."""
    companies = all_of(facts.companies) if facts.companies else None
    employed = companies and Text("employed by {companies}", companies=companies)
    is_paying = facts.paid_until is not None and now <= facts.paid_until + SLACK
    paid = _failure(facts, now) if facts.failed_at is not None else _paid(facts, now)
    words = Text.joined([part for part in (employed, paid) if part], "; ")
    sentence = words if employed or paid else _nothing(facts)
    return Standing(bool(employed) or is_paying, sentence.capital(), _step(facts, now))


def _nothing(facts: Facts) -> Text:
    if not facts.idle_companies:
        return Text("no membership")
    return Text.plural(
        "no membership: {companies} isn’t active any more",
        "no membership: {companies} aren’t active any more",
        len(facts.idle_companies),
        companies=all_of(facts.idle_companies),
    )


def _failure(facts: Facts, now: datetime) -> Text | None:
    """A payment that failed, and what doors make of it."""
    if facts.failed_at is None:
        return None
    failed = Text("payment failed {day}", day=times.day(facts.failed_at, now))
    if facts.paid_until is None or facts.companies:
        return failed
    last = facts.paid_until + SLACK
    if now <= last:
        then = Text("doors work until {end}", end=times.within_sentence(last, now))
    else:
        then = Text("membership ended {day}", day=times.day(facts.paid_until, now))
    return Text.joined([failed, then], "; ")


def _paid(facts: Facts, now: datetime) -> Text | None:
    paid_until, paid_from = facts.paid_until, facts.paid_from
    if paid_from is not None and (paid_until is None or now > paid_until + SLACK):
        day = times.day(paid_from, now)
        if facts.companies:
            return Text("paid from {day}", day=day)
        return Text("paid from {day}; doors work from then on", day=day)
    if paid_until is None:
        return None
    day = times.day(paid_until, now)
    if now <= paid_until:
        if paid_from is not None:
            again = times.day(paid_from, now)
            return Text("paid until {day}, and again from {again}", day=day, again=again)
        if facts.renews is False:
            return Text("paid until {day}, and then it ends", day=day)
        return Text("paid until {day}", day=day)
    if now <= paid_until + SLACK:
        ended = Text(
            "payment ended {day}; doors work until {end}",
            day=day,
            end=times.within_sentence(paid_until + SLACK, now),
        )
        if paid_from is None:
            return ended
        again = Text("paid again from {day}", day=times.day(paid_from, now))
        return Text.joined([ended, again], "; ")
    return Text("membership ended {day}", day=day)


def _step(facts: Facts, now: datetime) -> Step:
    if facts.failed_at is not None:
        return Step.FIX
    if facts.companies or facts.paid_from is not None:
        return Step.NOTHING
    if facts.paid_until is None or now > facts.paid_until + SLACK:
        return Step.CHOOSE
    is_soon = facts.paid_until - now <= SOON
    return Step.LOOK if is_soon and not facts.renews else Step.NOTHING
