"""Readers that send lines: the presets' examples, odd settings, and the laws of every parser."""

import itertools
import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.readers.drivers import DRIVERS, DriverName, build_reader
from edge.readers.frames import Fault, FaultKind, Frame, Reading
from edge.readers.line import LINE_BYTES_MAX, Checksum, Content, LineFormat, LineParser
from edge.readers.wiegand import card_of_bits
from sync.credential import Credential, CredentialType

PLAIN = LineFormat()
CHECKED = LineFormat(
    prefix=b"\x02", suffix=b"\x03", checksum=Checksum.XOR, lengths=frozenset({5}), is_reversed=True
)
INDITAG = LineFormat(prefix=b":", suffix=b"\r\n", checksum=Checksum.SUM2C, lengths=frozenset({5}))
TWN4_GREETING = b"TWN4/B1.06/CCP3.06/PRS1.03/PRS1.04\r"

formats = st.sampled_from(
    [PLAIN, CHECKED, INDITAG, LineFormat(suffix=b"#\r\n#"), LineFormat(content=Content.W26)]
)
crumbs = st.sampled_from(
    [b"\r", b"\n", b"\r\n", b"\x02", b"\x03", b":", b"#", b"#\r\n", b"0A", b"112233445501", b"\xff"]
)
streams = st.lists(st.one_of(crumbs, st.binary(max_size=90)), max_size=12).map(b"".join)


def read(line_format: LineFormat, *chunks: bytes) -> list[Reading]:
    parser = LineParser(line_format)
    return [found for chunk in chunks for found in parser.feed(chunk)]


def sent_to(driver: DriverName, data: bytes) -> list[Reading]:
    return build_reader(driver, DRIVERS[driver].line).feed(data, 0.0)


def line(number: str) -> Frame:
    return Frame(CredentialType.LINE, bytes.fromhex(number))


def w26(number: str) -> Frame:
    return Frame(CredentialType.W26, bytes.fromhex(number))


def kinds(readings: list[Reading]) -> list[FaultKind]:
    return [reading.kind for reading in readings if isinstance(reading, Fault)]


@pytest.mark.parametrize(
    ("driver", "sent", "card"),
    [
        (DriverName.TWN3, b"1A808001C0\r", w26("010003")),
        (DriverName.TWN3, b"280102345678\r", line("0102345678")),
        (DriverName.TWN3, b"20DEADBEEF\r", line("DEADBEEF")),
        (DriverName.TWN3, b"3804112233445580\r", line("04112233445580")),
        (DriverName.TWN4, b"04112233445580\r", line("04112233445580")),
        (DriverName.TWN4, b"0102345678\r\n", line("0102345678")),
        (DriverName.INDITAG, b":112233445501\r\n", line("1122334455")),
        (DriverName.W26, b"W26:7BB26E\r\n", w26("7BB26E")),
        (DriverName.W26, b"26,7BB26E\r\n", w26("7BB26E")),
        (DriverName.W26, b"26,10111101110110010011011101\n", w26("7BB26E")),
        (DriverName.W26, b"W26:2F764DD\n", w26("7BB26E")),
    ],
)
def test_a_card_is_what_the_readers_line_says(driver: DriverName, sent: bytes, card: Frame):
    assert sent_to(driver, sent) == [card]
    assert Credential(card.credential_type, card.data)


@pytest.mark.parametrize(
    ("driver", "sent", "kind"),
    [
        (DriverName.TWN4, TWN4_GREETING, FaultKind.CHARSET),
        (DriverName.TWN4, b"0102345678 \r", FaultKind.CHARSET),
        (DriverName.TWN4, b"01 02 03 04 05\r", FaultKind.CHARSET),
        (DriverName.TWN4, b"010234567\r", FaultKind.LENGTH),
        (DriverName.TWN4, b"010203040506\r", FaultKind.LENGTH),
        (DriverName.TWN3, b"1A808001C1\r", FaultKind.CHECKSUM),
        (DriverName.TWN3, b"1A008001C0\r", FaultKind.CHECKSUM),
        (DriverName.TWN3, b"1A80800180\r", FaultKind.CHECKSUM),
        (DriverName.TWN3, b"1A808001\r", FaultKind.LENGTH),
        (DriverName.TWN3, b"1A\r", FaultKind.LENGTH),
        (DriverName.TWN3, b"22808001C000\r", FaultKind.LENGTH),
        (DriverName.TWN3, b"0800\r", FaultKind.LENGTH),
        (DriverName.INDITAG, b":112233445502\r\n", FaultKind.CHECKSUM),
        (DriverName.INDITAG, b"112233445501\r\n", FaultKind.FORM),
        (DriverName.INDITAG, b":112233445501\n\r\n", FaultKind.CHARSET),
        (DriverName.INDITAG, b":1122334400\r\n", FaultKind.CHECKSUM),
        (DriverName.INDITAG, b":11223344556600\r\n", FaultKind.CHECKSUM),
        (DriverName.INDITAG, b":\r\n", FaultKind.LENGTH),
        (DriverName.W26, b"34,7BB26E\r\n", FaultKind.FORM),
        (DriverName.W26, b"7BB26E\r\n", FaultKind.FORM),
        (DriverName.W26, b"W26:7BB26\r\n", FaultKind.FORM),
        (DriverName.W26, b"W26:2F764DC\r\n", FaultKind.CHECKSUM),
        (DriverName.W26, b"W26:FF764DD\r\n", FaultKind.CHECKSUM),
        (DriverName.W26, b"26,00111101110110010011011101\n", FaultKind.CHECKSUM),
    ],
)
def test_a_line_of_another_form_is_no_card(driver: DriverName, sent: bytes, kind: FaultKind):
    assert sent_to(driver, sent) == [Fault(kind)]


def test_a_wiegand_card_is_another_card_than_an_em4100_or_a_line_of_the_same_number():
    number = bytes.fromhex("7BB26E")
    forms = {
        Credential(CredentialType.W26, number).canonical(),
        Credential(CredentialType.LINE, number).canonical(),
        Credential(CredentialType.EM4100, b"\0\0" + number).canonical(),
    }
    assert len(forms) == 3


@pytest.mark.parametrize("bits", [0b10111101110110010011011101, 0x808001C0 >> 6])
def test_one_wrong_bit_of_26_is_found(bits: int):
    assert card_of_bits(bits) is not None
    assert all(card_of_bits(bits ^ 1 << place) is None for place in range(27))


def test_the_line_end_may_be_cr_or_lf_or_both():
    assert read(PLAIN, b"\r\n\r\n0102345678\r\n0A00B26E7B\nDEADBEEF\r\r") == [
        line("0102345678"),
        line("0A00B26E7B"),
        line("DEADBEEF"),
    ]
    assert kinds(read(LineFormat(suffix=b"\n"), b"0102345678\r\n")) == [FaultKind.CHARSET]


def test_bytes_may_come_in_the_opposite_order_and_be_followed_by_their_xor():
    assert read(CHECKED, b"\x02010203040501\x03") == [line("0504030201")]
    assert kinds(read(CHECKED, b"\x02010203040502\x03")) == [FaultKind.CHECKSUM]


@pytest.mark.parametrize(
    ("sent", "number"),
    [
        (b"0012345678\r", "0000000000BC614E"),
        (b"12345678\r", "0000000000BC614E"),
        (b"18446744073709551615\r", "FF" * 8),
        (b"0\r", "00" * 8),
    ],
)
def test_a_decimal_number_is_a_card_of_8_bytes(sent: bytes, number: str):
    assert read(LineFormat(content=Content.DECIMAL), sent) == [line(number)]


@pytest.mark.parametrize("sent", [b"18446744073709551616\r", b"-1\r", b"1_0\r", b"\xb2\r"])
def test_anything_but_a_decimal_number_below_2_to_the_64_is_none(sent: bytes):
    [fault] = read(LineFormat(content=Content.DECIMAL), sent)
    assert isinstance(fault, Fault)


@pytest.mark.parametrize(
    ("pattern", "sent", "found"),
    [
        ("ID=([0-9A-F]+);.*", b"ID=0102345678;T=20\r", [line("0102345678")]),
        ("(CARD|FOB) (?P<id>[0-9A-F]+)", b"FOB 0102345678\r", [line("0102345678")]),
        ("[0-9A-F]{10}", b"0102345678\r", [line("0102345678")]),
        ("[0-9A-F]{10}", b"XX0102345678\r", [Fault(FaultKind.FORM)]),
        ("[0-9A-F]{10}", b"0102345678XX\r", [Fault(FaultKind.FORM)]),
        ("(X)|Y", b"Y\r", [Fault(FaultKind.LENGTH)]),
        (".*", "é0102345678\r".encode(), [Fault(FaultKind.FORM)]),
    ],
)
def test_a_pattern_has_to_fit_the_whole_line(pattern: str, sent: bytes, found: list[Reading]):
    assert read(LineFormat(pattern=re.compile(pattern)), sent) == found


def test_a_line_is_never_searched_for_a_card():
    for garbage in (b"X", b"0", b" ", b"\x00", b"\x02", b"CARD "):
        found = read(PLAIN, garbage + b"0102345678\r0A00B26E7B\r")
        assert found[-1] == line("0A00B26E7B")
        assert isinstance(found[0], Fault)
        assert len(found) == 2


def test_an_endless_line_is_bounded_and_told_and_the_next_one_is_read():
    sent = b"A" * 10_000 + b"\r" + b"0102345678\r"
    found = read(PLAIN, sent)
    assert found[-1] == line("0102345678")
    assert len(found) == 1 + -(-(10_001 - 65) // LINE_BYTES_MAX)
    assert set(kinds(found)) == {FaultKind.LENGTH}


def test_after_a_reset_an_unfinished_line_is_forgotten():
    parser = LineParser(PLAIN)
    parser.feed(b"01023456")
    parser.reset()
    assert parser.feed(b"0A00B26E7B\r") == [line("0A00B26E7B")]


def test_a_fault_and_a_repr_hold_nothing_of_a_card():
    assert "3456" not in repr(read(PLAIN, b"0102345678\r"))


@given(line_format=formats, stream=streams, cuts=st.lists(st.integers(0, 500)))
def test_any_chunking_of_the_same_bytes_gives_the_same(
    line_format: LineFormat, stream: bytes, cuts: list[int]
):
    whole = read(line_format, stream)
    edges = [0, *sorted(cut for cut in cuts if cut < len(stream)), len(stream)]
    assert read(line_format, *(stream[a:b] for a, b in itertools.pairwise(edges))) == whole
    assert read(line_format, *(stream[i : i + 1] for i in range(len(stream)))) == whole


@given(line_format=formats, chunks=st.lists(st.binary(max_size=500), max_size=5))
def test_random_bytes_never_raise_and_memory_is_bounded(
    line_format: LineFormat, chunks: list[bytes]
):
    parser = LineParser(line_format)
    for chunk in chunks:
        parser.feed(chunk)
        assert len(parser._kept) <= 72  # pyright: ignore[reportPrivateUsage]


@given(garbage=streams)
def test_after_any_garbage_the_second_line_is_recognised(garbage: bytes):
    for line_format, sent in ((INDITAG, b":112233445501\r\n"), (PLAIN, b"1122334455\r")):
        found = read(line_format, garbage + sent + sent)
        assert found[-1] == line("1122334455")


@pytest.mark.parametrize(
    ("line_format", "sent"),
    [(INDITAG, b":112233445501\r\n"), (CHECKED, b"\x02554433221111\x03")],
)
def test_with_a_checksum_and_a_fixed_length_no_damaged_byte_makes_another_card(
    line_format: LineFormat, sent: bytes
):
    card = line("1122334455")
    assert read(line_format, sent) == [card]
    for place, value in itertools.product(range(len(sent)), range(256)):
        damaged = sent[:place] + bytes([value]) + sent[place + 1 :]
        found = read(line_format, sent + damaged + sent)
        assert {reading for reading in found if isinstance(reading, Frame)} == {card}


def test_a_million_bytes_take_no_longer_than_they_are_many():
    noise = random.Random(1).randbytes(1_000_000)
    for line_format in (PLAIN, CHECKED, INDITAG):
        assert len(read(line_format, noise)) < 1_000_000
    assert read(PLAIN, b"\r" * 1_000_000) == []
