"""Months, periods and rows of a table of payments. Pure."""

import csv
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from io import StringIO

from msgspec import Struct

from console.words import Text

MONTHS = 13
"""On the page: this month and the year before it, so that each has its like to be held against."""
FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""A spreadsheet may run what begins so. Source: owasp.org, "CSV Injection"."""
YEARS_MAX = 10
"""Of a table of payments."""


class MonthRow(Struct, frozen=True):
    """A month. `revenue` in crowns, what was paid back taken off; `payers`: people who paid."""

    begins: datetime
    revenue: Decimal
    payers: int
    joined: int
    left: int


class Period(Struct, frozen=True):
    """Days, the last one included."""

    first: date
    last: date

    def moments(self, zone: tzinfo) -> tuple[datetime, datetime]:
        """When it begins, and when it is over."""
        return _midnight(self.first, zone), _midnight(self.last + timedelta(days=1), zone)


class PeriodMistake(Struct, frozen=True):
    """Why there is no such period. `field`: of the form."""

    words: Text
    field: str


def month_begins(now: datetime, zone: tzinfo, *, count: int = MONTHS) -> list[datetime]:
    """When the latest months began, in the zone of the space, the oldest first; then the next one.

    They are the borders of `count` months.
    """
    here = now.astimezone(zone)
    this = here.year * 12 + here.month - 1
    months = (divmod(number, 12) for number in range(this - count + 1, this + 2))
    return [_midnight(date(year, month + 1, 1), zone) for year, month in months]


def this_year(now: datetime, zone: tzinfo) -> Period:
    """What a form offers at first."""
    today = now.astimezone(zone).date()
    return Period(date(today.year, 1, 1), today)


def read_period(first: str, last: str) -> Period | PeriodMistake:
    """Two days as a browser sends them."""
    begins, ends = _day(first), _day(last)
    if begins is None:
        return PeriodMistake(Text("A day is expected, such as 2026-01-31."), "from")
    if ends is None:
        return PeriodMistake(Text("A day is expected, such as 2026-12-31."), "until")
    if ends < begins:
        return PeriodMistake(Text("The last day is before the first one."), "until")
    if (ends - begins).days > YEARS_MAX * 366:
        return PeriodMistake(Text("At most {n} years at a time.", n=YEARS_MAX), "until")
    return Period(begins, ends)


def csv_lines(rows: Iterable[Sequence[str | Decimal | date | None]]) -> str:
    """Rows as RFC 4180 has them. Texts can't be formulas; amounts are numbers, with a point."""
    written = StringIO()
    csv.writer(written, lineterminator="\r\n").writerows(
        [_cell(one) for one in row] for row in rows
    )
    return written.getvalue()


def _cell(value: str | Decimal | date | None) -> str:
    match value:
        case None:
            return ""
        case Decimal():
            return f"{value:.2f}" if value.is_finite() else ""
        case date():
            return value.isoformat()
        case _:
            text = "".join(c if c.isprintable() else " " for c in value)
            return f"'{text}" if value.lstrip(" ").startswith(FORMULA_BEGINS) else text


def _day(text: str) -> date | None:
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) is None:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 1970 <= found.year <= 2100 else None


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)
