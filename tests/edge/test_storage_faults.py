"""When the journal can't be written: nobody gets in, everybody is told, and it heals by itself."""

import json
import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.status import in_words
from sync.topics import Leaf
from tests.edge.conftest import SIGNER
from tests.support.brokers import PASSWORD, Mosquitto
from tests.support.console_stand_in import ConsoleStandIn
from tests.support.edge_daemon import EDGE, EdgeDaemon
from tests.support.signer import KARIS_CARD, OLAS_CARD
from tests.support.waiting import eventually


def limit_files(daemon: EdgeDaemon, size: int) -> None:
    """No file of the daemon can grow beyond so many bytes, nor be written behind them."""
    _, hard = resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, (size, hard))


def has_fault(state: dict[str, list[str]], word: str) -> bool:
    return any(fault.startswith(word) for fault in state.get("faults", []))


async def test_a_disk_that_takes_no_more_denies_is_told_and_heals(
    linked: EdgeDaemon, console: ConsoleStandIn
) -> None:
    linked.log.unlink()  # the log is a file of the daemon's, too
    limit_files(linked, 0)
    linked.tap(KARIS_CARD)
    await eventually(lambda: linked.point()["state"] == "fault")
    assert has_fault(linked.status(), "storage_fault")
    await eventually(lambda: has_fault(console.state(), "storage_fault"))
    linked.tap(OLAS_CARD)
    assert linked.relay() == []

    limit_files(linked, resource.RLIM_INFINITY)
    await eventually(lambda: linked.point()["state"] == "locked", seconds=8)
    assert not has_fault(linked.status(), "storage_fault")
    denied = await console.wait_for_kind("access_denied", 2)
    assert {event.reason for event in denied} == {"storage_fault"}
    linked.tap(KARIS_CARD)
    await eventually(lambda: linked.relay() == ["on"])


async def test_a_break_glass_opening_is_told_at_once_and_recorded_when_the_disk_is_well(
    linked: EdgeDaemon, console: ConsoleStandIn
) -> None:
    right = replace(SIGNER.right(), is_break_glass=True)
    await console.send_snapshot(2, {SIGNER.entry(KARIS_CARD): right})
    await console.wait_until_applied(2)
    linked.log.unlink()  # the log is a file of the daemon's, too
    limit_files(linked, 0)
    linked.tap(OLAS_CARD)
    await eventually(lambda: linked.point()["state"] == "fault")
    linked.tap(KARIS_CARD)
    await eventually(lambda: linked.relay() == ["on", "off"])
    assert console.kinds("access_") == []
    await eventually(lambda: console.state()["break_glass"]["unrecorded"] == 1)
    [told] = console.state()["break_glass"]["openings"]
    assert (told["point"], told["reason"]) == ("front", "allowed")
    assert told["entry"] == SIGNER.entry(KARIS_CARD).hex()
    assert told["member"] == right.member.hex()
    shown = in_words(linked.status())
    assert f"! break-glass: front at {datetime.now(UTC):%Y-}" in shown
    assert KARIS_CARD not in json.dumps(linked.status())

    limit_files(linked, resource.RLIM_INFINITY)
    [granted] = await console.wait_for_kind("access_granted")
    assert (granted.tap, granted.stamp.time_ms) == (told["tap"], told["time_ms"])
    assert granted.detail == "with a break-glass card, while nothing could be recorded"
    await eventually(lambda: console.state()["break_glass"] == {"unrecorded": 0, "openings": []})


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("NOT TESTED: only root may mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


async def test_a_full_disk_denies_is_told_and_heals(
    small_disk: Path, mosquitto: Mosquitto, console: ConsoleStandIn
) -> None:
    daemon = EdgeDaemon(small_disk)
    daemon.log = small_disk.parent / "edge.log"
    daemon.trace = small_disk.parent / "trace"
    try:
        daemon.enrol(SIGNER.bundle(f"mqtt://127.0.0.1:{mosquitto.port}", password=PASSWORD))
        await daemon.start_and_wait()
        await console.wait_until_applied(1)
        await daemon.wait_until_fresh()
        filling = small_disk / "filling"
        with filling.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(512))
            except OSError:
                pass

        def is_at_fault() -> bool:
            daemon.tap(os.urandom(5).hex())  # each denial takes some of what is left
            return daemon.point()["state"] == "fault"

        await eventually(is_at_fault, seconds=60, every=0.05)
        daemon.tap(KARIS_CARD)
        await eventually(lambda: has_fault(console.state(), "storage_fault"))
        assert daemon.relay() == []
        filling.unlink()
        await eventually(lambda: daemon.point()["state"] == "locked", seconds=8)
        daemon.tap(OLAS_CARD)
        await eventually(lambda: "unknown_card" in {e.reason for e in console.all_events()})
    finally:
        daemon.close()


async def test_a_disk_that_is_full_at_the_start_is_waited_for(
    small_disk: Path, mosquitto: Mosquitto, console: ConsoleStandIn
) -> None:
    daemon = EdgeDaemon(small_disk)
    daemon.log = small_disk.parent / "edge.log"
    daemon.trace = small_disk.parent / "trace"
    try:
        daemon.enrol(SIGNER.bundle(f"mqtt://127.0.0.1:{mosquitto.port}", password=PASSWORD))
        await daemon.start_and_wait()
        await console.wait_until_applied(1)
        await daemon.wait_until_fresh()
        daemon.stop()
        filling = small_disk / "filling"
        with filling.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(512))
        filling.write_bytes(filling.read_bytes()[: -36 * 1024])  # to open it is possible
        daemon.start()
        await eventually(lambda: "storage_fault" in str(daemon.status().get("faults")), seconds=20)
        assert daemon.point()["state"] == "boot"
        filling.unlink()
        await eventually(lambda: daemon.point()["state"] == "locked", seconds=20)
        assert "storage_fault" not in str(daemon.status().get("faults"))
    finally:
        daemon.close()


async def test_a_damaged_store_is_set_aside_and_everybody_denied_until_the_rights_come(
    linked: EdgeDaemon, console: ConsoleStandIn
) -> None:
    journal = console.journal
    linked.stop()
    for leaf in (Leaf.KEYS, Leaf.SNAPSHOT):  # the broker forgets what it retained
        await console.publish(leaf, b"", retain=True)
    store = linked.data_dir / "edge.sqlite"
    damaged = os.urandom(store.stat().st_size)
    store.write_bytes(damaged)
    await linked.start_and_wait()
    assert (linked.data_dir / "edge.sqlite.damaged-1").read_bytes() == damaged
    linked.tap(OLAS_CARD)  # not Kari's: her card held twice within 1.5 s would be one tap
    await eventually(lambda: linked.log_lines("tap.answered", this_boot=True))
    assert linked.log_lines("tap.answered", this_boot=True)[0]["reason"] == "no_snapshot"
    state = linked.status()
    assert state["applied"] == {"epoch": 0, "serial": 0, "digest": None}
    assert has_fault(state, "store_set_aside: edge.sqlite.damaged-1: look into it")
    assert linked.relay() == []

    await console.send_keys()
    await console.send_snapshot(1)
    await console.wait_until_applied(1)
    await eventually(lambda: has_fault(console.state(), "store_set_aside"))
    await eventually(lambda: console.journal != journal)
    [started] = await console.wait_for_kind("controller_started")
    await console.wait_for_kind("access_denied")  # of the time before the rights came
    assert started.detail is not None
    assert "edge.sqlite.damaged-1" in started.detail
    await linked.wait_until_fresh()
    linked.tap(KARIS_CARD)
    await eventually(lambda: linked.relay() == ["on"])


async def test_a_store_that_can_not_be_opened_is_waited_for(
    daemon: EdgeDaemon, mosquitto: Mosquitto, console: ConsoleStandIn
) -> None:
    daemon.enrol(SIGNER.bundle(f"mqtt://127.0.0.1:{mosquitto.port}", password=PASSWORD))
    obstacle = daemon.data_dir / "edge.sqlite"
    obstacle.mkdir(parents=True)
    daemon.start()
    await eventually(lambda: has_fault(daemon.status(), "storage_fault"))
    assert daemon.point()["relay"] == "off"
    obstacle.rmdir()
    await console.wait_until_applied(1)
    await daemon.wait_until_fresh()
    daemon.tap(KARIS_CARD)
    await eventually(lambda: daemon.relay() == ["on"])


async def test_a_log_that_nobody_reads_stops_nothing(
    linked: EdgeDaemon, mosquitto: Mosquitto
) -> None:
    linked.stop()
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [EDGE, "run", "--config", str(linked.config)],
        stdout=writing,
        stderr=writing,
        env=linked.environment,
    )
    linked.process = process
    os.close(writing)
    await eventually(linked.is_ready, seconds=30)
    os.close(reading)
    linked.tap(KARIS_CARD)
    await eventually(lambda: linked.relay() == ["on"])
    assert linked.stop() == 0
