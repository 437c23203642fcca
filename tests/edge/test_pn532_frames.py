"""A PN532's frames: the manual's examples, and the laws of every parser."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.readers.frames import Fault, FaultKind
from edge.readers.pn532_frames import (
    FRAME_BYTES_MAX,
    Answer,
    Pn532Frames,
    Response,
    Signal,
    command,
)
from tests.support.pn532_chip import ACK, SYNTAX_ERROR, answer

NACK = bytes.fromhex("00 00 FF FF 00 00")
KEPT_BYTES_MAX = 300

crumbs = st.sampled_from([b"\x00", b"\xff", b"\x00\xff", ACK, NACK, SYNTAX_ERROR, b"\xd5"])
pieces = st.one_of(
    crumbs, st.binary(max_size=20), st.binary(max_size=40).map(lambda data: answer(0x4B, *data))
)
streams = st.lists(pieces, max_size=12).map(b"".join)


def read(*chunks: bytes) -> list[Answer]:
    parser = Pn532Frames()
    return [found for chunk in chunks for found in parser.feed(chunk)]


def extended(*data: int) -> bytes:
    body = bytes([0xD5, *data])
    high, low = divmod(len(body), 256)
    header = bytes([0xFF, 0xFF, high, low, (256 - (high + low)) % 256])
    return b"\x00\x00\xff" + header + body + bytes([-sum(body) % 256, 0])


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        ("00 00 FF 00 FF 00", [Signal.ACK]),
        ("00 00 FF FF 00 00", [Signal.NACK]),
        ("00 00 FF 01 FF 7F 81 00", [Signal.ERROR]),
        ("00 00 FF 00 FF 00 00 00 FF 02 FE D5 15 16 00", [Signal.ACK, Response(0x15, b"")]),
        (
            "00 00 FF 06 FA D5 03 32 01 06 07 E8 00",
            [Response(0x03, bytes.fromhex("32 01 06 07"))],
        ),
        ("00 00 FF 03 FD D5 4B 00 E0 00", [Response(0x4B, b"\x00")]),
        (
            "00 00 FF 0C F4 D5 4B 01 01 00 04 08 04 DE AD BE EF 96 00",
            [Response(0x4B, bytes.fromhex("01 01 00 04 08 04 DE AD BE EF"))],
        ),
    ],
)
def test_the_manuals_frames(sent: str, found: list[Answer]):
    assert read(bytes.fromhex(sent)) == found


@pytest.mark.parametrize(
    ("code", "data", "sent"),
    [
        (0x02, "", "00 00 FF 02 FE D4 02 2A 00"),
        (0x32, "05 FF 01 00", "00 00 FF 06 FA D4 32 05 FF 01 00 F5 00"),
        (0x4A, "01 00", "00 00 FF 04 FC D4 4A 01 00 E1 00"),
        (
            0x40,
            "01 90 71 00 00 02 00 00 00",
            "00 00 FF 0B F5 D4 40 01 90 71 00 00 02 00 00 00 E8 00",
        ),
    ],
)
def test_commands_are_framed_as_in_the_manual(code: int, data: str, sent: str):
    assert command(code, bytes.fromhex(data)) == bytes.fromhex(sent)


def test_extended_frames_are_read_like_others():
    long = [0x4B, *(n % 256 for n in range(FRAME_BYTES_MAX - 2))]
    assert read(extended(*long) + extended(0x4B, 0)) == [
        Response(0x4B, bytes(long[1:])),
        Response(0x4B, b"\x00"),
    ]


def test_a_longer_frame_than_there_is_is_noise():
    found = read(extended(0x4B, *bytes(FRAME_BYTES_MAX - 1)) + answer(0x4B, 0))
    assert found[-1] == Response(0x4B, b"\x00")
    assert {f.kind for f in found[:-1] if isinstance(f, Fault)} == {FaultKind.NOISE}


def test_an_echo_of_a_command_is_no_answer():
    assert read(command(0x4A, b"\x01\x00")) == [Fault(FaultKind.UNASKED)]


def test_zeros_between_frames_are_filling():
    assert read(bytes(500) + ACK + bytes(500) + ACK) == [Signal.ACK, Signal.ACK]


def test_other_bytes_are_noise_with_a_fault_for_each_16():
    assert read(b"\x11" * 40) == [Fault(FaultKind.NOISE)] * 3


def test_no_damage_to_one_byte_makes_another_answer():
    sent = bytes.fromhex("00 00 FF 0C F4 D5 4B 01 01 00 04 08 04 DE AD BE EF 96 00")
    sound = read(sent)
    for place, value in itertools.product(range(len(sent)), range(256)):
        damaged = sent[:place] + bytes([value]) + sent[place + 1 :]
        responses = [found for found in read(damaged) if not isinstance(found, Fault)]
        assert responses in ([], sound)


@given(stream=streams, cuts=st.lists(st.integers(0, 300)))
def test_any_chunking_of_the_same_bytes_gives_the_same(stream: bytes, cuts: list[int]):
    whole = read(stream)
    edges = [0, *sorted(cut for cut in cuts if cut < len(stream)), len(stream)]
    assert read(*(stream[a:b] for a, b in itertools.pairwise(edges))) == whole
    assert read(*(stream[i : i + 1] for i in range(len(stream)))) == whole


@given(st.lists(st.binary(max_size=500), max_size=5))
def test_random_bytes_never_raise_and_memory_is_bounded(chunks: list[bytes]):
    parser = Pn532Frames()
    for chunk in chunks:
        list(parser.feed(chunk))
        assert len(parser._kept) < KEPT_BYTES_MAX  # pyright: ignore[reportPrivateUsage]


@given(garbage=streams)
def test_after_any_garbage_a_frame_is_recognised_within_one_longest_frame(garbage: bytes):
    sent = answer(0x4B, 0) * 28  # more bytes than garbage can make the parser wait for
    assert len(sent) > FRAME_BYTES_MAX
    assert read(garbage + sent)[-1] == Response(0x4B, b"\x00")
