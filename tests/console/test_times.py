"""Moments in words."""

import re
import time
from collections.abc import Generator
from datetime import UTC, datetime, timedelta

import pytest

from console.web.times import ago, coming, day, day_and_time, exact, filters, left, length
from console.words import IN_ENGLISH

NOW = datetime(2026, 12, 2, 10, 30, tzinfo=UTC)


@pytest.fixture
def oslo(monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    monkeypatch.setenv("TZ", "Europe/Oslo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("oslo")
def test_below_a_day_it_is_said_how_long_ago() -> None:
    def words(**age: float) -> str:
        return ago(NOW - timedelta(**age), NOW)

    assert words(seconds=0) == "just now"
    assert words(seconds=-3) == "just now", "two clocks are never quite equal"
    assert words(seconds=40) == "40 s ago"
    assert words(seconds=61) == "1 min ago"
    assert words(minutes=59.9) == "59 min ago"
    assert words(hours=23.9) == "23 h ago"
    assert words(hours=24) == "Yesterday 11:30"
    assert words(days=400) == "28 October 2025 11:30"
    assert words(hours=-1) == "Today 12:30"


@pytest.mark.usefixtures("oslo")
def test_days_begin_at_midnight_in_the_space_and_summer_time_is_kept() -> None:
    just_after_midnight = datetime(2026, 12, 1, 23, 5, tzinfo=UTC)
    assert day_and_time(just_after_midnight, NOW) == "Today 00:05"
    assert day_and_time(just_after_midnight - timedelta(minutes=10), NOW) == "Yesterday 23:55"
    summer = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)
    assert day(summer, NOW) == "2 July"
    assert exact(summer) == "Thursday 2 July 2026 00:30:00 CEST"
    assert exact(NOW) == "Wednesday 2 December 2026 11:30:00 CET"


@pytest.mark.usefixtures("oslo")
def test_what_is_ahead_has_its_weekday_within_a_week() -> None:
    assert coming(NOW + timedelta(hours=5), NOW) == "today 16:30"
    assert coming(NOW + timedelta(hours=20), NOW) == "tomorrow 07:30"
    assert coming(NOW + timedelta(days=6), NOW) == "Tue 11:30"
    assert coming(NOW + timedelta(days=7), NOW) == "9 December 11:30"
    assert coming(NOW - timedelta(days=1), NOW) == "1 December 11:30"


def test_a_countdown_is_never_more_than_what_is_left() -> None:
    def words(**ahead: float) -> str:
        return left(NOW + timedelta(**ahead), NOW)

    assert words(days=6.9) == "in 6 days"
    assert words(hours=47) == "in 47 h"
    assert words(minutes=59.9) == "in 59 min"
    assert words(seconds=12) == "in 12 s"
    assert words(seconds=0) == words(days=-3) == "now"


def test_a_length_of_time_is_rounded_down() -> None:
    lengths = (5, 59 * 60, 5400, 3600, 47 * 3600 + 1800, 48 * 3600, 7 * 24 * 3600 + 5)
    assert [length(seconds) for seconds in lengths] == [
        *("5 s", "59 min", "1 h 30 min", "1 h", "47 h", "2 days", "7 days")
    ]


@pytest.mark.usefixtures("oslo")
def test_a_tag_has_the_exact_moment_for_programs_and_people() -> None:
    tag = str(filters(IN_ENGLISH)["ago"](datetime.now(UTC)))
    assert re.search(r'datetime="20[-0-9]{8}T[:0-9]{8}Z"', tag)
    assert "data-ago" in tag
    assert ">just now</time>" in tag


@pytest.mark.usefixtures("oslo")
def test_the_title_of_a_day_says_what_the_day_leaves_out() -> None:
    tag = str(filters(IN_ENGLISH)["day"](NOW))
    assert 'title="Wednesday 11:30:00 CET"' in tag
    assert ">2 December" in tag
