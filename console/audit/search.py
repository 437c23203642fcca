"""What somebody looks for among the changes, read from what was typed. Pure."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta, tzinfo
from types import MappingProxyType

from msgspec import Struct
from msgspec.structs import asdict

from console.words import Text

TEXT_CHARACTERS_MAX = 100
NAME_CHARACTERS_MAX = 100
DATE_CHARACTERS = 10
YEARS = range(2000, 2200)


class Typed(Struct, frozen=True):
    """What stands in the form."""

    person: str = ""
    place: str = ""
    text: str = ""
    since: str = ""
    until: str = ""

    def parameters(self) -> Mapping[str, str]:
        """As they stand in an address, without the empty ones."""
        return {name: value for name, value in asdict(self).items() if value}


class Point(Struct, frozen=True):
    """A place in the list: everything before it is older."""

    happened_at: datetime
    id: int


class Search(Struct, frozen=True):
    """Which changes are meant. None and "": whichever.

    `person`: who did it, or whom it concerns. `since` is the first moment and `until` the first
    one after the last. `concerns_only`: what the person did to others is left out.
    """

    person: int | None = None
    place: str | None = None
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before: Point | None = None
    concerns_only: bool = False


class Days(Struct, frozen=True):
    """The first moment of the first day, and of the day after the last one."""

    since: datetime | None
    until: datetime | None


NO_MISTAKES: Mapping[str, str] = MappingProxyType({})


def read_days(typed: Typed, zone: tzinfo) -> Days | Mapping[str, str]:
    """The days that were typed, in `zone`; or by field what is wrong with them."""
    since, until = _day(typed.since), _day(typed.until)
    wrong: dict[str, str] = {
        field: Text("A day is written like 2026-12-24.")
        for field, text, day in (("since", typed.since, since), ("until", typed.until, until))
        if text and day is None
    }
    if since is not None and until is not None and until < since:
        wrong["until"] = Text("This is before the first day.")
    if wrong:
        return wrong
    return Days(
        None if since is None else _midnight(since, zone),
        None if until is None else _midnight(until + timedelta(days=1), zone),
    )


def _day(text: str) -> date | None:
    if len(text) != DATE_CHARACTERS or not text.isascii():
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.year in YEARS else None


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time.min, tzinfo=zone)
