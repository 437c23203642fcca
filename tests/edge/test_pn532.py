"""The conversation with a PN532, on a clock of the test's own."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.readers import pn532
from edge.readers.frames import Fault, FaultKind, Frame, Reading
from edge.readers.pn532 import Pn532Reader, read_targets
from sync.credential import CredentialType
from tests.support.pn532_chip import ACK, SYNTAX_ERROR, answer

WOKEN = bytes.fromhex("00 00 FF 02 FE D5 15 16 00")
VERSION = bytes.fromhex("00 00 FF 06 FA D5 03 32 01 06 07 E8 00")
CONFIGURED = answer(0x33)
NOBODY = bytes.fromhex("00 00 FF 03 FD D5 4B 00 E0 00")
CLASSIC = bytes.fromhex("00 00 FF 0C F4 D5 4B 01 01 00 04 08 04 DE AD BE EF 96 00")
DESFIRE = bytes.fromhex(
    "00 00 FF 15 EB D5 4B 01 01 03 44 20 07 04 11 22 33 44 55 80 06 75 77 81 02 80 F8 00"
)

WAKE = bytes.fromhex("55 55" + "00" * 14 + "FF 03 FD D4 14 01 17 00")
ASK_VERSION = bytes.fromhex("00 00 FF 02 FE D4 02 2A 00")
SET_RETRIES = bytes.fromhex("00 00 FF 06 FA D4 32 05 FF 01 00 F5 00")
POLL = bytes.fromhex("00 00 FF 04 FC D4 4A 01 00 E1 00")
FIELD_OFF = bytes.fromhex("00 00 FF 04 FC D4 32 01 00 F9 00")


def card(uid: str) -> Frame:
    return Frame(CredentialType.ISO14443A, bytes.fromhex(uid))


class Table:
    """A reader on a test's table: what it says is taken, and time passes when it waits."""

    def __init__(self) -> None:
        self.reader = Pn532Reader()
        self.now = 100.0
        self.reader.begin(self.now)

    def said(self) -> bytes:
        return self.reader.outgoing()

    def hear(self, data: bytes) -> list[Reading]:
        self.now += 0.005
        return self.reader.feed(data, self.now)

    def wait(self) -> float:
        """Until it wants to go on; returns for how long that was."""
        due = self.reader.due_at()
        assert due is not None
        waited, self.now = due - self.now, due
        assert self.reader.tick(due) == []
        return waited

    def set_up(self) -> None:
        for said, answered in ((WAKE, WOKEN), (ASK_VERSION, VERSION), (SET_RETRIES, CONFIGURED)):
            assert self.said() == said
            assert self.hear(ACK + answered) == []
        assert self.said() == b""
        self.wait()

    def answer_poll(self, data: bytes) -> list[Reading]:
        assert self.said() == POLL
        return self.hear(ACK) + self.hear(data)


@pytest.fixture
def table() -> Table:
    ready = Table()
    ready.set_up()
    return ready


def test_before_anything_else_it_is_woken_and_told_not_to_wait_for_cards_for_ever():
    table = Table()
    assert table.reader.is_answering is None
    table.set_up()
    assert table.reader.is_answering is True
    assert table.said() == POLL


@pytest.mark.parametrize(
    ("found", "uid"), [(CLASSIC, "DE AD BE EF"), (DESFIRE, "04 11 22 33 44 55 80")]
)
def test_a_card_is_its_uid(table: Table, found: bytes, uid: str):
    assert table.answer_poll(found) == [card(uid)]


def test_a_card_that_stays_is_found_each_time_because_the_field_was_off_in_between(table: Table):
    for _ in range(20):
        assert table.answer_poll(CLASSIC) == [card("DE AD BE EF")]
        assert table.said() == FIELD_OFF
        assert table.hear(ACK + CONFIGURED) == []
        assert table.said() == b""
        assert 0 < table.wait() <= pn532.POLL_SECONDS
    assert table.answer_poll(NOBODY) == []
    assert table.said() == b"", "without a card the field is left alone"


def test_it_is_asked_eight_times_a_second_and_every_5_s_who_it_is(table: Table):
    began, polls, versions = table.now, 0, 0
    while table.now < began + 60:
        said = table.said()
        polls, versions = polls + (said == POLL), versions + (said == ASK_VERSION)
        table.hear(ACK + (NOBODY if said == POLL else VERSION))
        table.wait()
    assert polls == pytest.approx(60 / pn532.POLL_SECONDS, rel=0.1)
    assert versions == pytest.approx(60 / pn532.PING_SECONDS, abs=1)


def test_what_answers_as_another_chip_is_no_reader():
    table = Table()
    table.hear(ACK + WOKEN)
    assert table.said() == ASK_VERSION
    assert table.hear(ACK + answer(0x03, 0x33, 1, 6, 7)) == [Fault(FaultKind.LENGTH)]
    table.wait()
    assert table.said() == WAKE


def test_three_failures_wake_it_again_at_once(table: Table):
    assert [table.said(), table.wait()] == [POLL, pytest.approx(pn532.ACK_SECONDS)]
    assert table.wait() == pytest.approx(pn532.POLL_SECONDS)
    assert table.said() == POLL
    assert table.hear(ACK) == []
    assert table.wait() == pytest.approx(pn532.RESPONSE_SECONDS)
    assert table.wait() == pytest.approx(pn532.POLL_SECONDS)
    assert table.said() == POLL
    table.wait()
    assert table.said() == WAKE
    assert table.reader.is_answering is True, "it may have lost its power for a moment"
    assert table.hear(ACK + WOKEN) == []
    assert table.said() == ASK_VERSION


def test_one_that_stays_away_is_silent_and_asked_ever_less_often(table: Table):
    began = table.now
    while table.reader.is_answering:
        table.said()
        table.wait()
    assert table.now - began < 2
    waits: list[float] = []
    while table.now < began + 60:
        if table.said() == b"":
            waits.append(table.wait())
        else:
            assert table.wait() == pytest.approx(pn532.WAKE_SECONDS)
    assert waits == pytest.approx(sorted(waits))
    assert waits[-1] == pytest.approx(pn532.BACKOFF_SECONDS_MAX)
    while table.said() != WAKE:
        table.wait()
    for answered in (WOKEN, VERSION, CONFIGURED):
        table.hear(ACK + answered)
    assert table.reader.is_answering is True


def test_an_answer_counts_only_once_its_command_was_acknowledged(table: Table):
    assert table.said() == POLL
    assert table.hear(CLASSIC) == [Fault(FaultKind.UNASKED)]
    assert table.hear(ACK) == []
    assert table.hear(answer(0x03, 0x32, 1, 6, 7)) == [Fault(FaultKind.UNASKED)]
    assert table.hear(CLASSIC) == [card("DE AD BE EF")]
    assert table.hear(CLASSIC) == [Fault(FaultKind.UNASKED)]


def test_an_answer_that_comes_too_late_is_for_nobody(table: Table):
    assert table.said() == POLL
    table.hear(ACK)
    table.wait()
    table.wait()
    assert table.said() == POLL
    assert table.hear(CLASSIC) == [Fault(FaultKind.UNASKED)]
    assert table.hear(ACK + NOBODY) == []


def test_half_an_answer_is_forgotten_when_the_next_thing_is_asked(table: Table):
    assert table.said() == POLL
    table.hear(ACK + bytes.fromhex("00 00 FF FF FF 01 00 FF"))  # 256 bytes that never come
    table.wait()
    table.wait()
    assert table.answer_poll(CLASSIC) == [card("DE AD BE EF")]


def test_a_command_that_it_does_not_understand_is_a_failure(table: Table):
    assert table.answer_poll(SYNTAX_ERROR) == [Fault(FaultKind.UNASKED)]
    assert table.wait() == pytest.approx(pn532.POLL_SECONDS)


def test_a_port_that_is_opened_again_begins_anew(table: Table):
    table.reader.begin(table.now)
    assert table.reader.is_answering is None
    assert table.said() == WAKE


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ("", FaultKind.LENGTH),
        ("03", FaultKind.LENGTH),
        ("01", FaultKind.LENGTH),
        ("01 01 00 04", FaultKind.LENGTH),
        ("01 01 00 04 08", FaultKind.LENGTH),
        ("01 01 00 04 08 04", FaultKind.LENGTH),
        ("01 01 00 04 08 04 DE AD BE", FaultKind.LENGTH),
        ("01 01 00 04 08 04 DE AD BE EF 00", FaultKind.LENGTH),
        ("01 02 00 04 08 04 DE AD BE EF", FaultKind.LENGTH),
        ("01 01 00 04 08 05 DE AD BE EF 00", FaultKind.LENGTH),
        ("01 01 00 04 08 00", FaultKind.LENGTH),
        ("01 01 00 04 08 FF DE AD BE EF", FaultKind.LENGTH),
        ("01 01 03 44 20 07 04 11 22 33 44 55 80 07 75 77 81 02 80", FaultKind.LENGTH),
        ("00 01 00 04 08 04 DE AD BE EF", FaultKind.LENGTH),
        ("02 01 00 04 08 04 DE AD BE EF", FaultKind.LENGTH),
        ("01 01 00 04 08 04 88 04 11 22", FaultKind.FORM),
        ("01 01 00 04 04 04 DE AD BE EF", FaultKind.FORM),
    ],
)
def test_a_card_that_is_not_all_there_is_none(data: str, kind: FaultKind):
    """Among them the first level of a longer UID, which begins with the cascade tag 88."""
    assert read_targets(bytes.fromhex(data)) == [Fault(kind)]


def test_uids_have_4_7_or_10_bytes_and_two_cards_are_two():
    triple = bytes.fromhex("01 01 00 84 00 0A") + bytes(range(10))
    assert read_targets(triple) == [card(bytes(range(10)).hex())]
    two = "02 01 03 44 20 07 04 11 22 33 44 55 80 06 75 77 81 02 80 02 00 04 08 04 DE AD BE EF"
    assert read_targets(bytes.fromhex(two)) == [
        card("04 11 22 33 44 55 80"),
        card("DE AD BE EF"),
    ]
    without_ats = "01 01 03 44 20 07 04 11 22 33 44 55 80"
    assert read_targets(bytes.fromhex(without_ats)) == [card("04 11 22 33 44 55 80")]


@given(st.binary(max_size=60))
def test_any_targets_are_cards_or_one_fault(data: bytes):
    found = read_targets(data)
    assert all(isinstance(reading, Frame) for reading in found) or len(found) == 1


def test_no_damage_to_one_byte_makes_another_card():
    for sent, uid in ((CLASSIC, "DE AD BE EF"), (DESFIRE, "04 11 22 33 44 55 80")):
        for place, value in itertools.product(range(len(ACK + sent)), range(0, 256, 5)):
            whole = ACK + sent
            table = Table()
            table.set_up()
            found = table.hear(whole[:place] + bytes([value]) + whole[place + 1 :])
            assert {reading for reading in found if isinstance(reading, Frame)} <= {card(uid)}


@given(
    stream=st.lists(
        st.one_of(
            st.sampled_from([ACK, WOKEN, VERSION, CONFIGURED, NOBODY, CLASSIC, DESFIRE]),
            st.binary(max_size=10),
        ),
        max_size=12,
    ).map(b"".join)
)
def test_any_chunking_of_the_same_bytes_gives_the_same(stream: bytes):
    whole, pieces = Pn532Reader(), Pn532Reader()
    whole.begin(0.0)
    pieces.begin(0.0)
    found = [pieces.feed(stream[i : i + 1], 0.0) for i in range(len(stream))]
    assert whole.feed(stream, 0.0) == list(itertools.chain.from_iterable(found))
    assert (whole.outgoing(), whole.due_at()) == (pieces.outgoing(), pieces.due_at())
