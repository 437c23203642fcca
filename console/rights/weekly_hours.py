"""Weekly hours: as people write them, and written out as windows of Unix time. Pure.

A controller knows no time zones, so it gets the windows of the coming weeks. They begin with the
present week, by the calendar of the space: so they change once a week, on Monday at midnight, and
not with every look at the clock.

At an end of summer time that comes twice the first counts; one that is skipped is as long after
midnight as on other days.
"""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo

from console.rights.facts import WeeklyHours
from console.rights.periods import merged
from console.words import Text
from sync.rights import Window

DAYS = (
    Text("mon"),
    Text("tue"),
    Text("wed"),
    Text("thu"),
    Text("fri"),
    Text("sat"),
    Text("sun"),
)
_NORWEGIAN = ("man", "tir", "ons", "tor", "fre", "lør", "søn")
_WEEKDAYS = {day: n for days in (DAYS, _NORWEGIAN) for n, day in enumerate(days, 1)}
"""As people write them, in whatever language their page is."""
DAY_MINUTES = 24 * 60
HOURS_MAX = 28
"""Of one door: four times a day. With the longest hard limit far from what a snapshot holds."""
_WEEK = timedelta(days=7)
_SLACK = timedelta(days=8)
"""A week, since the windows are made anew once a week; a day for clocks that are changed."""
_EPOCH = datetime.fromtimestamp(0, UTC)

_ONE = re.compile(r"([a-zæøå]{3})\s+([0-9]{2}):([0-9]{2})\s*[-–]\s*([0-9]{2}):([0-9]{2})")


def read(text: str) -> tuple[WeeklyHours, ...] | Text:
    """Reads `tue 18:00-22:00, fri 20:00-02:00`, or says in one line what is wrong with it."""
    found: set[WeeklyHours] = set()
    for part in text.lower().split(","):
        one = _ONE.fullmatch(part.strip())
        if one is None or one[1] not in _WEEKDAYS:
            return Text(
                "{part} isn't like “tue 18:00-22:00”; the days are {days}",
                part=repr(part.strip()[:40]),
                days=Text.joined(DAYS, ", "),
            )
        opens, closes = _minute(one[2], one[3]), _minute(one[4], one[5])
        if opens is None or opens == DAY_MINUTES or closes is None:
            return Text("{part}: times are from 00:00 to 24:00", part=repr(part.strip()))
        if opens == closes:
            return Text(
                "{part} ends when it begins; all day is 00:00-24:00", part=repr(part.strip())
            )
        if closes < opens:
            closes += DAY_MINUTES
        found.add(WeeklyHours(_WEEKDAYS[one[1]], opens, closes))
    if len(found) > HOURS_MAX:
        return Text("{n} times a week; at most {most}", n=len(found), most=HOURS_MAX)
    if len({(hours.weekday, hours.opens_minute) for hours in found}) < len(found):
        return Text("two of them begin at the same time")
    return tuple(sorted(found, key=lambda hours: (hours.weekday, hours.opens_minute)))


def words(*hours: WeeklyHours) -> Text:
    """As `read` takes them."""
    return Text.joined(map(_words, hours), ", ")


def _words(hours: WeeklyHours) -> Text:
    clock = f"{_clock(hours.opens_minute)}-{_clock(hours.closes_minute)}"
    return Text("{day} {clock}", day=DAYS[hours.weekday - 1], clock=clock)


def written_out(
    hours: Sequence[WeeklyHours], *, now_ms: int, zone: tzinfo, ahead_seconds: int
) -> tuple[Window, ...]:
    """The windows of the present week and of those that follow, in order, none touching another.

    They reach at least `ahead_seconds` and a week beyond now.
    """
    monday = _monday(now_ms, zone)
    weeks = 1 - (-(timedelta(seconds=ahead_seconds) + _SLACK) // _WEEK)
    begins_ms = _unix_ms(monday, 0, zone)
    windows = (
        Window(
            _unix_ms(day, each.opens_minute, zone),
            # Both ends are in a window; at the closing itself the door is locked.
            _unix_ms(day, each.closes_minute, zone) - 1,
        )
        # From the week before, what lasts into this one.
        for week in range(-1, weeks)
        for each in hours
        for day in (monday + week * _WEEK + timedelta(days=each.weekday - 1),)
    )
    return tuple(merged(window for window in windows if window.end_ms >= begins_ms))


def next_week_ms(now_ms: int, zone: tzinfo) -> int:
    """When the windows change by the passing of time: next Monday at midnight."""
    return _unix_ms(_monday(now_ms, zone) + _WEEK, 0, zone)


def _monday(now_ms: int, zone: tzinfo) -> date:
    today = (_EPOCH + timedelta(milliseconds=now_ms)).astimezone(zone).date()
    return today - timedelta(days=today.weekday())


def _unix_ms(day: date, minute: int, zone: tzinfo) -> int:
    """The moment at which clocks on walls show it."""
    days, minutes = divmod(minute, DAY_MINUTES)
    day += timedelta(days=days)
    there = datetime(day.year, day.month, day.day, minutes // 60, minutes % 60, tzinfo=zone)
    return (there.astimezone(UTC) - _EPOCH) // timedelta(milliseconds=1)


def _minute(hour: str, minute: str) -> int | None:
    total = int(hour) * 60 + int(minute)
    return total if int(minute) < 60 and total <= DAY_MINUTES else None


def _clock(minute: int) -> str:
    """24:00 is the end of a day, 02:00 the next one's."""
    minute = minute if minute <= DAY_MINUTES else minute - DAY_MINUTES
    return f"{minute // 60:02}:{minute % 60:02}"
