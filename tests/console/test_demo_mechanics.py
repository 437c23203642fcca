"""The demo's leaves and saw move as real ones do, and their circuits say so to the daemon."""

import os
from collections.abc import Generator
from pathlib import Path

import pytest

from console.demo.mechanics import Leaf, Move, Saw
from console.demo.wires import Circuits, RelayWire
from console.errors import BadRequest
from tests.support.waiting import eventually

CONTACT, EXIT = Leaf.PINS["contact"], Leaf.PINS["exit"]
CURRENT, STOP = Saw.PINS["current"], Saw.PINS["stop"]


class Wired:
    """Something and its circuits; `said`: what was written for the daemon since the last time."""

    def __init__(self, folder: Path, kind: type[Leaf] | type[Saw]) -> None:
        self.circuits = Circuits(folder, kind.PINS, closed=kind.CLOSED)
        self.thing = kind("front door", self.circuits)
        self._daemons_end = os.open(self.circuits.fifo, os.O_RDONLY | os.O_NONBLOCK)

    def said(self) -> list[str]:
        try:
            return os.read(self._daemons_end, 4096).decode().splitlines()
        except BlockingIOError:
            return []

    def close(self) -> None:
        os.close(self._daemons_end)
        self.circuits.close()


@pytest.fixture
def door(tmp_path: Path) -> Generator[Wired]:
    wired = Wired(tmp_path, Leaf)
    yield wired
    wired.close()


@pytest.fixture
def tool(tmp_path: Path) -> Generator[Wired]:
    wired = Wired(tmp_path, Saw)
    yield wired
    wired.close()


def leaf_of(wired: Wired) -> Leaf:
    assert isinstance(wired.thing, Leaf)
    return wired.thing


def saw_of(wired: Wired) -> Saw:
    assert isinstance(wired.thing, Saw)
    return wired.thing


async def test_a_locked_leaf_opens_by_force_only_and_a_released_one_by_itself(door: Wired):
    leaf = leaf_of(door)
    with pytest.raises(BadRequest, match="locked"):
        await leaf.move(Move.OPEN)
    assert door.said() == []
    await leaf.move(Move.FORCE)
    assert leaf.is_open
    assert door.said() == [f"{CONTACT} low"]
    with pytest.raises(BadRequest, match="open already"):
        await leaf.move(Move.FORCE)
    await leaf.move(Move.CLOSE)
    assert door.said() == [f"{CONTACT} high"]
    leaf.relay_changed(True)
    await leaf.move(Move.OPEN)
    assert door.said() == [f"{CONTACT} low"]


async def test_whoever_leaves_presses_the_exit_button_first(door: Wired):
    await leaf_of(door).move(Move.LEAVE)
    assert door.said() == [f"{EXIT} low", f"{CONTACT} low", f"{EXIT} high"]


def test_a_motor_turns_with_power_only_and_never_starts_by_itself(tool: Wired):
    saw = saw_of(tool)
    with pytest.raises(BadRequest, match="no power"):
        saw.switch(runs=True)
    saw.relay_changed(True)
    assert not saw.runs
    saw.switch(runs=True)
    assert tool.said() == [f"{CURRENT} low"]
    saw.relay_changed(False)
    assert tool.said() == [f"{CURRENT} high"]
    saw.relay_changed(True)
    assert not saw.runs


def test_the_emergency_stop_stops_the_motor_by_itself_and_keeps_it_stopped(tool: Wired):
    saw = saw_of(tool)
    saw.relay_changed(True)
    saw.switch(runs=True)
    tool.said()
    saw.press(is_stopped=True)
    assert tool.said() == [f"{STOP} low", f"{CURRENT} high"]
    with pytest.raises(BadRequest, match="emergency stop"):
        saw.switch(runs=True)
    saw.press(is_stopped=False)
    assert tool.said() == [f"{STOP} high"]
    assert not saw.runs


async def test_a_daemon_that_is_started_finds_the_leaf_as_it_stands(door: Wired):
    assert f"contact.pin = {CONTACT}\ncontact.inverted = true\n" in door.circuits.settings()
    await leaf_of(door).move(Move.FORCE)
    assert f"contact.pin = {CONTACT}\ncontact.inverted = false\n" in door.circuits.settings()
    assert door.said() == [], "what was meant for the daemon before is gone"
    await leaf_of(door).move(Move.CLOSE)
    assert door.said() == [f"{CONTACT} low"]


async def test_a_relay_is_heard_from_the_guards_trace_whole_lines_only(tmp_path: Path):
    heard: list[bool] = []
    wire = RelayWire(tmp_path, heard.append)
    guards_end = os.open(wire.fifo, os.O_WRONLY | os.O_APPEND)
    try:
        line = b'{"mono_ns": 1, "point": "saw", "relay": "on"}\n'
        os.write(guards_end, line + b"rubbish\n" + line[:20])
        await eventually(lambda: heard == [True])
        os.write(guards_end, line.replace(b'"on"', b'"off"')[20:])
        await eventually(lambda: heard == [True, False])
    finally:
        os.close(guards_end)
        wire.close()
