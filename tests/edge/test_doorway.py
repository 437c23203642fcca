"""A door with its leaf, button and housings, on timers as they are."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from edge.cues import Lights
from edge.door import DoorState
from edge.doorway import Doorway
from edge.inputs import BOUNCE_SECONDS
from edge.lease import GrantId
from edge.post import Cause, Grant, Hold
from sync.events import Occurrence
from sync.ids import PointKey
from sync.rights import Reason
from tests.support.fake_relays import FakeRelays
from tests.support.waiting import eventually

FRONT = PointKey("front")


@dataclass
class Door:
    """What happens at it, and what it tells."""

    doorway: Doorway
    relays: FakeRelays
    told: list[Occurrence] = field(default_factory=list[Occurrence])

    @property
    def kinds(self) -> list[str]:
        return [str(one.kind) for one in self.told]

    @property
    def state(self) -> DoorState:
        return self.doorway.state

    def grant(self, seconds: float = 5, cause: Cause = Cause.TAP) -> Reason | None:
        self.doorway.tapped()
        return self.doorway.release(Grant(GrantId("11" * 16), seconds, cause, lambda: None))

    async def is_(self, state: DoorState) -> None:
        await eventually(lambda: self.state is state)


@asynccontextmanager
async def a_door(*, held_seconds: float = 30.0) -> AsyncGenerator[Door]:
    relays, told = FakeRelays(), list[Occurrence]()
    doorway = Doorway(
        FRONT, relays, Lights(), changed=lambda: None, tell=told.append, held_seconds=held_seconds
    )
    relays.changed = doorway.relay_changed
    for circuit in (doorway.sensors.contact, doorway.sensors.tamper):
        circuit(True)
    doorway.sensors.exit(False)
    doorway.relay_changed(False)
    doorway.serve()
    assert doorway.state is DoorState.LOCKED
    yield Door(doorway, relays, told)
    doorway.close()


@pytest.fixture
async def door() -> AsyncGenerator[Door]:
    async with a_door() as here:
        yield here


async def test_the_lock_locks_a_second_after_the_leaf_has_opened(door: Door) -> None:
    assert door.grant(seconds=30) is None
    door.doorway.sensors.contact(False)
    await door.is_(DoorState.OPENED)
    assert door.relays.on
    await eventually(lambda: not door.relays.on, seconds=5)
    door.doorway.sensors.contact(True)
    await door.is_(DoorState.LOCKED)
    assert door.kinds == ["door_opened", "door_closed"]


async def test_a_leaf_that_nobody_may_open_is_forced(door: Door) -> None:
    door.doorway.sensors.contact(False)
    await door.is_(DoorState.FORCED)
    assert door.doorway.status()["alarms"] == ["forced"]
    door.doorway.sensors.contact(True)
    await door.is_(DoorState.LOCKED)
    assert door.kinds == ["door_forced", "door_closed"]


async def test_whoever_asks_to_leave_forces_nothing_even_if_the_contact_is_quicker(
    door: Door,
) -> None:
    door.doorway.sensors.contact(False)
    await asyncio.sleep(2 * BOUNCE_SECONDS)
    door.doorway.sensors.exit(True)
    await door.is_(DoorState.OPENED)
    assert "door_forced" not in door.kinds
    assert "exit_requested" in door.kinds
    assert door.relays.on is False, "it needs no relay"


async def test_a_contact_that_bounces_is_one_opening(door: Door) -> None:
    door.grant()
    for _ in range(5):
        door.doorway.sensors.contact(False)
        door.doorway.sensors.contact(True)
    door.doorway.sensors.contact(False)
    await door.is_(DoorState.OPENED)
    assert door.kinds == ["door_opened"]


async def test_a_leaf_that_is_held_open_is_told_and_is_well_once_it_is_shut() -> None:
    async with a_door(held_seconds=0.3) as door:
        door.grant()
        door.doorway.sensors.contact(False)
        await door.is_(DoorState.HELD_OPEN)
        door.doorway.sensors.contact(True)
        await door.is_(DoorState.LOCKED)
        assert door.kinds == ["door_opened", "door_held_open", "door_closed"]


async def test_a_housing_that_opens_shuts_the_door_until_a_person_has_looked(door: Door) -> None:
    door.grant()
    door.doorway.sensors.tamper(False)
    await door.is_(DoorState.TAMPERED)
    assert door.relays.on is False
    assert door.grant() is Reason.TAMPERED
    door.doorway.restore()
    assert door.state is DoorState.TAMPERED, "it is still open"
    door.doorway.sensors.tamper(True)
    await eventually(lambda: "tamper_ended" in door.kinds)
    assert door.state is DoorState.TAMPERED
    door.doorway.restore()
    assert door.state is DoorState.LOCKED


async def test_a_housing_that_is_open_at_the_start_is_told_once_and_its_end_too() -> None:
    relays, told = FakeRelays(), list[Occurrence]()
    doorway = Doorway(FRONT, relays, Lights(), changed=lambda: None, tell=told.append)
    for _ in range(3):
        doorway.sensors.tamper(False)
    assert [(one.kind, one.point) for one in told] == [("tamper_began", FRONT)]
    doorway.relay_changed(False)
    doorway.serve()
    assert doorway.state is DoorState.TAMPERED
    doorway.sensors.tamper(True)
    await eventually(lambda: [one.kind for one in told] == ["tamper_began", "tamper_ended"])
    doorway.close()


@pytest.mark.parametrize(
    ("hold", "reason"),
    [(Hold.LOCKDOWN, Reason.LOCKED_DOWN), (Hold.OUT_OF_SERVICE, Reason.OUT_OF_SERVICE)],
)
async def test_an_order_shuts_the_door_and_outlasts_a_fault(
    hold: Hold, reason: Reason, door: Door
) -> None:
    door.grant()
    door.doorway.hold(hold)
    assert door.relays.on is False
    assert door.grant() is reason
    assert door.grant(cause=Cause.COMMAND) is reason
    door.doorway.set_fault(Reason.STORAGE_FAULT, is_there=True)
    door.doorway.set_fault(Reason.STORAGE_FAULT, is_there=False)
    assert door.grant() is reason
    door.doorway.restore()
    assert door.grant() is None


async def test_a_door_that_stands_open_greets_everybody_and_forgets_no_leaf(door: Door) -> None:
    assert door.doorway.stand_open(GrantId("22" * 16))
    assert (door.state, door.relays.on) == (DoorState.UNLOCKED, True)
    assert door.grant() is None
    assert door.relays.grant == "22" * 16
    door.doorway.sensors.contact(False)
    await eventually(lambda: door.kinds == ["door_opened"])
    door.doorway.stand_no_more()
    assert (door.state, door.relays.on) == (DoorState.OPENED, False)
    door.doorway.sensors.contact(True)
    await door.is_(DoorState.LOCKED)


async def test_a_relay_that_does_not_let_go_is_a_fault_until_a_person_has_looked(
    door: Door,
) -> None:
    door.doorway.felt(False)
    door.grant()
    door.doorway.felt(True)
    door.doorway.restore()
    assert door.state is DoorState.LOCKED
    await eventually(lambda: Reason.RELAY_WELDED in door.doorway.faults)
    assert door.state is DoorState.FAULT
    door.doorway.felt(False)
    await asyncio.sleep(2 * BOUNCE_SECONDS)
    assert door.grant() is Reason.RELAY_WELDED
    door.doorway.restore()
    assert door.grant() is None
    assert door.kinds == ["fault_began", "fault_ended"]


async def test_a_relay_that_does_not_come_on_ends_the_unlock_is_told_and_may_be_tried_again(
    door: Door,
) -> None:
    door.doorway.felt(False)
    door.grant()
    await eventually(lambda: door.kinds == ["fault_began", "fault_ended"])
    assert {one.reason for one in door.told} == {Reason.RELAY_STUCK}
    assert door.relays.on is False
    assert door.grant() is None


async def test_a_leaf_that_stands_open_at_the_start_is_no_alarm() -> None:
    async with a_door() as door:
        door.doorway.set_fault(Reason.STORAGE_FAULT, is_there=True)
        door.doorway.sensors.contact(False)
        await eventually(lambda: door.doorway.sensors.leaf.is_open)
        door.doorway.set_fault(Reason.STORAGE_FAULT, is_there=False)
        assert door.state is DoorState.OPENED


async def test_a_break_glass_card_gets_in_while_the_disk_fails_and_only_then(door: Door) -> None:
    assert door.grant(cause=Cause.BREAK_GLASS) is not None
    door.doorway.set_fault(Reason.STORAGE_FAULT, is_there=True)
    assert door.grant() is Reason.STORAGE_FAULT
    assert door.grant(seconds=0.2, cause=Cause.BREAK_GLASS) is None
    assert door.relays.on
    await eventually(lambda: not door.relays.on)
    assert door.state is DoorState.FAULT
    door.doorway.relay_changed(None)
    assert door.grant(cause=Cause.BREAK_GLASS) is not None


@pytest.mark.parametrize("hold", Hold)
@pytest.mark.parametrize("is_ordered_first", [True, False])
async def test_where_it_is_ordered_that_nobody_gets_in_no_failing_disk_lets_a_break_glass_card_in(
    door: Door, hold: Hold, is_ordered_first: bool
) -> None:
    if is_ordered_first:
        door.doorway.hold(hold)
    door.doorway.set_fault(Reason.STORAGE_FAULT, is_there=True)
    if not is_ordered_first:
        assert door.grant(cause=Cause.BREAK_GLASS) is None
        door.doorway.hold(hold)
        assert not door.relays.on, "whoever was let in before gets in no more"
    assert door.grant(cause=Cause.BREAK_GLASS) is not None
    assert not door.relays.on
    door.doorway.restore()
    assert door.grant(cause=Cause.BREAK_GLASS) is None


async def test_where_a_housing_is_open_no_failing_disk_lets_a_break_glass_card_in(
    door: Door,
) -> None:
    door.doorway.sensors.tamper(False)
    await door.is_(DoorState.TAMPERED)
    door.doorway.set_fault(Reason.STORAGE_FAULT, is_there=True)
    assert door.grant(cause=Cause.BREAK_GLASS) is not None
    assert not door.relays.on
