"""Weekly hours: as people write them, and as windows of Unix time."""

from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from console.rights.facts import WeeklyHours
from console.rights.weekly_hours import next_week_ms, read, words, written_out
from console.web.phrasebooks import read_phrasebooks
from console.words import Language
from sync.rights import Window, window_at

OSLO = ZoneInfo("Europe/Oslo")
WEEK_SECONDS = 7 * 24 * 3600


def unix_ms(moment: datetime) -> int:
    return (moment - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)


def windows(
    hours: list[WeeklyHours], at: datetime, zone: tzinfo, ahead_seconds: int = WEEK_SECONDS
) -> tuple[Window, ...]:
    return written_out(hours, now_ms=unix_ms(at), zone=zone, ahead_seconds=ahead_seconds)


@st.composite
def weekly(draw: st.DrawFn) -> WeeklyHours:
    opens = draw(st.integers(0, 1439))
    longest = 1439 if opens else 1440
    return WeeklyHours(draw(st.integers(1, 7)), opens, opens + draw(st.integers(1, longest)))


zones = st.sampled_from(
    ["UTC", "Europe/Oslo", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Kiritimati"]
).map(ZoneInfo)
instants = st.integers(0, 10 * 365 * 24 * 3600).map(
    lambda seconds: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


def is_in_hours(hours: list[WeeklyHours], moment: datetime, zone: tzinfo) -> bool:
    """By looking at the clock on the wall, and at nothing else."""
    there = moment.astimezone(zone)
    minute = there.hour * 60 + there.minute
    today, yesterday = there.isoweekday(), (there - timedelta(days=1)).isoweekday()
    return any(
        (each.weekday == today and each.opens_minute <= minute < each.closes_minute)
        or (each.weekday == yesterday and minute + 1440 < each.closes_minute)
        for each in hours
    )


@given(st.lists(weekly(), max_size=6), instants, st.integers(0, WEEK_SECONDS * 2 - 1), zones)
@settings(max_examples=300)
def test_a_window_holds_whatever_the_clock_on_the_wall_says_is_in_the_hours(
    hours: list[WeeklyHours], at: datetime, later_seconds: int, zone: tzinfo
):
    moment = (at + timedelta(seconds=later_seconds)).replace(microsecond=0)
    day = timedelta(days=1)
    if len({(moment + d).astimezone(zone).utcoffset() for d in (-2 * day, day)}) > 1:
        return  # clocks are changed these days: see below
    found = window_at(windows(hours, at, zone), unix_ms(moment)) is not None
    assert found == is_in_hours(hours, moment, zone)


@given(st.lists(weekly(), max_size=6), instants, zones, st.integers(3600, 90 * 24 * 3600))
def test_windows_are_in_order_apart_and_reach_far_enough(
    hours: list[WeeklyHours], at: datetime, zone: tzinfo, ahead_seconds: int
):
    found = windows(hours, at, zone, ahead_seconds)
    assert all(window.start_ms <= window.end_ms for window in found)
    assert all(a.end_ms + 1 < b.start_ms for a, b in pairwise(found))
    if hours:
        # There is at least one in each week, and all of the last week is written out.
        assert found[-1].end_ms >= unix_ms(at) + ahead_seconds * 1000


@given(st.lists(weekly(), min_size=1, max_size=6), instants, zones)
@example(
    [WeeklyHours(7, 0, 2), WeeklyHours(7, 2, 24 * 60 + 1)],
    datetime(2024, 1, 1, tzinfo=UTC),
    ZoneInfo("UTC"),
)
def test_until_next_week_nothing_changes_and_then_what_is_to_come_stays(
    hours: list[WeeklyHours], at: datetime, zone: tzinfo
):
    before = windows(hours, at, zone)
    change_ms = next_week_ms(unix_ms(at), zone)
    assert unix_ms(at) < change_ms <= unix_ms(at) + (WEEK_SECONDS + 2 * 3600) * 1000
    change = datetime.fromtimestamp(change_ms / 1000, UTC)
    there = change.astimezone(zone)
    assert (there.isoweekday(), there.hour, there.minute) == (1, 0, 0)
    assert windows(hours, change - timedelta(milliseconds=1), zone) == before
    # Of one that has begun only its end matters: what touched it in the past is left out.
    after = [from_then_on(window, change_ms) for window in windows(hours, change, zone)]
    # The last may be the beginning of one that goes on in a week that wasn't written out yet.
    coming = [from_then_on(w, change_ms) for w in before if w.end_ms >= change_ms][:-1]
    assert [w for w in after if w.end_ms in {c.end_ms for c in coming}] == coming


def from_then_on(window: Window, then_ms: int) -> Window:
    return Window(max(window.start_ms, then_ms), window.end_ms)


@given(st.lists(weekly(), min_size=1, max_size=6, unique_by=lambda h: (h.weekday, h.opens_minute)))
def test_what_is_written_is_read_as_it_was(hours: list[WeeklyHours]):
    assert read(words(*hours)) == tuple(sorted(hours, key=lambda h: (h.weekday, h.opens_minute)))


@pytest.mark.parametrize("language", Language)
def test_hours_are_read_as_any_page_shows_them(language: Language):
    hours = [WeeklyHours(weekday, 60, 1440) for weekday in range(1, 8)]
    assert read(read_phrasebooks()[language].say(words(*hours))) == tuple(hours)


def test_hours_are_read_as_people_write_them():
    assert read("tue 18:00-22:00, sat 12:00-16:00") == (
        WeeklyHours(2, 1080, 1320),
        WeeklyHours(6, 720, 960),
    )
    assert read(" Fri 20:00 – 02:00 ") == (WeeklyHours(5, 1200, 1560),)
    assert read("sun 00:00-24:00") == (WeeklyHours(7, 0, 1440),)
    assert read("mon 22:00-00:00") == read("mon 22:00-24:00")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "isn't like"),
        ("tue", "isn't like"),
        ("tuesday 18:00-22:00", "isn't like"),
        ("xyz 18:00-22:00", "the days are mon, tue"),
        ("tue 18:00-22:00,", "isn't like"),
        ("tue 24:00-22:00", "00:00 to 24:00"),
        ("tue 18:60-22:00", "00:00 to 24:00"),
        ("tue 18:00-25:00", "00:00 to 24:00"),
        ("tue 18:00-18:00", "ends when it begins"),
        ("tue 18:00-22:00, tue 18:00-20:00", "begin at the same time"),
        (", ".join(f"mon 00:{minute:02}-23:59" for minute in range(29)), "29 times a week"),
    ],
)
def test_what_can_not_be_meant_is_said(text: str, said: str):
    found = read(text)
    assert isinstance(found, str)
    assert said in found


def spans(hours: WeeklyHours, monday: datetime) -> tuple[str, float]:
    """When the first one begins that day, in UTC, and how many hours it lasts."""
    first = next(
        w
        for w in windows([hours], monday.astimezone(UTC), OSLO)
        if w.start_ms >= unix_ms(monday.astimezone(UTC))
    )
    begins = datetime.fromtimestamp(first.start_ms / 1000, UTC)
    return f"{begins:%d %H:%M}", (first.end_ms + 1 - first.start_ms) / 3_600_000


MARCH = datetime(2026, 3, 23, tzinfo=OSLO)
"""On Sunday of this week clocks go from 2:00 to 3:00."""
OCTOBER = datetime(2026, 10, 19, tzinfo=OSLO)
"""On Sunday of this one, at 3:00, back to 2:00."""


def test_the_night_in_which_clocks_go_forward():
    assert spans(WeeklyHours(6, 20 * 60, 28 * 60), MARCH) == ("28 19:00", 7)
    assert spans(WeeklyHours(7, 12 * 60, 16 * 60), MARCH) == ("29 10:00", 4)
    # Half past two doesn't exist: as long after midnight as on other days.
    assert spans(WeeklyHours(7, 150, 300), MARCH) == ("29 01:30", 1.5)


def test_the_night_in_which_clocks_go_back():
    assert spans(WeeklyHours(6, 20 * 60, 28 * 60), OCTOBER) == ("24 18:00", 9)
    assert spans(WeeklyHours(7, 12 * 60, 16 * 60), OCTOBER) == ("25 11:00", 4)
    # Half past two comes twice: the first counts, at either end.
    assert spans(WeeklyHours(7, 150, 300), OCTOBER) == ("25 00:30", 3.5)
    assert spans(WeeklyHours(7, 60, 150), OCTOBER) == ("24 23:00", 1.5)


def test_an_evening_that_ends_after_midnight_on_sunday_is_not_cut_short_on_monday():
    monday = datetime(2026, 6, 8, 0, 30, tzinfo=OSLO).astimezone(UTC)
    found = windows([WeeklyHours(7, 22 * 60, 26 * 60)], monday, OSLO)
    assert window_at(found, unix_ms(monday)) is not None
