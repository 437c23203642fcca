"""What the passing of time asks for: doors that stand open, tools whose user lost the right."""

import asyncio
import os
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from edge.door import DoorState
from edge.lease import GrantId
from edge.post import Cause, Grant
from edge.rounds import Rounds
from edge.throttle import DENIALS_MAX, SHUT_SECONDS_MAX, SHUT_SECONDS_MIN, Throttle
from edge.tool import ToolState
from sync.events import decode_event
from sync.ids import PointKey
from sync.rights import PointKind, Staleness, Window
from tests.edge.test_workbench import LASER, Tool, a_tool
from tests.support.signer import DAY_MS, FRONT, KARIS_CARD, door
from tests.support.threshold import SIGNER, T, Threshold, threshold
from tests.support.waiting import eventually


@pytest.fixture(autouse=True)
def mock_pins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "mock")


@dataclass
class Watched:
    """A door with its watchman, who looks when he is told to."""

    here: Threshold
    rounds: Rounds
    serial: int = 0

    async def look(self) -> None:
        await self.rounds.look(FRONT, self.here.doorway)

    async def hours(self, *windows: Window) -> None:
        self.serial += 1
        point = replace(door(), open_hours=windows)
        await self.here.rights.offer_snapshot(
            SIGNER.snapshot(self.serial, points=[point]), now_ms=T
        )

    async def kinds(self) -> list[str]:
        batch = await self.here.journal.next_batch(0)
        return [] if batch is None else [decode_event(line).kind for line in batch.lines]


@pytest.fixture
async def watched(tmp_path: Path) -> AsyncGenerator[Watched]:
    async with threshold(tmp_path) as here:
        here.timekeeper.hear_beacon(T)
        here.timekeeper.refresh(here.timekeeper.mono_ms())
        rounds = Rounds(
            {FRONT: here.doorway}, here.rights, here.recorder, here.timekeeper, os.urandom
        )
        yield Watched(here, rounds)


async def test_a_door_stands_open_in_its_hours_recorded_before_and_after(watched: Watched) -> None:
    await watched.hours(Window(T - 1000, T + DAY_MS))
    await watched.look()
    assert watched.here.doorway.state is DoorState.UNLOCKED
    await eventually(lambda: watched.here.relay() == ["on"])
    await watched.hours()
    await watched.look()
    await watched.look()
    assert watched.here.doorway.state is DoorState.LOCKED
    kinds = [kind for kind in await watched.kinds() if kind.startswith("unlock")]
    assert kinds == ["unlock_began", "unlock_ended"]


async def test_a_command_ends_the_hours_that_run_and_not_the_next_ones(watched: Watched) -> None:
    await watched.hours(Window(T - 1000, T + DAY_MS))
    await watched.look()
    watched.rounds.lock(FRONT)
    watched.here.doorway.restore()
    await watched.look()
    assert watched.here.doorway.state is DoorState.LOCKED
    await watched.hours(Window(T - 2000, T + DAY_MS))
    await watched.look()
    assert watched.here.doorway.state is DoorState.UNLOCKED


async def test_a_door_that_is_kept_open_for_a_while_locks_by_itself(watched: Watched) -> None:
    await watched.hours()
    watched.rounds.keep_open(FRONT, 0.3)
    await watched.look()
    assert watched.here.doorway.state is DoorState.UNLOCKED
    await asyncio.sleep(0.4)
    await watched.look()
    assert watched.here.doorway.state is DoorState.LOCKED


async def test_old_rights_hold_no_door_open(watched: Watched) -> None:
    await watched.hours(Window(T - 1000, T + 30 * DAY_MS))
    await watched.look()
    watched.here.timekeeper.start_at(T, 2 * DAY_MS)
    assert watched.rounds.level(FRONT) is Staleness.SOFT
    await watched.look()
    assert watched.here.doorway.state is DoorState.LOCKED
    assert watched.here.doorway.colour == "amber"
    assert "staleness_changed" in await watched.kinds()


@pytest.fixture
async def tool() -> AsyncGenerator[Tool]:
    async with a_tool() as here:
        yield here


async def test_whoever_loses_the_right_loses_the_tool_once_it_stands_still(
    watched: Watched, tool: Tool
) -> None:
    laser = replace(door(), key=LASER, kind=PointKind.TOOL)
    entry = SIGNER.entry(KARIS_CARD)
    right = SIGNER.right(points=[LASER])
    rounds = Rounds(
        {LASER: tool.bench},
        watched.here.rights,
        watched.here.recorder,
        watched.here.timekeeper,
        os.urandom,
    )

    async def publish(serial: int, rights: dict[object, object]) -> None:
        snapshot = SIGNER.snapshot(serial, rights, points=[laser])  # type: ignore[arg-type]
        await watched.here.rights.offer_snapshot(snapshot, now_ms=T)
        await rounds.look(PointKey(LASER), tool.bench)

    await publish(1, {entry: right})
    tool.bench.tapped()
    grant = Grant(GrantId("11" * 16), 5, Cause.TAP, lambda: None, right.member, None, entry)
    assert tool.bench.release(grant) is None
    await tool.run_motor()
    await publish(2, {entry: right})
    assert tool.relays.on
    await publish(3, {})
    assert tool.relays.on, "a running machine is not stopped for that"
    await tool.stop_motor()
    assert (tool.state, tool.relays.on) == (ToolState.LOCKED, False)
    assert tool.endings == ["right lost: unknown_card"]


def test_a_guesser_is_shut_out_for_longer_and_longer() -> None:
    throttle, now, shut = Throttle(), 0.0, list[float]()
    for _ in range(DENIALS_MAX):
        assert not throttle.is_shut(now)
        throttle.denied(now)
        now += 1
    now -= 1
    for _ in range(8):
        until = now
        while throttle.is_shut(until):
            until += 0.5
        shut.append(until - now)
        now = until
        throttle.denied(now)
    assert shut[:4] == [SHUT_SECONDS_MIN, 4, 8, 16]
    assert shut[-1] == SHUT_SECONDS_MAX


def test_a_member_who_was_denied_now_and_then_is_not_shut_out() -> None:
    throttle = Throttle()
    for number in range(20):
        throttle.denied(number * 3.0)
        assert not throttle.is_shut(number * 3.0)
    throttle.granted()
    assert not throttle.is_shut(60.0)
