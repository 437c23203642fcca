"""What a hostile broker may send: nothing of it changes anything, also after a restart."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import pytest

from sync.ids import BootId, CommandId, ControllerId, JournalId, Nonce, PointKey
from sync.topics import Leaf
from tests.edge.conftest import SIGNER
from tests.support.console_stand_in import ConsoleStandIn
from tests.support.edge_daemon import EdgeDaemon
from tests.support.signer import KARIS_CARD, OLAS_CARD
from tests.support.waiting import eventually

STRANGER = replace(
    SIGNER, snapshot_seed=b"\x09" * 32, command_seed=b"\x09" * 32, beacon_seed=b"\x09" * 32
)
FOREIGN = replace(SIGNER, controller=ControllerId("back"))
OLAS_RIGHT = {SIGNER.entry(OLAS_CARD): SIGNER.right()}


def altered(data: bytes) -> bytes:
    return data[:150] + bytes([data[150] ^ 1]) + data[151:]


SNAPSHOTS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "rolled back": ("rolled_back", lambda: SIGNER.snapshot(4, OLAS_RIGHT)),
    "same serial, other rights": ("rolled_back", lambda: SIGNER.snapshot(5, OLAS_RIGHT)),
    "far ahead": ("rolled_back", lambda: SIGNER.snapshot(2_000_000, OLAS_RIGHT)),
    "altered": ("bad_signature", lambda: altered(SIGNER.snapshot(6, OLAS_RIGHT))),
    "unsigned": ("bad_signature", lambda: SIGNER.snapshot(6, OLAS_RIGHT)[:-64] + bytes(64)),
    "by a stranger": ("bad_signature", lambda: STRANGER.snapshot(6, OLAS_RIGHT)),
    "foreign": ("wrong_audience", lambda: FOREIGN.snapshot(6, OLAS_RIGHT)),
    "no envelope": ("malformed", lambda: b"{}"),
    "oversized": ("too_large", lambda: SIGNER.snapshot(6, OLAS_RIGHT) + bytes(4_300_000)),
    "empty": ("malformed", lambda: b""),
}


async def refused_as(daemon: EdgeDaemon, kind: str, name: str) -> None:
    """Waits until this boot has said so in its log; the status shows the last refusal only."""

    def is_told() -> bool:
        lines = daemon.log_lines("message.refused", this_boot=True)
        return any((line["kind"], line["reason"]) == (kind, name) for line in lines)

    await eventually(is_told)
    assert daemon.status()["last_error"] is not None


@pytest.mark.parametrize("what", SNAPSHOTS)
async def test_a_snapshot_that_must_not_be_believed_changes_nothing_also_after_a_restart(
    what: str, linked: EdgeDaemon, console: ConsoleStandIn
) -> None:
    name, make = SNAPSHOTS[what]
    await console.send_snapshot(5)
    await console.wait_until_applied(5)
    await console.publish(Leaf.SNAPSHOT, make(), retain=True)
    await refused_as(linked, "snapshot", name)
    [event] = await console.wait_for_kind("message_refused")
    assert event.detail is not None
    assert event.detail.startswith(f"snapshot {name}")
    assert linked.log_lines("message.refused")[0]["reason"] == name

    linked.stop()  # the broker has kept what was refused
    await linked.start_and_wait()
    if make():
        await refused_as(linked, "snapshot", name)
    assert linked.status()["applied"]["serial"] == 5
    linked.tap(OLAS_CARD)
    linked.tap(KARIS_CARD)
    await eventually(lambda: linked.relay() == ["on"])
    assert console.kinds("access_") in (["access_denied", "access_granted"], ["access_denied"], [])
    await console.wait_for_kind("access_denied")


async def test_the_current_snapshot_delivered_again_is_no_alarm(
    linked: EdgeDaemon, console: ConsoleStandIn
) -> None:
    for _ in range(3):
        await console.send_snapshot(1)
    linked.stop()
    await linked.start_and_wait()
    await console.wait_for_kind("controller_started", 2)
    await asyncio.sleep(0.3)
    assert linked.status()["last_error"] is None
    assert console.kinds("message_refused") == []
    assert console.kinds("snapshot_applied") == ["snapshot_applied"]


async def test_many_refusals_fill_neither_log_nor_journal(
    linked: EdgeDaemon, console: ConsoleStandIn
) -> None:
    for _ in range(50):
        await console.publish(Leaf.SNAPSHOT, STRANGER.snapshot(9))
        await console.publish(Leaf.BEACON, b"nonsense")
    await console.wait_for_kind("message_refused", 2)
    head = linked.status()["journal"]["head"]
    await asyncio.sleep(0.3)
    assert linked.status()["journal"]["head"] == head
    assert len(linked.log_lines("message.refused")) == 2


async def test_an_opening_is_executed_once_and_a_replay_is_refused(
    linked: EdgeDaemon, console: ConsoleStandIn
) -> None:
    command = await console.open_door(7)
    await eventually(lambda: linked.relay() == ["on"])
    [executed] = await console.wait_for_kind("command_executed")
    assert executed.member == SIGNER.right().member
    assert (executed.point, executed.epoch, executed.serial) == ("front", 1, 1)
    await eventually(lambda: linked.relay() == ["on", "off"])
    await eventually(lambda: console.reports[-1].command_counter == 7)

    for _ in range(3):
        await console.publish(Leaf.COMMAND, command)
    await refused_as(linked, "command", "stale")
    linked.stop()
    await linked.start_and_wait()
    await console.publish(Leaf.COMMAND, command)
    await refused_as(linked, "command", "stale")
    assert linked.relay() == ["on", "off"]
    assert console.kinds("command_") == ["command_executed"]
    await eventually(lambda: console.reports[-1].command_counter == 7)


async def test_a_retained_opening_is_refused_on_every_connect(
    linked: EdgeDaemon, console: ConsoleStandIn
) -> None:
    linked.stop()
    command = SIGNER.command(console.boot, console.nonce, 3)
    await console.publish(Leaf.COMMAND, command, retain=True)
    await linked.start_and_wait()
    await refused_as(linked, "command", "stale")
    assert "retained" in linked.status()["last_error"]["text"]
    assert linked.relay() == []


COMMANDS: dict[str, Callable[[ConsoleStandIn], bytes]] = {
    "of an earlier boot": lambda c: SIGNER.command(BootId("0" * 32), c.nonce, 1),
    "with a strange challenge": lambda c: SIGNER.command(c.boot, Nonce("0" * 32), 1),
    "for an unknown point": lambda c: SIGNER.command(c.boot, c.nonce, 1, point=PointKey("back")),
}


@pytest.mark.parametrize("what", COMMANDS)
async def test_a_genuine_command_that_can_not_be_obeyed_is_answered_once(
    what: str, linked: EdgeDaemon, console: ConsoleStandIn
) -> None:
    command = COMMANDS[what](console)
    for _ in range(2):
        await console.publish(Leaf.COMMAND, command)
    [refused] = await console.wait_for_kind("command_refused")
    assert refused.detail is not None
    assert refused.detail.split(":")[0] in {"stale", "unknown_point"}
    await refused_as(linked, "command", "stale")
    assert len(console.kinds("command_")) == 1
    assert linked.relay() == []


@pytest.mark.parametrize(
    ("name", "signer"), [("bad_signature", STRANGER), ("wrong_audience", FOREIGN)]
)
async def test_a_command_of_somebody_else_is_refused(
    name: str, signer: object, linked: EdgeDaemon, console: ConsoleStandIn
) -> None:
    assert isinstance(signer, type(SIGNER))
    await console.publish(Leaf.COMMAND, signer.command(console.boot, console.nonce, 1))
    await refused_as(linked, "command", name)
    assert linked.relay() == []
    assert console.kinds("command_") == []


async def test_two_openings_with_one_challenge_are_both_executed(
    linked: EdgeDaemon, console: ConsoleStandIn
) -> None:
    boot, nonce = console.boot, console.nonce
    for counter in (1, 2):
        one = CommandId(str(uuid4()))
        await console.publish(Leaf.COMMAND, SIGNER.command(boot, nonce, counter, command_id=one))
    await console.wait_for_kind("command_executed", 2)
    await eventually(lambda: linked.relay() == ["on", "off"])


async def test_a_new_challenge_is_reported_after_each_command(
    linked: EdgeDaemon, console: ConsoleStandIn
) -> None:
    before = console.nonce
    await console.open_door(1)
    await eventually(lambda: console.nonce != before, seconds=2)


async def test_keys_that_were_taken_back_can_do_nothing(
    linked: EdgeDaemon, console: ConsoleStandIn
) -> None:
    rotated = SIGNER.rotated()
    await console.publish(Leaf.KEYS, rotated.keyset(), retain=True)
    await console.publish(Leaf.SNAPSHOT, SIGNER.snapshot(2, OLAS_RIGHT))
    await refused_as(linked, "snapshot", "bad_signature")
    await console.publish(Leaf.KEYS, SIGNER.keyset())
    await refused_as(linked, "keyset", "rolled_back")
    assert linked.status()["applied"].items() >= {"epoch": 1, "serial": 1}.items()
    await console.publish(Leaf.SNAPSHOT, rotated.snapshot(1, OLAS_RIGHT), retain=True)
    await eventually(lambda: linked.status()["applied"]["epoch"] == 2)


async def test_a_controller_that_missed_new_keys_asks_for_them_without_calling_all_the_time(
    linked: EdgeDaemon, console: ConsoleStandIn
) -> None:
    console.signer = SIGNER.rotated()  # its beacons and acknowledgements can't be verified now
    await refused_as(linked, "beacon", "bad_signature")
    await eventually(lambda: console.requests > 0, seconds=30)
    nonce = console.nonce
    await eventually(lambda: console.nonce != nonce, seconds=30)
    renewed = len(console.reports)
    nonce = console.nonce
    await eventually(lambda: console.nonce != nonce, seconds=30)
    assert len(console.reports) - renewed <= 10, "one report for each nonce, and few more"


async def test_a_snapshot_that_comes_before_its_keys_is_applied_once_they_are_there(
    linked: EdgeDaemon, console: ConsoleStandIn
) -> None:
    rotated = SIGNER.rotated()
    await console.publish(Leaf.SNAPSHOT, rotated.snapshot(1), retain=True)
    await console.publish(Leaf.KEYS, rotated.keyset(), retain=True)
    await eventually(lambda: linked.status()["applied"]["epoch"] == 2)


async def test_acks_that_can_not_be_true_lose_nothing(
    linked: EdgeDaemon, console: ConsoleStandIn
) -> None:
    console.acknowledges = False
    linked.tap(KARIS_CARD)
    await console.wait_for_kind("access_granted")
    journal = console.journal
    await console.acknowledge(journal, 10**6)
    await console.acknowledge(JournalId("0" * 32), 1)
    await console.publish(Leaf.ACK, STRANGER.ack(journal, 1))
    await refused_as(linked, "ack", "bad_signature")
    head = linked.status()["journal"]["head"]
    assert linked.status()["journal"]["acknowledged"] < head
    await console.acknowledge(journal, head)
    await eventually(lambda: linked.status()["journal"]["acknowledged"] == head)
    before = console.batches
    await console.acknowledge(journal, 0)  # a console restored from an old backup
    await eventually(lambda: console.batches > before)
    assert linked.status()["journal"]["acknowledged"] == 0


async def test_old_and_strange_beacons_neither_set_the_clock_nor_make_it_trusted(
    linked: EdgeDaemon, console: ConsoleStandIn
) -> None:
    linked.stop()
    console.answers_nonces = False
    old = SIGNER.beacon(console.nonce)
    await linked.start_and_wait()
    await console.wait_for_kind("controller_started", 2)
    await console.publish(Leaf.BEACON, old)
    beyond = SIGNER.beacon(console.nonce, time_ms=4_000_000_000_001)
    await console.publish(Leaf.BEACON, beyond)
    await refused_as(linked, "beacon", "stale")
    assert linked.status()["clock"]["trusted"] is False
    await console.publish(Leaf.BEACON, SIGNER.beacon(console.nonce))
    await eventually(lambda: linked.status()["clock"]["trusted"])
