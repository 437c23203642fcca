"""What is said of a door or tool from its controller's report, and how it counts down."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.controllers.freshness import Freshness, freshness
from console.controllers.point_state import PointView, point_view
from console.controllers.shown import Shown
from sync.ids import PointKey
from sync.rights import Assurance, Point, PointKind, Staleness, staleness

NOW = datetime(2026, 11, 27, 14, 0, tzinfo=UTC)
"""A Friday."""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def point(kind: PointKind = PointKind.DOOR, *, requires_fresh: bool = False) -> Point:
    return Point(
        PointKey("front"), kind, 5, 24 * 3600, 7 * 24 * 3600, requires_fresh, Assurance.UID
    )


@dataclass(frozen=True)
class Row:
    report: dict[str, object] | None = None
    enrolled_at: datetime | None = NOW
    quarantined_at: datetime | None = None
    received_at: datetime | None = NOW - timedelta(seconds=3)
    serial: int = 0
    digest: bytes | None = None


def seen(kind: PointKind, /, *, age: timedelta = HOUR * 0, **reported: Any) -> PointView:
    """A point of which this was reported three seconds ago."""
    state = {"points": {"front": reported}, "age_ms": age // timedelta(milliseconds=1)}
    return point_view(Row({"state": state}), point(kind), NOW)


DOOR_STATES = (
    *("boot", "locked", "deciding", "released", "opened", "held_open", "forced", "unlocked"),
    *("tampered", "lockdown", "out_of_service", "fault"),
)
TOOL_STATES = (
    *("boot", "locked", "deciding", "armed", "running", "idle", "lockdown", "out_of_service"),
    *("stopped", "fault"),
)


@pytest.mark.parametrize(
    ("kind", "states"), [(PointKind.DOOR, DOOR_STATES), (PointKind.TOOL, TOOL_STATES)]
)
def test_every_state_of_a_controller_has_words_of_its_own(kind: PointKind, states: tuple[str, ...]):
    shown = [seen(kind, relay="off", state=state).state for state in states]
    assert len({each.words for each in shown}) == len(states)
    assert "Unknown" not in {each.words for each in shown}
    for each in shown:
        assert each.tone in {"", "good", "warn", "bad"}
        assert "_" not in each.words


def test_a_state_of_a_newer_controller_is_shown_as_it_is():
    strange = seen(PointKind.DOOR, relay="off", state="half_open")
    assert strange.state == Shown("Half open", "alert", "warn")
    assert seen(PointKind.DOOR, relay="off").state.words == "Unknown"


def test_while_the_relay_is_on_nothing_is_called_locked():
    for state in DOOR_STATES:
        shown = seen(PointKind.DOOR, relay="on", state=state).state
        assert shown.words != "Locked"
        if state in {"lockdown", "out_of_service", "fault", "forced", "tampered"}:
            assert shown.words.startswith("Unlocked, though it says: ")
            assert shown.tone == "bad"
    assert seen(PointKind.TOOL, relay="on", state="locked").state.words == "On"
    assert seen(PointKind.TOOL, relay="on", state="stopped").state.tone == "bad"


def test_alarms_are_told_once_and_not_what_the_state_says_already():
    view = seen(
        PointKind.DOOR,
        relay="off",
        state="forced",
        alarms=["forced", "tampered", "tampered", "solar_flare"],
    )
    assert view.state.words == "Forced open"
    assert view.alarms == ("Housing opened", "Solar flare")


@pytest.mark.parametrize("broken", [None, 3, "forced", {"a": 1}, [None, {}, ["x"]]])
def test_alarms_that_are_none_break_no_page(broken: object):
    view = seen(PointKind.DOOR, relay="off", state="locked", alarms=broken)
    assert len(view.alarms) <= 3


def test_a_leaf_that_stands_open_is_told():
    assert seen(PointKind.DOOR, relay="off", state="locked", contact="open").is_ajar
    assert not seen(PointKind.DOOR, relay="off", state="locked", contact="closed").is_ajar
    assert not seen(PointKind.DOOR, relay="off", state="locked", contact=None).is_ajar


def test_an_old_report_tells_of_no_alarm_and_no_leaf_but_of_how_long_it_goes_on():
    reported = {"relay": "off", "state": "forced", "alarms": ["tampered"], "contact": "open"}
    row = Row(
        {"state": {"points": {"front": reported}, "age_ms": 0, "faults": ["x: y"]}},
        received_at=NOW - HOUR,
    )
    view = point_view(row, point(), NOW)
    assert view.is_offline
    assert (view.word, view.alarms, view.troubles, view.is_ajar) == ("", (), (), False)
    assert view.state.words == "Offline"
    assert view.freshness is not None
    assert view.freshness.at == NOW - HOUR + 7 * DAY


def fresh(
    age: timedelta,
    *,
    heard: timedelta = HOUR * 0,
    requires_fresh: bool = False,
    level: object = "fresh",
) -> Freshness:
    """What is said of a controller that was so old when it was heard so long ago."""
    found = freshness(
        point(requires_fresh=requires_fresh),
        level=level,
        age_ms=age // timedelta(milliseconds=1),
        heard_at=NOW - heard,
        now=NOW,
    )
    assert found is not None
    return found


def test_a_fresh_door_says_how_long_it_would_go_on():
    assert fresh(timedelta(seconds=5)) == Freshness(
        Shown("Rights fresh", "check", "good"),
        "Works 7 days without the console, then break-glass cards only",
    )
    demanding = fresh(timedelta(seconds=5), requires_fresh=True)
    assert demanding.before == "Works 24 h without the console, then nobody gets in"


def test_a_door_that_hears_nothing_counts_down_to_the_moment():
    aging = fresh(HOUR, heard=2 * HOUR)
    assert aging.level.words == "Rights not fresh"
    assert aging.before == "Works without the console until"
    assert aging.at == NOW - 3 * HOUR + 7 * DAY
    assert aging.after == ": then break-glass cards only"
    assert aging.counts_down


def test_old_rights_have_no_open_hours_and_count_down_on():
    soft = fresh(2 * DAY)
    assert soft.level == Shown("Rights old", "alert", "warn")
    assert soft.before == "No open hours now; works without the console until"
    assert soft.at == NOW + 5 * DAY


def test_what_needs_rights_of_today_says_since_when_it_lets_nobody_in():
    shut = fresh(30 * HOUR, requires_fresh=True)
    assert shut.before == "Nobody gets in since"
    assert shut.at == NOW - 6 * HOUR
    assert not shut.counts_down


def test_too_old_rights_say_since_when_it_is_break_glass_cards_only():
    hard = fresh(0 * DAY, heard=8 * DAY)
    assert hard.level.tone == "bad"
    assert (hard.before, hard.at) == ("Break-glass cards only since", NOW - DAY)
    assert hard.after == ", until it hears from here"


def test_the_controller_may_know_stricter_limits_than_the_tables():
    strict = fresh(HOUR, level="hard")
    assert strict.before == "Break-glass cards only"
    assert strict.at is None
    assert fresh(2 * DAY, level="fresh").level.words == "Rights old"
    assert fresh(HOUR, level="ripe") == fresh(HOUR, level=None) == fresh(HOUR)


@pytest.mark.parametrize("age_ms", [None, "5", True, -1, 2**53, 1.5, [5]])
def test_an_age_that_can_not_be_is_not_told(age_ms: object):
    told = freshness(point(), level="fresh", age_ms=age_ms, heard_at=NOW, now=NOW)
    assert told is None


@given(
    st.integers(0, 2**53 - 1),
    st.integers(0, 400 * 24 * 3600),
    st.booleans(),
    st.sampled_from([*Staleness, None, "x"]),
)
def test_what_is_counted_down_to_is_when_the_level_changes(
    age_ms: int, heard_seconds: int, requires_fresh: bool, level: str | None
):
    place = point(requires_fresh=requires_fresh)
    heard_at = NOW - timedelta(seconds=heard_seconds)
    told = freshness(place, level=level, age_ms=age_ms, heard_at=heard_at, now=NOW)
    assert told is not None
    if told.at is None:
        return
    assert told.counts_down == (told.at > NOW)
    age_then_ms = age_ms + (told.at - heard_at) // timedelta(milliseconds=1)
    before, then = (staleness(place, age) for age in (age_then_ms - 1, age_then_ms))
    assert then is (Staleness.SOFT if requires_fresh else Staleness.HARD)
    assert before is not then
