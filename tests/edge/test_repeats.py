"""One presentation is one tap."""

from hypothesis import given
from hypothesis import strategies as st

from edge.readers.frames import Frame
from edge.repeats import CARDS_MAX, GONE_SECONDS, TWICE_SECONDS, Repeats, Twice
from sync.credential import CredentialType

REPEAT_SECONDS = 0.065


def card(number: int) -> Frame:
    return Frame(CredentialType.EM4100, number.to_bytes(5, "big"))


def taps(readings: list[tuple[float, int]]) -> list[tuple[float, int]]:
    repeats = Repeats()
    return [(at, number) for at, number in readings if repeats.is_tap(card(number), at)]


def test_a_card_that_lies_on_the_reader_for_an_hour_is_one_tap():
    repeats = [(i * REPEAT_SECONDS, 1) for i in range(int(3600 / REPEAT_SECONDS))]
    assert taps(repeats) == [(0.0, 1)]


def test_a_card_that_was_away_long_enough_is_a_new_tap():
    assert taps([(0.0, 1), (1.499, 1)]) == [(0.0, 1)]
    assert taps([(0.0, 1), (1.5, 1)]) == [(0.0, 1), (1.5, 1)]
    assert taps([(0.0, 1), (1.0, 1), (2.0, 1)]) == [(0.0, 1)]


def test_another_card_is_a_tap_at_once():
    assert taps([(0.0, 1), (0.0, 2), (0.01, 3)]) == [(0.0, 1), (0.0, 2), (0.01, 3)]


def test_two_cards_in_turn_are_two_taps():
    repeats = [(i * REPEAT_SECONDS, i % 2) for i in range(1000)]
    assert taps(repeats) == repeats[:2]


def test_equal_numbers_of_different_types_are_different_cards():
    repeats = Repeats()
    assert repeats.is_tap(card(1), 0.0)
    assert repeats.is_tap(Frame(CredentialType.OSDP, (1).to_bytes(5, "big")), 0.0)


def test_memory_is_bounded_whatever_is_read():
    repeats = Repeats()
    for number in range(10_000):
        assert repeats.is_tap(card(number), number / 1e6)
        assert len(repeats._last_read) <= CARDS_MAX  # pyright: ignore[reportPrivateUsage]


def test_as_many_cards_as_a_line_can_carry_are_one_tap_each():
    frame_seconds = 0.01458
    cards_at_once = int(GONE_SECONDS / frame_seconds)
    repeats = [(i * frame_seconds, i % cards_at_once) for i in range(5 * cards_at_once)]
    assert len(taps(repeats)) == cards_at_once


@given(
    st.lists(
        st.tuples(st.floats(min_value=0, max_value=3), st.integers(min_value=0, max_value=3)),
        max_size=60,
    )
)
def test_a_frame_is_a_tap_exactly_if_its_card_was_not_read_just_before(
    steps: list[tuple[float, int]],
):
    repeats, now = Repeats(), 0.0
    read_at: dict[int, float] = {}
    for pause, number in steps:
        now += pause
        expected = number not in read_at or now - read_at[number] >= GONE_SECONDS
        assert repeats.is_tap(card(number), now) is expected
        read_at[number] = now


def test_a_phone_that_lies_there_is_one_tap_though_its_number_is_another_each_time():
    repeats = Repeats()
    phones = [
        Frame(CredentialType.ISO14443A, b"\x08" + number.to_bytes(3, "big"))
        for number in range(1000)
    ]
    found = [repeats.is_tap(phone, 0.125 * n) for n, phone in enumerate(phones)]
    assert found == [True] + [False] * 999
    assert repeats.is_tap(Frame(CredentialType.ISO14443A, bytes(4)), 0.125 * 999)


def test_a_card_that_was_read_twice_within_a_moment_passes():
    twice = Twice()
    assert not twice.is_second(card(1), 0.0)
    assert twice.is_second(card(1), 0.065)
    assert twice.is_second(card(1), 0.13)
    assert not twice.is_second(card(1), 0.13 + TWICE_SECONDS)


def test_two_cards_in_turn_pass_each_for_itself():
    twice = Twice()
    passed = [twice.is_second(card(number), 0.05 * n) for n, number in enumerate([1, 2, 1, 2])]
    assert passed == [False, False, True, True]
