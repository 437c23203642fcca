"""A serial port on a real pseudo-terminal: bytes, hanging up, and being plugged in again."""

import asyncio
import os
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from edge.port import READ_BYTES_MAX, UNSENT_BYTES_MAX, Port, PortState
from tests.support.serial_line import SerialLine, frame
from tests.support.waiting import eventually

CARD = "0102345678"
Logged = list[MutableMapping[str, Any]]


@pytest.fixture
def line() -> Iterator[SerialLine]:
    plugged_in = SerialLine()
    yield plugged_in
    plugged_in.close()


@pytest.fixture
def logged() -> Iterator[Logged]:
    with capture_logs() as lines:
        yield lines


class Heard:
    """What came out of a port."""

    def __init__(self) -> None:
        self.data = b""
        self.largest = 0
        self.losses = 0

    def received(self, data: bytes) -> None:
        self.data += data
        self.largest = max(self.largest, len(data))

    def lost(self) -> None:
        self.losses += 1


@pytest.fixture
def heard() -> Heard:
    return Heard()


def port_at(path: Path, heard: Heard) -> Port:
    return Port(str(path), baud=9600, received=heard.received, lost=heard.lost)


def waits_for_room(port: Port) -> bool:
    opened = port._serial  # pyright: ignore[reportPrivateUsage]
    assert opened is not None
    return asyncio.get_running_loop().remove_writer(opened.fileno())


def events(logged: Logged) -> list[str]:
    return [line["event"] for line in logged]


async def test_bytes_come_out_as_they_went_in(line: SerialLine, heard: Heard, logged: Logged):
    port = port_at(line.path, heard)
    assert port.state is PortState.CLOSED
    port.open()
    assert port.state is PortState.OPEN
    everything = bytes(range(256))
    line.present(CARD)
    line.send(everything)
    await eventually(lambda: heard.data == frame(CARD) + everything)
    port.close()
    assert port.state is PortState.CLOSED
    assert events(logged) == ["port.opened"]
    assert heard.losses == 0


async def test_a_port_that_hangs_up_is_opened_again(line: SerialLine, heard: Heard, logged: Logged):
    port = port_at(line.path, heard)
    port.open()
    line.unplug()
    await eventually(lambda: port.state is PortState.LOST)
    assert heard.losses == 1
    line.plug_in()
    await eventually(lambda: port.state is PortState.OPEN)
    line.present(CARD)
    await eventually(lambda: heard.data == frame(CARD))
    port.close()
    assert events(logged) == ["port.opened", "port.lost", "port.opened"]


async def test_a_port_that_is_missing_at_the_start_is_waited_for(
    line: SerialLine, heard: Heard, logged: Logged
):
    line.unplug()
    port = port_at(line.path, heard)
    port.open()
    assert port.state is PortState.LOST
    assert events(logged) == ["port.lost"]
    line.plug_in()
    await eventually(lambda: port.state is PortState.OPEN)
    line.present(CARD)
    await eventually(lambda: heard.data == frame(CARD))
    port.close()


async def test_a_loss_is_logged_once_however_long_it_lasts(
    line: SerialLine, heard: Heard, logged: Logged
):
    line.unplug()
    port = port_at(line.path, heard)
    port.open()
    opened = [port._backoff]  # pyright: ignore[reportPrivateUsage]
    await eventually(lambda: port._backoff >= 4 * opened[0])  # pyright: ignore[reportPrivateUsage]
    port.close()
    assert events(logged) == ["port.lost"]
    assert heard.losses == 1


@pytest.mark.parametrize("kind", ["file", "folder", "pipe"])
async def test_what_is_no_serial_port_is_as_good_as_missing(
    kind: str, tmp_path: Path, heard: Heard
):
    path = tmp_path / "thing"
    {"file": path.touch, "folder": path.mkdir, "pipe": lambda: os.mkfifo(path)}[kind]()
    port = port_at(path, heard)
    port.open()
    assert port.state is PortState.LOST
    port.close()


async def test_a_port_belongs_to_one_program(line: SerialLine, heard: Heard, logged: Logged):
    first, second = port_at(line.path, heard), port_at(line.path, heard)
    first.open()
    second.open()
    assert second.state is PortState.LOST
    first.close()
    await eventually(lambda: second.state is PortState.OPEN)
    second.close()


async def test_a_babbling_port_is_read_in_bounded_pieces(line: SerialLine, heard: Heard):
    port = port_at(line.path, heard)
    port.open()
    line.send(bytes(3 * READ_BYTES_MAX))
    await eventually(lambda: len(heard.data) == 3 * READ_BYTES_MAX)
    assert heard.largest <= READ_BYTES_MAX
    port.close()


async def test_bytes_go_out_as_they_were_given(line: SerialLine, heard: Heard):
    port = port_at(line.path, heard)
    port.write(b"before it is open")
    port.open()
    everything = bytes(range(256))
    port.write(everything)
    assert line.receive(seconds=5) == everything
    assert not waits_for_room(port)
    port.close()
    port.write(b"after it was closed")


async def test_a_port_that_takes_nothing_costs_no_memory_and_is_written_to_again_later(
    line: SerialLine, heard: Heard
):
    port = port_at(line.path, heard)
    port.open()
    for _ in range(1000):
        port.write(b"x" * 100)
        assert len(port._unsent) <= UNSENT_BYTES_MAX  # pyright: ignore[reportPrivateUsage]
    assert port._unsent, "so much doesn't fit"  # pyright: ignore[reportPrivateUsage]
    received = bytearray()

    def is_all_taken() -> bool:
        received.extend(line.receive(seconds=0))
        return not port._unsent  # pyright: ignore[reportPrivateUsage]

    await eventually(is_all_taken)
    assert not waits_for_room(port)
    port.write(b"at last")
    await eventually(lambda: is_all_taken() and received.endswith(b"xat last"))
    port.close()


async def test_each_opening_is_told(line: SerialLine, heard: Heard):
    openings: list[bool] = []
    port = Port(
        str(line.path),
        baud=9600,
        received=heard.received,
        opened=lambda: openings.append(True),
        lost=heard.lost,
    )
    port.open()
    assert len(openings) == 1
    line.unplug()
    await eventually(lambda: heard.losses == 1)
    port.write(b"to nobody")
    line.plug_in()
    await eventually(lambda: len(openings) == 2)
    port.close()


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_closing_leaves_no_descriptor_open(line: SerialLine, heard: Heard):
    before = open_descriptors()
    port = port_at(line.path, heard)
    port.open()
    line.unplug()
    await eventually(lambda: port.state is PortState.LOST)
    port.close()
    line.plug_in()
    port.open()
    port.close()
    port.close()
    assert open_descriptors() == before
