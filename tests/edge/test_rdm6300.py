"""RDM6300 and ID-12LA/20LA: the design's example frames, the known quirks, and the laws."""

import itertools
import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edge.readers.drivers import DriverName, build_reader
from edge.readers.frames import Fault, FaultKind, Frame, Reading
from edge.readers.rdm6300 import FRAME_BYTES_MAX, Rdm6300Parser
from sync.credential import CredentialType
from tests.support.serial_line import Make, frame

CARD_A, CARD_B = "0102345678", "0A00B26E7B"

cards = st.binary(min_size=5, max_size=5)
makes = st.sampled_from(["rdm6300", "id12la"])
# Mostly what frames are made of, so that the interesting cases are not drowned in noise.
crumbs = st.sampled_from([b"\x02", b"\x03", b"\r", b"\n", b"\x00", b"A", b"0", b"a", b"\xff"])
pieces = st.one_of(
    crumbs,
    st.binary(max_size=20),
    st.builds(frame, cards.map(bytes.hex), makes),
)
streams = st.lists(pieces, max_size=12).map(b"".join)


def read(*chunks: bytes) -> list[Reading]:
    parser = Rdm6300Parser()
    return [found for chunk in chunks for found in parser.feed(chunk)]


def card(card_hex: str) -> Frame:
    return Frame(CredentialType.EM4100, bytes.fromhex(card_hex))


def frames(readings: list[Reading]) -> list[Frame]:
    return [reading for reading in readings if isinstance(reading, Frame)]


def kinds(readings: list[Reading]) -> list[FaultKind]:
    return [reading.kind for reading in readings if isinstance(reading, Fault)]


@pytest.mark.parametrize(
    ("sent", "card_hex"),
    [
        ("02 30 31 30 32 33 34 35 36 37 38 31 39 03", "0102345678"),
        ("02 30 41 30 30 42 32 36 45 37 42 41 44 03", "0A00B26E7B"),
        ("02 30 30 30 30 36 32 45 33 30 38 38 39 03", "000062E308"),
        ("02 30 43 30 30 30 36 32 31 41 35 38 45 0D 0A 03", "0C000621A5"),
    ],
)
def test_a_frame_is_the_five_bytes_of_its_card(sent: str, card_hex: str):
    assert read(bytes.fromhex(sent)) == [card(card_hex)]


def test_the_checksum_that_the_datasheet_misprints_is_refused():
    """The ID-12LA datasheet's prose gives 6E for its own example, whose bytes say 8E."""
    assert read(b"\x020C000621A56E\r\n\x03") == [Fault(FaultKind.CHECKSUM)]


def test_lower_case_digits_are_refused():
    assert read(frame(CARD_B).lower()) == [Fault(FaultKind.CHARSET)]


def test_a_first_frame_that_is_cut_off_at_the_front_is_noise():
    for missing in range(1, 14):
        found = read(frame(CARD_A)[missing:] + frame(CARD_B))
        assert frames(found) == [card(CARD_B)]
        assert kinds(found) == [FaultKind.NOISE]


def test_a_frame_that_is_cut_off_at_the_end_does_not_cost_the_next_one():
    for length in range(1, 14):
        found = read(frame(CARD_A)[:length] + frame(CARD_B))
        assert found == [Fault(FaultKind.LENGTH), card(CARD_B)]


def test_nul_bytes_between_frames_are_passed_over():
    found = read(b"\x00" * 40 + frame(CARD_A) + b"\x00" + frame(CARD_A))
    assert frames(found) == [card(CARD_A)] * 2
    assert kinds(found) == [FaultKind.NOISE] * 4  # one for each 16 of a run


def test_a_nul_byte_within_a_frame_spoils_it():
    sent = frame(CARD_A)
    assert read(sent[:5] + b"\x00" + sent[5:]) == [Fault(FaultKind.LENGTH)]


def test_two_cards_in_turn_are_two_cards():
    sent = b"".join(frame(CARD_A) + frame(CARD_B) for _ in range(10))
    assert read(sent) == [card(CARD_A), card(CARD_B)] * 10


def test_two_cards_within_one_frame_are_neither_a_third_one():
    one, other = frame(CARD_A), frame(CARD_B)
    for cut, resume in itertools.product(range(1, 14), range(1, 14)):
        found = read(one[:cut] + other[resume:])
        assert set(frames(found)) <= {card(CARD_A), card(CARD_B)}


def test_a_repeating_reader_gives_a_frame_each_time():
    assert read(frame(CARD_A) * 1000) == [card(CARD_A)] * 1000


@pytest.mark.parametrize(
    "body",
    [
        "010234567819\r\n\r\n",
        "010234567819\n\r",
        "010234567819\r",
        "010234567819\n",
        "0102345678\r\n",
        "01023456781",
        "0102345678199",
        "010234567819 ",
        "\r\n010234567819",
        "",
    ],
)
def test_anything_but_one_line_end_and_twelve_digits_is_the_wrong_length(body: str):
    assert frames(read(b"\x02" + body.encode() + b"\x03")) == []
    assert FaultKind.LENGTH in kinds(read(b"\x02" + body.encode() + b"\x03"))


@pytest.mark.parametrize("character", [" ", "+", "-", "_", "G", "g", "\x00", "\u0663"])
def test_only_hex_digits_are_digits(character: str):
    body = ("01023456781" + character).encode()[:12]
    assert read(b"\x02" + body + b"\x03") in (
        [Fault(FaultKind.CHARSET)],
        [Fault(FaultKind.LENGTH)],
    )


def test_a_fault_and_a_repr_hold_nothing_of_a_card():
    assert "34" not in repr(read(frame(CARD_A)))
    assert Fault.__slots__ == ("kind",)


def test_after_a_reset_an_unfinished_frame_is_forgotten():
    parser = Rdm6300Parser()
    parser.feed(frame(CARD_A)[:8])
    parser.reset()
    assert frames(parser.feed(frame(CARD_A)[8:])) == []


def test_every_driver_reads_its_frames():
    for name in (DriverName.RDM6300, DriverName.ID12LA, DriverName.ID20LA):
        reader = build_reader(name, None)
        assert reader.feed(frame(CARD_A), 0.0) == [card(CARD_A)]
        assert reader.feed(frame(CARD_A, "id12la"), 0.0) == [card(CARD_A)]


@given(card_bytes=cards, make=makes)
def test_every_card_comes_back_as_it_was(card_bytes: bytes, make: Make):
    assert read(frame(card_bytes.hex(), make)) == [card(card_bytes.hex())]


@given(stream=streams, cuts=st.lists(st.integers(min_value=0, max_value=300)))
@example(stream=frame(CARD_A), cuts=list(range(14)))
def test_any_chunking_of_the_same_bytes_gives_the_same(stream: bytes, cuts: list[int]):
    whole = read(stream)
    edges = [0, *sorted(cut for cut in cuts if cut < len(stream)), len(stream)]
    assert read(*(stream[a:b] for a, b in itertools.pairwise(edges))) == whole
    assert read(*(stream[i : i + 1] for i in range(len(stream)))) == whole


@given(st.lists(st.binary(max_size=500), max_size=5))
def test_random_bytes_never_raise_and_memory_is_bounded(chunks: list[bytes]):
    parser = Rdm6300Parser()
    for chunk in chunks:
        parser.feed(chunk)
        assert len(parser._body or b"") < FRAME_BYTES_MAX  # pyright: ignore[reportPrivateUsage]


@given(card_bytes=cards, make=makes, data=st.data())
def test_one_damaged_byte_never_makes_another_card(
    card_bytes: bytes, make: Make, data: st.DataObject
):
    sent = frame(card_bytes.hex(), make)
    place = data.draw(st.integers(0, len(sent) - 1))
    damaged = bytearray(sent)
    damaged[place] = data.draw(st.integers(0, 255))
    assert set(frames(read(bytes(damaged) + sent))) == {card(card_bytes.hex())}


def test_no_damage_to_one_byte_of_the_example_makes_another_card():
    sent = frame(CARD_A, "id12la")
    for place, value in itertools.product(range(len(sent)), range(256)):
        damaged = sent[:place] + bytes([value]) + sent[place + 1 :]
        assert set(frames(read(damaged))) <= {card(CARD_A)}


@given(garbage=st.one_of(st.binary(max_size=64), streams), card_bytes=cards, make=makes)
def test_a_frame_is_recognised_after_any_garbage(garbage: bytes, card_bytes: bytes, make: Make):
    assert read(garbage + frame(card_bytes.hex(), make))[-1] == card(card_bytes.hex())


def test_a_million_bytes_take_no_longer_than_they_are_many():
    noise = random.Random(1).randbytes(1_000_000)
    assert len(read(noise)) < 1_000_000
    assert len(read(b"\x02" * 200_000)) == 199_999
