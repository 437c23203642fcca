"""A reader at a real pseudo-terminal: what it says, what is said to it, and what is told of it."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from edge.listening import LOOK_SECONDS, STANDSTILL_SECONDS, Listening
from edge.port import Port
from edge.readers.frames import Frame
from edge.readers.pn532 import POLL_SECONDS, Pn532Reader
from edge.readers.rdm6300 import Rdm6300Parser
from edge.readers.reader import OneWay, Reader
from edge.readers.trouble import ReaderState
from sync.credential import CredentialType
from sync.events import Occurrence
from sync.ids import PointKey
from tests.support.pn532_chip import CLASSIC, DESFIRE, TRIPLE, Card, Pn532Chip
from tests.support.serial_line import SerialLine, frame
from tests.support.waiting import eventually

CARD = "0102345678"


class Heard:
    """What came of it."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.changes = 0

    def changed(self) -> None:
        self.changes += 1

    def uids(self) -> list[bytes]:
        return [frame.data for frame in self.frames]


async def unrecorded(_occurrence: Occurrence) -> None:
    """For tests that don't look at what is recorded."""


class Notebook:
    """Keeps what is to be recorded."""

    def __init__(self) -> None:
        self.details: list[str | None] = []

    async def record(self, occurrence: Occurrence) -> None:
        assert (occurrence.kind, occurrence.point) == ("reader_fault", "front")
        self.details.append(occurrence.detail)


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def line() -> Iterator[SerialLine]:
    plugged_in = SerialLine()
    yield plugged_in
    plugged_in.close()


@pytest.fixture
def chip() -> Iterator[Pn532Chip]:
    powered = Pn532Chip()
    yield powered
    powered.close()


def listen(
    path: Path,
    reader: Reader,
    heard: Heard,
    *,
    record: Callable[[Occurrence], Awaitable[object]] = unrecorded,
    needs_two: bool = False,
) -> Listening:
    listening = Listening(
        PointKey("front"),
        reader,
        plug=lambda it: Port(
            str(path), baud=115200, received=it.hear, opened=it.begin, lost=it.lose
        ),
        read=heard.frames.append,
        record=record,
        changed=heard.changed,
        needs_two=needs_two,
    )
    listening.open()
    return listening


@pytest.fixture
async def asked(chip: Pn532Chip, heard: Heard) -> AsyncGenerator[Listening]:
    """A PN532 that answers."""
    reader = Pn532Reader()
    listening = listen(chip.line.path, reader, heard)
    await eventually(lambda: reader.is_answering)
    yield listening
    listening.close()


async def test_a_reader_that_only_talks_is_heard(line: SerialLine, heard: Heard):
    listening = listen(line.path, OneWay(Rdm6300Parser()), heard)
    line.present(CARD)
    await eventually(lambda: heard.frames)
    assert heard.frames == [Frame(CredentialType.EM4100, bytes.fromhex(CARD))]
    assert listening.state is ReaderState.OPEN
    assert line.receive(seconds=0) == b""
    listening.close()


async def test_with_read_twice_a_card_counts_from_the_second_frame_on(
    line: SerialLine, heard: Heard
):
    listening = listen(line.path, OneWay(Rdm6300Parser()), heard, needs_two=True)
    line.send(frame("0A00B26E7B") + frame(CARD) * 3)
    await eventually(lambda: len(heard.frames) == 2)
    assert set(heard.uids()) == {bytes.fromhex(CARD)}
    listening.close()


async def test_a_card_that_lay_unread_while_the_daemon_stood_still_is_not_answered(
    line: SerialLine, heard: Heard
):
    told = Notebook()
    listening = listen(line.path, OneWay(Rdm6300Parser()), heard, record=told.record)
    watched = asyncio.create_task(listening.run())
    line.present(CARD)
    await eventually(lambda: len(heard.frames) == 1)
    line.send(frame("0A00B26E7B") * 100 + frame("0A00B26E7B")[:5])  # more than is read at once
    time.sleep(STANDSTILL_SECONDS + LOOK_SECONDS)  # so does the whole loop
    await eventually(lambda: told.details)
    assert told.details[0] is not None
    assert told.details[0].startswith("the controller stood still for ")
    line.present(CARD)
    await eventually(lambda: len(heard.frames) == 2)
    assert set(heard.uids()) == {bytes.fromhex(CARD)}
    watched.cancel()
    listening.close()


async def test_half_a_frame_from_before_an_unplugging_is_forgotten(line: SerialLine, heard: Heard):
    listening = listen(line.path, OneWay(Rdm6300Parser()), heard)
    line.send(frame(CARD)[:7])
    line.unplug()
    await eventually(lambda: listening.state is ReaderState.LOST)
    line.plug_in()
    await eventually(lambda: listening.state is ReaderState.OPEN)
    line.send(frame(CARD)[7:] + frame("0A00B26E7B"))
    await eventually(lambda: heard.frames)
    assert heard.uids() == [bytes.fromhex("0A00B26E7B")]
    assert heard.changes == 3
    listening.close()


@pytest.mark.parametrize("card", [CLASSIC, DESFIRE, TRIPLE], ids=["4", "7", "10"])
async def test_a_pn532_finds_cards_of_each_length(
    card: Card, chip: Pn532Chip, asked: Listening, heard: Heard
):
    chip.hold(card)
    await eventually(lambda: heard.frames)
    assert heard.frames[0] == Frame(CredentialType.ISO14443A, card.uid)


async def test_a_card_that_lies_on_a_pn532_gives_frames_until_it_is_taken_away(
    chip: Pn532Chip, asked: Listening, heard: Heard
):
    chip.hold(DESFIRE)
    await eventually(lambda: len(heard.frames) >= 5)
    chip.hold()
    polls = chip.asked.count(0x4A)
    await eventually(lambda: chip.asked.count(0x4A) >= polls + 2)
    gone = len(heard.frames)
    polls = chip.asked.count(0x4A)
    await eventually(lambda: chip.asked.count(0x4A) >= polls + 4)
    assert len(heard.frames) == gone


async def test_a_pn532_that_lost_its_power_for_a_moment_reads_on(
    chip: Pn532Chip, asked: Listening, heard: Heard
):
    chip.power_up()
    chip.hold(CLASSIC)
    await eventually(lambda: heard.frames)
    assert asked.state is ReaderState.OPEN


async def test_a_pn532_that_falls_silent_is_seen_and_seen_again(
    chip: Pn532Chip, asked: Listening, heard: Heard
):
    chip.is_mute = True
    await eventually(lambda: asked.state is ReaderState.SILENT)
    chip.is_mute = False
    chip.hold(CLASSIC)
    await eventually(lambda: heard.frames, seconds=20)
    assert asked.state is ReaderState.OPEN


async def test_a_pn532_that_is_plugged_in_again_is_woken_again(
    chip: Pn532Chip, asked: Listening, heard: Heard
):
    chip.unplug()
    await eventually(lambda: asked.state is ReaderState.LOST)
    assert asked._timer is None  # pyright: ignore[reportPrivateUsage]
    chip.plug_in()
    chip.hold(CLASSIC)
    await eventually(lambda: heard.frames)
    assert asked.state is ReaderState.OPEN


async def test_after_closing_nobody_is_asked_any_more(chip: Pn532Chip, asked: Listening):
    asked.close()
    assert asked._timer is None  # pyright: ignore[reportPrivateUsage]
    await asyncio.sleep(2 * POLL_SECONDS)  # what was sent before the end arrives
    before = len(chip.asked)
    await asyncio.sleep(4 * POLL_SECONDS)
    assert len(chip.asked) == before


async def test_troubles_are_recorded_and_logged_and_frames_go_on(line: SerialLine, heard: Heard):
    notebook = Notebook()
    listening = listen(line.path, OneWay(Rdm6300Parser()), heard, record=notebook.record)
    running = asyncio.create_task(listening.run())
    with capture_logs() as logged:
        line.send(b"\x02\x03" * 60 + frame(CARD))
        await eventually(lambda: listening.is_garbled)
        assert heard.uids() == [bytes.fromhex(CARD)]
        await eventually(lambda: notebook.details == ["60 bad frames"])
        line.unplug()
        await eventually(
            lambda: notebook.details == ["60 bad frames", "its port is missing or taken"]
        )
    garbled = [entry for entry in logged if entry["event"] == "reader.garbled"]
    assert len(garbled) == 1
    running.cancel()
    listening.close()
