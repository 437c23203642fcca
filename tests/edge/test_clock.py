"""The clock never goes backwards, and only a fresh beacon makes it trusted."""

from hypothesis import given
from hypothesis import strategies as st

from edge.clock import ODD_MS, START_MS, UNHEARD_MS, Clock, Timekeeper, oddities
from sync.ids import BootId
from sync.rights import Moment

TIME = st.integers(0, 2**53)
STEP = st.tuples(st.integers(0, 10**9), st.none() | TIME)
T = 1_790_000_000_000


@given(start=TIME, steps=st.lists(STEP, max_size=30))
def test_whatever_beacons_say_the_clock_never_goes_backwards(
    start: int, steps: list[tuple[int, int | None]]
) -> None:
    clock, mono_ms, last_ms = Clock(start, 0), 0, start
    for passed_ms, beacon_ms in steps:
        mono_ms += passed_ms
        if beacon_ms is not None:
            clock = clock.after_beacon(beacon_ms, mono_ms)
            assert clock.moment(mono_ms).now_ms >= beacon_ms
        now_ms = clock.moment(mono_ms).now_ms
        assert now_ms >= last_ms + passed_ms
        last_ms = now_ms


def test_the_clock_runs_on_from_the_mark_and_is_not_trusted_before_a_beacon() -> None:
    clock = Clock(T, 100)
    assert clock.moment(5_100) == Moment(T + 5_000, is_trusted=False)
    assert clock.after_beacon(T + 90_000, 5_100).moment(6_100) == Moment(T + 91_000, True)


def test_a_beacon_from_the_past_makes_trusted_but_does_not_set_back() -> None:
    assert Clock(T, 0).after_beacon(T - 9_000, 50).moment(50) == Moment(T + 50, True)


def test_a_jump_is_odd_only_when_the_clock_was_trusted() -> None:
    jumped = T + ODD_MS + 1
    assert oddities(Moment(T, False), jumped, jumped) == ()
    assert oddities(Moment(T, True), jumped, jumped) == ("the console's clock jumped ahead",)
    assert oddities(Moment(T, True), T + ODD_MS, T) == ()


def test_a_console_behind_and_a_wrong_wall_clock_are_odd() -> None:
    assert oddities(Moment(T, False), T - ODD_MS - 1, T) == (
        "the console's clock is behind this controller's",
        "the operating system's clock differs from the console's",
    )


def test_the_operating_systems_clock_moves_nothing() -> None:
    wall_ns = iter([5, 10**30, -(10**30)])
    mono_ns = iter(range(0, 100_000_000_000, 1_000_000_000))
    keeper = Timekeeper(
        BootId("0" * 32), mono_ns=lambda: next(mono_ns), wall_ns=lambda: next(wall_ns)
    )
    keeper.start_at(T)
    times = [keeper.now().moment.now_ms for _ in range(3)]
    assert times == [T + 2_000, T + 3_000, T + 4_000]


def test_the_persisted_mark_never_sets_a_running_clock_back() -> None:
    keeper = Timekeeper(BootId("0" * 32), mono_ns=lambda: 0, wall_ns=lambda: T * 1_000_000)
    keeper.hear_beacon(T)
    keeper.start_at(T - 1)
    assert keeper.moment() == Moment(T, True, UNHEARD_MS)


class Ticking:
    """A timekeeper whose monotonic clock is moved by hand."""

    def __init__(self) -> None:
        self.ms = 0
        self.keeper = Timekeeper(
            BootId("0" * 32), mono_ns=lambda: self.ms * 1_000_000, wall_ns=lambda: 0
        )

    @property
    def age_ms(self) -> int:
        return self.keeper.moment().age_ms


def test_a_controller_that_never_heard_the_console_is_too_old_for_anything() -> None:
    ticking = Ticking()
    assert ticking.age_ms == UNHEARD_MS
    ticking.keeper.start_at(T)
    assert ticking.age_ms == UNHEARD_MS


def test_each_start_adds_an_hour_to_the_age_and_so_does_each_hour() -> None:
    ticking = Ticking()
    ticking.keeper.start_at(T, 5_000)
    assert ticking.age_ms == 5_000 + START_MS
    ticking.ms += 7_000
    assert ticking.age_ms == 12_000 + START_MS


def test_a_start_that_takes_long_makes_the_rights_older_and_the_hour_later() -> None:
    ticking = Ticking()
    ticking.ms = 9_000
    ticking.keeper.start_at(T, 5_000)
    assert ticking.age_ms == 14_000 + START_MS
    assert ticking.keeper.moment().now_ms == T + 9_000


def test_an_answer_makes_the_rights_as_young_as_its_question() -> None:
    ticking = Ticking()
    ticking.keeper.start_at(T, 0)
    ticking.ms = 60_000
    ticking.keeper.refresh(48_000)
    assert ticking.age_ms == 12_000
    # Told again: the answer to an older question makes nothing older, and nothing younger.
    ticking.keeper.refresh(45_000)
    assert ticking.age_ms == 12_000


def test_the_time_alone_makes_no_right_younger() -> None:
    ticking = Ticking()
    ticking.keeper.start_at(T, 0)
    ticking.keeper.hear_beacon(T + 5)
    assert ticking.age_ms == START_MS
