"""The decision rule, as sentences."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.ids import PointKey
from sync.rights import (
    Assurance,
    Decision,
    Moment,
    Reason,
    Right,
    Staleness,
    Window,
    decide,
    staleness,
    stands_open,
)
from tests.sync.samples import DOOR, FRONT, MEMBER

NOON = Moment(1_000_000, is_trusted=True)
LATE = Moment(1_000_000, is_trusted=False)
RIGHT = Right(MEMBER, frozenset({FRONT}))


def reason(right: Right | None = RIGHT, *, moment: Moment = NOON) -> Reason:
    return decide(DOOR, right, Assurance.UID, moment).reason


def test_a_card_with_the_right_is_let_in():
    assert reason() is Reason.ALLOWED


def test_a_card_without_an_entry_is_refused():
    assert reason(None) is Reason.UNKNOWN_CARD


def test_a_right_to_another_door_is_no_right_here():
    assert reason(replace(RIGHT, points=frozenset({PointKey("back")}))) is Reason.NO_RIGHT


def test_a_point_that_the_snapshot_does_not_have_stays_shut():
    assert decide(None, RIGHT, Assurance.UID, NOON).reason is Reason.UNKNOWN_POINT


def test_a_weaker_credential_than_the_point_demands_is_refused():
    strict = replace(DOOR, min_assurance=Assurance.MUTUAL_AUTHENTICATION)
    assert decide(strict, RIGHT, Assurance.UID, NOON).reason is Reason.ASSURANCE_TOO_LOW
    assert decide(strict, RIGHT, Assurance.MUTUAL_AUTHENTICATION, NOON).is_allowed


@pytest.mark.parametrize("moment", [NOON, LATE])
def test_both_bounds_belong_to_the_right_whether_the_clock_is_trusted_or_not(moment: Moment):
    assert reason(replace(RIGHT, not_after_ms=1_000_000), moment=moment) is Reason.ALLOWED
    assert reason(replace(RIGHT, not_after_ms=999_999), moment=moment) is Reason.EXPIRED
    assert reason(replace(RIGHT, not_before_ms=1_000_000), moment=moment) is Reason.ALLOWED
    assert reason(replace(RIGHT, not_before_ms=1_000_001), moment=moment) is Reason.NOT_YET_VALID


def test_a_schedule_opens_only_within_its_windows_and_only_with_a_trusted_clock():
    inside = replace(RIGHT, schedule=(Window(0, 5), Window(999_999, 1_000_000)))
    assert reason(inside) is Reason.ALLOWED
    assert reason(inside, moment=LATE) is Reason.CLOCK_UNTRUSTED
    assert reason(replace(RIGHT, schedule=(Window(0, 5),))) is Reason.OUTSIDE_SCHEDULE
    assert reason(replace(RIGHT, schedule=())) is Reason.OUTSIDE_SCHEDULE


def aged(seconds: int, *, is_trusted: bool = True) -> Moment:
    return Moment(1_000_000, is_trusted, seconds * 1000)


DAY, WEEK = DOOR.soft_seconds, DOOR.hard_seconds


@pytest.mark.parametrize(
    ("seconds", "level"),
    [
        (0, Staleness.FRESH),
        (15 * 60 - 1, Staleness.FRESH),
        (15 * 60, Staleness.AGING),
        (DAY - 1, Staleness.AGING),
        (DAY, Staleness.SOFT),
        (WEEK - 1, Staleness.SOFT),
        (WEEK, Staleness.HARD),
    ],
)
def test_knowledge_ages_by_the_limits_of_the_point(seconds: int, level: Staleness):
    assert staleness(DOOR, seconds * 1000) is level


def test_a_door_works_for_a_week_without_the_console_and_then_for_break_glass_cards_only():
    glass = replace(RIGHT, is_break_glass=True)
    assert reason(moment=aged(WEEK - 1)) is Reason.ALLOWED
    assert reason(moment=aged(WEEK)) is Reason.TOO_STALE
    assert reason(glass, moment=aged(WEEK)) is Reason.ALLOWED
    assert reason(replace(glass, not_after_ms=5), moment=aged(WEEK)) is Reason.EXPIRED
    assert reason(None, moment=aged(WEEK)) is Reason.UNKNOWN_CARD


def test_a_point_that_requires_fresh_rights_asks_for_a_beacon_since_the_start_and_of_today():
    strict = replace(DOOR, requires_fresh=True)

    def at(moment: Moment, right: Right = RIGHT) -> Reason:
        return decide(strict, right, Assurance.UID, moment).reason

    assert at(aged(DAY - 1)) is Reason.ALLOWED
    assert at(aged(DAY)) is Reason.NOT_FRESH
    assert at(aged(0, is_trusted=False)) is Reason.NOT_FRESH
    # A card for emergencies gets people in; it makes no machine safe.
    assert at(aged(WEEK), replace(RIGHT, is_break_glass=True)) is Reason.NOT_FRESH


@given(younger=st.integers(0, 2**41), older=st.integers(0, 2**41), fresh=st.booleans())
def test_age_never_lets_anybody_in_who_was_not(younger: int, older: int, fresh: bool):
    younger, older = sorted((younger, older))
    point = replace(DOOR, requires_fresh=fresh)
    then = decide(point, RIGHT, Assurance.UID, Moment(5, True, older))
    now = decide(point, RIGHT, Assurance.UID, Moment(5, True, younger))
    assert now.is_allowed or not then.is_allowed


def test_a_door_stands_open_in_its_hours_only_by_a_trusted_clock_and_rights_of_today():
    hours = Window(999_999, 1_000_000)
    public = replace(DOOR, open_hours=(Window(0, 5), hours))
    assert stands_open(public, NOON) == hours
    assert stands_open(public, replace(NOON, now_ms=1_000_001)) is None
    assert stands_open(public, LATE) is None
    assert stands_open(public, aged(DAY)) is None
    assert stands_open(DOOR, NOON) is None


def test_only_one_reason_is_a_yes():
    assert [reason for reason in Reason if Decision(reason).is_allowed] == [Reason.ALLOWED]


@given(now=st.integers(0, 2**53), before=st.integers(0, 2**53), after=st.integers(0, 2**53))
def test_narrowing_a_right_never_lets_more_in(now: int, before: int, after: int):
    moment = Moment(now, is_trusted=True)
    narrow = replace(RIGHT, not_before_ms=before, not_after_ms=after)
    for wider in (replace(narrow, not_before_ms=None), replace(narrow, not_after_ms=None)):
        if reason(narrow, moment=moment) is Reason.ALLOWED:
            assert reason(wider, moment=moment) is Reason.ALLOWED
