"""A tool with its user, its motor and its emergency stop, on timers as they are."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from edge import tool_session
from edge.cues import Lights
from edge.feedback import DIFFERENCE_SECONDS, LATE_SECONDS
from edge.inputs import BOUNCE_SECONDS
from edge.lease import GrantId
from edge.post import Cause, Grant, Hold
from edge.tool import ToolState
from edge.tool_rules import Mode, ToolRules
from edge.unlocks import LEASE_SECONDS
from edge.workbench import Workbench
from sync.credential import Credential, CredentialType
from sync.events import Occurrence
from sync.ids import MemberRef, PointKey
from sync.rights import Reason
from tests.support.fake_relays import FakeRelays
from tests.support.waiting import eventually

LASER = PointKey("laser")
KARI, OLA = MemberRef(b"kari----"), MemberRef(b"ola-----")
CARDS = {
    KARI: Credential(CredentialType.EM4100, b"kari!"),
    OLA: Credential(CredentialType.EM4100, b"ola!!"),
}
SENSED = ToolRules(has_current=True)


@dataclass
class Tool:
    """What happens at it, and what it tells."""

    bench: Workbench
    relays: FakeRelays
    told: list[Occurrence]

    @property
    def state(self) -> ToolState:
        return self.bench.state

    @property
    def endings(self) -> list[str | None]:
        return [one.detail for one in self.told if one.kind == "tool_released"]

    def release(self, member: MemberRef) -> Reason | None:
        """As edge/entrance.py does once the grant is recorded."""
        grant = Grant(GrantId(member.hex() * 2), 5, Cause.TAP, lambda: None, member, CARDS[member])
        return self.bench.release(grant)

    def tap(self, member: MemberRef) -> Reason | None:
        """As edge/entrance.py does for somebody who has the right. None: granted, or given back."""
        refused = self.bench.tapped()
        if refused is not None:
            return refused
        if self.bench.hands_back(member):
            self.bench.hand_back()
            return None
        taken = self.bench.may_take(member)
        if taken is not None:
            self.bench.denied()
            return taken
        return self.release(member)

    async def run_motor(self) -> None:
        self.bench.current(True)
        await self.is_(ToolState.RUNNING)

    async def stop_motor(self) -> None:
        self.bench.current(False)
        await asyncio.sleep(2 * BOUNCE_SECONDS)

    async def is_(self, state: ToolState) -> None:
        await eventually(lambda: self.state is state)


@asynccontextmanager
async def a_tool(rules: ToolRules = SENSED) -> AsyncGenerator[Tool]:
    relays, told = FakeRelays(), list[Occurrence]()
    bench = Workbench(LASER, relays, Lights(), rules, changed=lambda: None, tell=told.append)
    relays.changed = bench.relay_changed
    bench.stop(True)
    if rules.has_current:
        bench.current(False)
    bench.relay_changed(False)
    bench.serve()
    assert bench.state is ToolState.LOCKED
    yield Tool(bench, relays, told)
    bench.close()
    assert not relays.on


@pytest.fixture
async def tool() -> AsyncGenerator[Tool]:
    async with a_tool() as here:
        yield here


async def test_a_stop_that_is_pressed_at_the_start_is_told_once_and_its_end_too() -> None:
    relays, told = FakeRelays(), list[Occurrence]()
    bench = Workbench(LASER, relays, Lights(), SENSED, changed=lambda: None, tell=told.append)
    for _ in range(3):
        bench.stop(False)
    assert [(one.kind, one.reason) for one in told] == [("fault_began", "emergency_stopped")]
    bench.relay_changed(False)
    bench.serve()
    assert bench.state is ToolState.STOPPED
    bench.stop(True)
    await eventually(lambda: [one.kind for one in told] == ["fault_began", "fault_ended"])
    assert bench.state is ToolState.LOCKED
    bench.close()


async def test_a_tap_gives_power_and_another_tap_takes_it(tool: Tool) -> None:
    assert tool.tap(KARI) is None
    assert (tool.state, tool.relays.on) == (ToolState.ARMED, True)
    assert tool.bench.status()["member"] == KARI.hex()
    assert tool.tap(KARI) is None
    assert (tool.state, tool.relays.on, tool.endings) == (ToolState.LOCKED, False, ["handed back"])


async def test_whoever_runs_a_machine_keeps_it_until_it_stands_still(tool: Tool) -> None:
    tool.tap(KARI)
    await tool.run_motor()
    assert tool.tap(OLA) is Reason.IN_USE
    await tool.stop_motor()
    assert tool.state is ToolState.IDLE
    assert tool.tap(OLA) is None
    assert tool.endings == ["taken over"]
    assert tool.bench.status()["member"] == OLA.hex()
    assert [str(one.kind) for one in tool.told] == ["tool_started", "tool_stopped", "tool_released"]


async def test_a_machine_that_starts_while_another_grant_is_recorded_stays_whose_it_is(
    tool: Tool,
) -> None:
    tool.tap(KARI)
    assert tool.bench.tapped() is None
    assert tool.bench.may_take(OLA) is None
    await tool.run_motor()  # Ola's grant is on its way to the disk
    assert tool.release(OLA) is Reason.IN_USE
    assert tool.bench.status()["member"] == KARI.hex()
    await tool.stop_motor()
    assert tool.bench.status()["member"] == KARI.hex()
    assert tool.release(OLA) is None
    assert tool.endings == ["taken over"]


async def test_a_tool_that_is_not_started_or_stands_still_locks_by_itself() -> None:
    async with a_tool(ToolRules(has_current=True, start_seconds=0.2, idle_seconds=0.2)) as tool:
        tool.tap(KARI)
        await tool.is_(ToolState.LOCKED)
        tool.tap(KARI)
        await tool.run_motor()
        await tool.stop_motor()
        await tool.is_(ToolState.LOCKED)
        assert tool.endings == ["not started", "idle"]
        assert not tool.relays.on


async def test_the_longest_session_ends_even_a_running_machine() -> None:
    async with a_tool(ToolRules(has_current=True, session_seconds=0.4)) as tool:
        tool.tap(KARI)
        await tool.run_motor()
        await tool.is_(ToolState.LOCKED)
        assert tool.endings == ["the longest session is over"]


async def test_a_machine_that_lost_its_power_in_a_standstill_does_not_start_again_by_itself() -> (
    None
):
    async with a_tool() as tool:
        tool.tap(KARI)
        await tool.run_motor()
        time.sleep(2 * LEASE_SECONDS)  # nobody renews the lease: the guard turns the power off
        await tool.is_(ToolState.LOCKED)
        assert tool.endings == ["power lost"]
        assert not tool.relays.on


async def test_a_card_that_is_taken_away_takes_the_power_with_it() -> None:
    async with a_tool(ToolRules(mode=Mode.CARD_PRESENT, has_current=True)) as tool:
        tool.tap(KARI)
        began = asyncio.get_running_loop().time()
        while asyncio.get_running_loop().time() - began < 1:
            tool.bench.seen(CARDS[KARI])
            tool.bench.seen(CARDS[OLA])
            await asyncio.sleep(0.05)
        last = asyncio.get_running_loop().time()
        await tool.is_(ToolState.LOCKED)
        assert asyncio.get_running_loop().time() - last >= tool_session.GONE_SECONDS - 0.2
        assert tool.endings == ["card taken away"]


async def test_a_long_job_goes_on_without_its_user_until_the_motor_stops() -> None:
    async with a_tool(ToolRules(is_long_job=True, has_current=True)) as tool:
        tool.tap(KARI)
        await tool.run_motor()
        tool.tap(KARI)
        assert (tool.state, tool.relays.on) == (ToolState.RUNNING, True)
        await tool.stop_motor()
        assert (tool.state, tool.endings) == (ToolState.LOCKED, ["handed back"])


async def test_a_lost_right_and_maintenance_wait_for_a_running_machine(tool: Tool) -> None:
    tool.tap(KARI)
    await tool.run_motor()
    tool.bench.lose(Reason.EXPIRED)
    tool.bench.hold(Hold.OUT_OF_SERVICE)
    assert tool.relays.on
    await tool.stop_motor()
    assert (tool.state, tool.relays.on) == (ToolState.OUT_OF_SERVICE, False)
    assert tool.tap(KARI) is Reason.OUT_OF_SERVICE
    tool.bench.restore()
    assert tool.tap(KARI) is None


async def test_an_order_that_can_not_wait_stops_a_running_machine(tool: Tool) -> None:
    tool.tap(KARI)
    await tool.run_motor()
    tool.bench.hold(Hold.OUT_OF_SERVICE, at_once=True)
    assert (tool.state, tool.relays.on) == (ToolState.OUT_OF_SERVICE, False)


async def test_an_emergency_stop_needs_a_new_tap(tool: Tool) -> None:
    tool.tap(KARI)
    tool.bench.stop(False)
    await tool.is_(ToolState.STOPPED)
    assert not tool.relays.on
    assert tool.tap(KARI) is Reason.EMERGENCY_STOPPED
    tool.bench.stop(True)
    await tool.is_(ToolState.LOCKED)
    assert not tool.relays.on
    assert tool.tap(KARI) is None
    stops = [(str(one.kind), one.reason) for one in tool.told if one.reason is not None]
    assert stops == [
        ("fault_began", "emergency_stopped"),
        ("fault_ended", "emergency_stopped"),
    ]


async def test_current_behind_a_relay_that_is_off_means_that_it_is_welded(tool: Tool) -> None:
    tool.tap(KARI)
    await tool.run_motor()
    tool.tap(KARI)
    assert not tool.relays.on
    await eventually(lambda: Reason.RELAY_WELDED in tool.bench.faults)
    assert tool.tap(KARI) is Reason.RELAY_WELDED
    await tool.stop_motor()
    assert tool.bench.status()["alarms"] == ["relay_welded"]
    tool.bench.restore()
    assert tool.tap(KARI) is None


async def test_a_contactor_that_waits_for_its_own_start_button_is_not_stuck() -> None:
    async with a_tool(ToolRules(has_no_volt_release=True)) as tool:
        tool.bench.felt(False)
        assert tool.tap(KARI) is None
        await asyncio.sleep(DIFFERENCE_SECONDS + 2 * LATE_SECONDS)
        assert (tool.state, tool.bench.faults) == (ToolState.RUNNING, frozenset())
        tool.bench.felt(True)  # she presses start
        await asyncio.sleep(2 * BOUNCE_SECONDS)
        tool.tap(KARI)
        await eventually(lambda: Reason.RELAY_WELDED in tool.bench.faults)


async def test_a_weld_that_two_sensors_told_lasts_until_both_have_let_go() -> None:
    async with a_tool(SENSED) as tool:
        tool.bench.felt(False)
        tool.tap(KARI)
        tool.bench.felt(True)
        await tool.run_motor()
        tool.bench.hand_back()
        await eventually(lambda: Reason.RELAY_WELDED in tool.bench.faults)
        await asyncio.sleep(DIFFERENCE_SECONDS + 2 * LATE_SECONDS)
        await tool.stop_motor()  # somebody switched it off at the machine
        tool.bench.restore()
        assert Reason.RELAY_WELDED in tool.bench.faults, "its contactor is felt on still"
        tool.bench.felt(False)
        await asyncio.sleep(2 * BOUNCE_SECONDS)
        tool.bench.restore()
        assert tool.bench.faults == frozenset()


async def test_an_order_outlasts_the_return_of_whoever_was_at_work(tool: Tool) -> None:
    assert tool.tap(KARI) is None
    await tool.run_motor()
    tool.bench.hold(Hold.OUT_OF_SERVICE)
    assert tool.state is ToolState.RUNNING
    assert tool.release(KARI) is None, "she is back at her machine"
    await tool.stop_motor()
    await tool.is_(ToolState.OUT_OF_SERVICE)
    assert not tool.relays.on


async def test_a_relay_that_does_not_come_on_is_stuck_and_ends_the_session() -> None:
    async with a_tool(ToolRules()) as tool:
        tool.bench.felt(False)
        assert tool.tap(KARI) is None
        await eventually(lambda: len(tool.endings) == 1)
        assert Reason.RELAY_STUCK in {one.reason for one in tool.told}


async def test_no_command_and_no_break_glass_card_switches_a_machine_on(tool: Tool) -> None:
    for cause in (Cause.COMMAND, Cause.BREAK_GLASS):
        grant = Grant(GrantId("11" * 16), 5, cause, lambda: None)
        assert tool.bench.release(grant) is Reason.NO_RIGHT
        assert not tool.relays.on


async def test_without_a_sensor_it_counts_as_running_for_the_whole_session() -> None:
    async with a_tool(ToolRules()) as tool:
        tool.tap(KARI)
        assert tool.state is ToolState.RUNNING
        assert tool.tap(OLA) is Reason.IN_USE
        assert tool.tap(KARI) is None
        assert tool.state is ToolState.LOCKED


async def test_without_a_guard_nobody_gets_power(tool: Tool) -> None:
    tool.tap(KARI)
    tool.relays.on = None
    tool.bench.relay_changed(None)
    assert tool.tap(KARI) is Reason.RELAY_FAULT
    assert tool.endings == ["fault"]
