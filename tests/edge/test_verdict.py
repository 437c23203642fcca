"""What a technician is told of a card is what a tap of it gets, and changes nothing."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from edge.cues import Lights
from edge.entrance import Entrance
from edge.post import Hold
from edge.readers.frames import Frame
from edge.repeats import GONE_SECONDS
from edge.throttle import DENIALS_MAX, SHUT_SECONDS_MIN
from edge.tool import ToolState
from edge.tool_rules import Mode, ToolRules
from edge.workbench import Workbench
from sync.credential import parse_credential
from sync.ids import MemberRef, PointKey
from sync.rights import PointKind, Reason
from tests.support.fake_relays import FakeRelays
from tests.support.signer import KARIS_CARD, OLAS_CARD, door
from tests.support.threshold import SIGNER, T, Threshold, threshold
from tests.support.waiting import eventually

LASER = PointKey("laser")
OLA = MemberRef(b"ola-----")


@pytest.fixture
async def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Threshold]:
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "mock")
    async with threshold(tmp_path) as ready:
        await ready.allow()
        yield ready


def hold_to(entrance: Entrance, card_hex: str) -> None:
    card = parse_credential(f"em4100:{card_hex}")
    entrance.read(Frame(card.type, card.data))


async def ask(
    entrance: Entrance, card_hex: str, *, seconds: float = GONE_SECONDS + 0.1
) -> dict[str, Any]:
    """What would be said to the card, which is taken away for so long afterwards."""
    asking = asyncio.create_task(entrance.ask())
    await asyncio.sleep(0)
    hold_to(entrance, card_hex)
    said = await asyncio.wait_for(asking, 20)
    await asyncio.sleep(seconds)
    return said


async def tap(entrance: Entrance, card_hex: str) -> str:
    """What is said to the card."""
    with capture_logs() as logged:
        hold_to(entrance, card_hex)
        await eventually(lambda: [one for one in logged if one["event"] == "tap.answered"])
    await asyncio.sleep(GONE_SECONDS + 0.1)
    [answered] = [one for one in logged if one["event"] == "tap.answered"]
    return answered["reason"]


@pytest.mark.parametrize(
    ("card", "reason"), [(KARIS_CARD, "allowed"), (OLAS_CARD, "unknown_card")], ids=["Kari", "Ola"]
)
async def test_by_the_rights_alone(card: str, reason: str, here: Threshold) -> None:
    said = await ask(here.entrance, card)
    assert (said["reason"], said["now"], said["hands_back"]) == (reason, reason, False)
    assert (here.relay(), await here.events()) == ([], [])
    assert await tap(here.entrance, card) == reason


async def test_after_too_many_guesses_every_card_is_throttled(here: Threshold) -> None:
    other = "0B00000001"
    await here.allow({SIGNER.entry(card): SIGNER.right() for card in (KARIS_CARD, other)})
    for number in range(DENIALS_MAX + 1):  # the last one shuts it for 4 s
        if number == DENIALS_MAX:
            await asyncio.sleep(SHUT_SECONDS_MIN + 0.1)
        hold_to(here.entrance, f"01000000{number:02X}")
        await here.wait_for_events(number + 1)
    said = await ask(here.entrance, KARIS_CARD, seconds=0)
    assert (said["reason"], said["now"], said["known"]) == ("allowed", "throttled", True)
    assert await tap(here.entrance, other) == "throttled"


@pytest.mark.parametrize(
    ("is_break_glass", "now"), [(True, "allowed"), (False, "storage_fault")], ids=["break", "usual"]
)
async def test_at_a_storage_fault_a_break_glass_card_would_open(
    is_break_glass: bool, now: str, here: Threshold
) -> None:
    right = replace(SIGNER.right(), is_break_glass=is_break_glass)
    await here.allow({SIGNER.entry(KARIS_CARD): right})
    here.doorway.set_fault(Reason.STORAGE_FAULT, is_there=True)
    said = await ask(here.entrance, KARIS_CARD)
    assert (said["reason"], said["now"], said["break_glass"]) == ("allowed", now, is_break_glass)
    assert here.relay() == []
    assert await tap(here.entrance, KARIS_CARD) == now


async def test_with_another_fault_beside_it_no_card_would(here: Threshold) -> None:
    await here.allow({SIGNER.entry(KARIS_CARD): replace(SIGNER.right(), is_break_glass=True)})
    here.doorway.set_fault(Reason.STORAGE_FAULT, is_there=True)
    here.doorway.set_fault(Reason.RELAY_WELDED, is_there=True)
    assert (await ask(here.entrance, KARIS_CARD))["now"] == "storage_fault"
    assert await tap(here.entrance, KARIS_CARD) == "storage_fault"


async def test_a_door_that_is_locked_down_says_so(here: Threshold) -> None:
    here.doorway.hold(Hold.LOCKDOWN)
    said = await ask(here.entrance, KARIS_CARD)
    assert (said["reason"], said["now"]) == ("allowed", "locked_down")
    assert await tap(here.entrance, KARIS_CARD) == "locked_down"


@asynccontextmanager
async def a_laser(here: Threshold, mode: Mode) -> AsyncGenerator[tuple[Workbench, Entrance]]:
    """A tool that Kari and Ola may use."""
    relays = FakeRelays()
    rules = ToolRules(mode=mode, has_current=True)
    bench = Workbench(LASER, relays, Lights(), rules, changed=lambda: None, tell=lambda _: None)
    relays.changed = bench.relay_changed
    bench.current(False)
    bench.relay_changed(False)
    bench.serve()
    entrance = Entrance(here.parts, bench, unlock_seconds_max=0)
    right = replace(SIGNER.right(), points=frozenset({LASER}))
    rights = {
        SIGNER.entry(KARIS_CARD): right,
        SIGNER.entry(OLAS_CARD): replace(right, member=OLA),
    }
    points = [replace(door(LASER), kind=PointKind.TOOL)]
    await here.rights.offer_snapshot(SIGNER.snapshot(9, rights, points=points), now_ms=T)
    running = asyncio.create_task(entrance.run())
    yield bench, entrance
    running.cancel()
    await asyncio.wait({running})
    bench.close()


async def test_a_machine_that_runs_is_in_use_for_everybody_else(here: Threshold) -> None:
    async with a_laser(here, Mode.TAP_TOGGLE) as (bench, entrance):
        assert (await ask(entrance, OLAS_CARD))["now"] == "allowed"
        assert await tap(entrance, KARIS_CARD) == "allowed"
        bench.current(True)
        await eventually(lambda: bench.state is ToolState.RUNNING)
        said = await ask(entrance, OLAS_CARD)
        assert (said["reason"], said["now"]) == ("allowed", "in_use")
        assert await tap(entrance, OLAS_CARD) == "in_use"


async def test_whoever_has_a_tool_is_told_that_she_would_hand_it_back(here: Threshold) -> None:
    async with a_laser(here, Mode.TAP_TOGGLE) as (bench, entrance):
        assert (await ask(entrance, KARIS_CARD))["hands_back"] is False
        assert await tap(entrance, KARIS_CARD) == "allowed"
        said = await ask(entrance, KARIS_CARD)
        assert (said["now"], said["hands_back"]) == ("allowed", True)
        assert bench.state is ToolState.ARMED, "to ask ends nothing"
        await tap(entrance, KARIS_CARD)
        assert bench.state is ToolState.LOCKED


async def test_the_guesses_of_others_do_not_keep_her_from_handing_it_back(here: Threshold) -> None:
    async with a_laser(here, Mode.TAP_TOGGLE) as (bench, entrance):
        assert await tap(entrance, KARIS_CARD) == "allowed"
        for number in range(DENIALS_MAX + 1):  # the last one shuts it for 4 s
            if number == DENIALS_MAX:
                await asyncio.sleep(SHUT_SECONDS_MIN + 0.1)
            await tap(entrance, f"01000000{number:02X}")
        assert await tap(entrance, OLAS_CARD) == "throttled"
        await tap(entrance, KARIS_CARD)
        assert bench.state is ToolState.LOCKED


async def test_at_a_storage_fault_no_card_powers_a_tool(here: Threshold) -> None:
    async with a_laser(here, Mode.TAP_TOGGLE) as (bench, entrance):
        right = replace(SIGNER.right(), points=frozenset({LASER}), is_break_glass=True)
        points = [replace(door(LASER), kind=PointKind.TOOL)]
        snapshot = SIGNER.snapshot(10, {SIGNER.entry(KARIS_CARD): right}, points=points)
        await here.rights.offer_snapshot(snapshot, now_ms=T)
        bench.set_fault(Reason.STORAGE_FAULT, is_there=True)
        assert (await ask(entrance, KARIS_CARD))["now"] == "storage_fault"
        assert await tap(entrance, KARIS_CARD) == "storage_fault"
        assert here.recorder.openings() == {"unrecorded": 0, "openings": []}
