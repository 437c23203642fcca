"""A payment that the treasurer enters by hand, such as cash: what it may be like. Pure.

It is a row among those of Stripe's invoices, so that rights, pages and the old web app count it as
they count those. `stripe_id` marks it, in a way in which Stripe names nothing.
"""

import re
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal

from msgspec import Struct

from console.membership.money import Period, PeriodMistake, read_period
from console.web.mistakes import Mistakes
from console.words import Text

MARK = "by-hand:"
MONTHS_MAX = 13
"""That it may be for, and that its beginning may be away from today."""
AMOUNT_CHARACTERS_MAX = 20
_AMOUNT = re.compile(r"([0-9]{1,6})(?:[.,]([0-9]{1,2}))?")
"""Source: the column, numeric(8, 2)."""


class Typed(Struct, frozen=True):
    """What stands in the form. Days as a browser sends them."""

    first: str = ""
    last: str = ""
    amount: str = ""


class Entry(Struct, frozen=True):
    """A payment as it is meant. `amount` in crowns."""

    period: Period
    amount: Decimal

    def moments(self, zone: tzinfo) -> tuple[datetime, datetime]:
        """From when until when is paid: the last second of the last day, so that pages name it."""
        begins, is_over = self.period.moments(zone)
        return begins, is_over - timedelta(seconds=1)


def is_by_hand(invoice: str) -> bool:
    """Whether somebody has entered it. `invoice`: `stripe_id` of the payment."""
    return invoice.startswith(MARK)


def read(typed: Typed, today: date) -> Entry | Mistakes:
    """What was typed; or by field what is wrong with it."""
    mistakes: dict[str, Text] = {}
    amount = _amount(typed.amount)
    if amount is None:
        mistakes["amount"] = Text("An amount of crowns is expected, such as 500 or 499.50.")
    period = read_period(typed.first, typed.last)
    wrong = period if isinstance(period, PeriodMistake) else _out_of_bounds(period, today)
    if wrong is not None:
        mistakes[wrong.field] = wrong.words
    if amount is None or mistakes or isinstance(period, PeriodMistake):
        return mistakes
    return Entry(period, amount)


def offered(paid_until: date | None, today: date) -> Typed:
    """What the form offers at first: a month from the day after what is paid, or from today.

    `paid_until`: the last day that is paid; None: none is.
    """
    first = today
    if paid_until is not None and today <= paid_until <= months_later(today, MONTHS_MAX):
        first = paid_until + timedelta(days=1)
    return Typed(first.isoformat(), (months_later(first, 1) - timedelta(days=1)).isoformat())


def months_later(day: date, months: int) -> date:
    """The same day of a later month, or its last one where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    next_year, next_month = divmod(year * 12 + month + 1, 12)
    last = date(next_year, next_month + 1, 1) - timedelta(days=1)
    return date(year, month + 1, min(day.day, last.day))


def _out_of_bounds(period: Period, today: date) -> PeriodMistake | None:
    if period.last >= months_later(period.first, MONTHS_MAX):
        return PeriodMistake(Text("At most {n} months at a time.", n=MONTHS_MAX), "until")
    earliest, latest = months_later(today, -MONTHS_MAX), months_later(today, MONTHS_MAX)
    if not earliest <= period.first <= latest:
        words = Text("It may begin at most {n} months before or after today.", n=MONTHS_MAX)
        return PeriodMistake(words, "from")
    return None


def _amount(text: str) -> Decimal | None:
    """Crowns, more than nothing; spaces between the digits don't count."""
    found = _AMOUNT.fullmatch("".join(text.split())) if text.isprintable() else None
    if found is None:
        return None
    amount = Decimal(f"{found[1]}.{found[2] or '0'}")
    return amount if amount > 0 else None
