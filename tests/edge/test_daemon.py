"""The real daemon: from the bytes on the serial line to the relay and the console."""

import asyncio
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from edge.status import in_words
from tests.edge.conftest import SIGNER
from tests.support.brokers import PASSWORD, Mosquitto
from tests.support.console_stand_in import ConsoleStandIn
from tests.support.edge_daemon import EDGE, EdgeDaemon
from tests.support.serial_line import frame
from tests.support.signer import KARIS_CARD, OLAS_CARD
from tests.support.waiting import eventually


async def test_a_tap_opens_is_reported_and_arrives_at_the_console(
    linked: EdgeDaemon, console: ConsoleStandIn
) -> None:
    await eventually(lambda: linked.status()["clock"]["trusted"])
    linked.tap(KARIS_CARD)
    await eventually(lambda: linked.relay() == ["on"])
    await eventually(lambda: console.state()["points"]["front"]["relay"] == "on")
    [event] = await console.wait_for_kind("access_granted")
    assert event.stamp.is_time_trusted
    assert event.stamp.boot == console.boot
    await eventually(lambda: linked.relay() == ["on", "off"])
    await eventually(lambda: console.state()["points"]["front"]["state"] == "locked", seconds=2)
    assert console.kinds()[0] == "controller_started"
    assert "snapshot_applied" in console.kinds()


async def test_status_tells_what_is(linked: EdgeDaemon, console: ConsoleStandIn) -> None:
    await console.wait_for_kind("snapshot_applied")
    await eventually(lambda: linked.point()["light"] == "off")
    head = len(console.all_events())
    await eventually(lambda: linked.status()["journal"]["acknowledged"] == head)
    state = linked.status()
    assert state["points"] == {
        "front": {
            "kind": "door",
            "relay": "off",
            "state": "locked",
            "light": "off",
            "contact": None,
            "alarms": [],
            "reader": "open",
            "staleness": "fresh",
        }
    }
    assert 0 <= state["age_ms"] < 60_000
    assert state["storage"]["commit_p99_ms"] >= 0
    applied = console.reports[-1].applied
    assert applied.digest is not None
    assert state["applied"] == {"epoch": 1, "serial": 1, "digest": applied.digest.hex()}
    assert state["journal"] == {
        "id": console.journal,
        "head": head,
        "acknowledged": head,
        "fill_percent": 0,
        "unrecorded": 0,
    }
    assert (state["link"], state["controller"]) == ("up", "front")
    assert (state["faults"], state["last_error"]) == ([], None)
    await eventually(lambda: linked.status()["clock"]["trusted"])
    piped = linked.run("status")
    assert piped.returncode == 0
    assert json.loads(piped.stdout)["points"]["front"]["state"] == "locked"
    assert "front  locked  off " in in_words(linked.status())
    assert console.presence[-1] == "online"


async def test_an_unplugged_reader_is_lost_and_found_again(
    linked: EdgeDaemon, console: ConsoleStandIn
) -> None:
    linked.lines["front"].unplug()
    await eventually(lambda: console.state()["points"]["front"]["reader"] == "lost")
    assert any("reader_lost: front" in fault for fault in console.state()["faults"])
    linked.lines["front"].plug_in()
    await eventually(lambda: linked.point()["reader"] == "open")
    linked.tap(KARIS_CARD)
    await eventually(lambda: linked.relay() == ["on"])


async def test_half_a_frame_before_the_plug_was_pulled_counts_for_nothing(
    linked: EdgeDaemon, console: ConsoleStandIn
) -> None:
    line = linked.lines["front"]
    line.send(frame(OLAS_CARD)[:9])
    await asyncio.sleep(0.1)
    line.unplug()
    await eventually(lambda: linked.point()["reader"] == "lost")
    line.plug_in()
    await eventually(lambda: linked.point()["reader"] == "open")
    line.send(frame(OLAS_CARD)[9:])
    line.present(KARIS_CARD)
    await console.wait_for_kind("access_granted")
    assert console.kinds("access_") == ["access_granted"]


async def test_on_sigterm_the_relay_goes_off_first_and_all_is_said(
    linked: EdgeDaemon, console: ConsoleStandIn
) -> None:
    await console.send_snapshot(2)
    linked.tap(KARIS_CARD)
    await eventually(lambda: linked.relay() == ["on"])
    head = linked.status()["journal"]["head"]
    assert linked.stop(signal.SIGTERM) == 0
    assert linked.relay() == ["on", "off"]
    await eventually(lambda: console.presence[-1] == "offline")
    assert not (linked.data_dir / "status.sock").exists()
    await linked.start_and_wait()
    assert linked.status()["journal"]["head"] > head
    assert linked.relay() == ["on", "off"]


async def test_without_a_daemon_status_fails_at_once(daemon: EdgeDaemon) -> None:
    asked = daemon.run("status", "--json")
    assert (asked.returncode, asked.stdout) == (1, "")
    assert "no daemon answers" in asked.stderr


async def test_after_a_kill_the_relay_is_off_nothing_is_lost_and_status_fails(
    linked: EdgeDaemon, console: ConsoleStandIn
) -> None:
    for number in range(1, 4):
        linked.tap(KARIS_CARD)
        await eventually(lambda times=number: linked.relay().count("on") == times)
        head = linked.status()["journal"]["head"]
        linked.stop(signal.SIGKILL)
        await eventually(lambda times=number: linked.relay() == ["on", "off"] * times, seconds=2)
        assert linked.run("status").returncode == 1
        await linked.start_and_wait()
        assert linked.relay() == ["on", "off"] * number
        assert linked.status()["journal"]["head"] >= head
    await console.wait_for_kind("access_granted", 3)
    assert await console.wait_for_kind("controller_started", 4), "the chain holds throughout"


async def test_a_lingering_child_keeps_neither_the_relay_on_nor_the_next_daemon_out(
    linked: EdgeDaemon, console: ConsoleStandIn
) -> None:
    linked.tap(KARIS_CARD)
    await eventually(lambda: linked.relay() == ["on"])
    # What a child of the daemon would hold: its descriptors, whatever they are.
    held = [os.open(f"/proc/{linked.pid}/fd/{fd}", os.O_PATH) for fd in descriptors(linked.pid)]
    linked.stop(signal.SIGKILL)
    await eventually(lambda: linked.relay() == ["on", "off"], seconds=2)
    await linked.start_and_wait()
    for descriptor in held:
        os.close(descriptor)


def descriptors(pid: int) -> list[str]:
    return [path.name for path in Path(f"/proc/{pid}/fd").iterdir()]


async def test_a_frozen_daemon_loses_its_lease_and_goes_on_when_it_wakes(
    linked: EdgeDaemon, console: ConsoleStandIn
) -> None:
    await console.send_snapshot(2)
    linked.tap(KARIS_CARD)
    await eventually(lambda: linked.relay() == ["on"])
    linked.freeze()
    await eventually(lambda: linked.relay() == ["on", "off"], seconds=1)
    os.kill(linked.pid, signal.SIGCONT)
    await eventually(lambda: linked.point()["relay"] == "off")


async def test_a_housing_that_is_open_at_the_start_is_an_event_of_each_start(
    daemon: EdgeDaemon, mosquitto: Mosquitto, console: ConsoleStandIn
) -> None:
    with daemon.config.open("a") as config:
        config.write("tamper.pin = 5\n")  # a mock pin's circuit is open
    daemon.enrol(SIGNER.bundle(f"mqtt://127.0.0.1:{mosquitto.port}", password=PASSWORD))
    for boots in (1, 2):
        daemon.start()
        told = await console.wait_for_kind("tamper_began", count=boots)
        assert [event.point for event in told] == ["front"] * boots
        assert len({event.stamp.boot for event in told}) == boots
        await eventually(lambda: daemon.point().get("state") == "tampered", seconds=30)
        daemon.stop()


async def test_two_daemons_on_one_folder_the_second_refuses(linked: EdgeDaemon) -> None:
    second = linked.run("run")
    assert second.returncode == 1
    assert "another p2k16-edge runs on" in second.stderr
    assert linked.status()


async def test_not_enrolled_it_runs_says_so_and_takes_the_bundle_over_when_it_comes(
    daemon: EdgeDaemon, mosquitto: Mosquitto, console: ConsoleStandIn
) -> None:
    daemon.start()
    await eventually(lambda: daemon.status())
    state = daemon.status()
    assert (state["controller"], state["link"]) == (None, "down")
    assert state["applied"] == {"epoch": 0, "serial": 0, "digest": None}
    assert any("not enrolled" in fault for fault in state["faults"])
    daemon.tap(KARIS_CARD)
    daemon.enrol(SIGNER.bundle(f"mqtt://127.0.0.1:{mosquitto.port}", password=PASSWORD))
    await console.wait_until_applied(1)
    await eventually(daemon.is_ready)
    assert not daemon.bundle.exists()
    assert daemon.relay() == []
    daemon.tap(KARIS_CARD)
    await eventually(lambda: daemon.relay() == ["on"])


async def test_a_bundle_for_another_controller_is_refused_and_the_doors_go_on(
    linked: EdgeDaemon, console: ConsoleStandIn
) -> None:
    linked.stop()
    linked.enrol(type(SIGNER)().bundle())
    await linked.start_and_wait()
    assert linked.bundle.exists()
    [fault] = linked.status()["faults"]
    assert "for controller front-pi, but this is front" in fault
    linked.tap(KARIS_CARD)
    await eventually(lambda: linked.relay() == ["on"])


async def test_lights_are_driven_and_reported(
    tmp_path: Path, mosquitto: Mosquitto, console: ConsoleStandIn
) -> None:
    lit = EdgeDaemon(tmp_path, lights=True)
    try:
        lit.enrol(SIGNER.bundle(f"mqtt://127.0.0.1:{mosquitto.port}", password=PASSWORD))
        await lit.start_and_wait()
        await console.wait_until_applied(1)
        await lit.wait_until_fresh()
        lit.tap(OLAS_CARD)
        await eventually(lambda: "red" in console.lights("front"))
        lit.tap(KARIS_CARD)
        await eventually(lambda: "green" in console.lights("front"))
    finally:
        lit.close()


async def test_garbage_on_the_line_is_no_tap_and_no_crash(
    linked: EdgeDaemon, console: ConsoleStandIn
) -> None:
    line = linked.lines["front"]
    one, other = frame(OLAS_CARD), frame(KARIS_CARD)
    for data in (
        os.urandom(4_000),
        bytes(byte for pair in zip(one, other, strict=True) for byte in pair),
        other[:5] + b"F" + other[6:],
        b"\x02" * 500,
    ):
        line.send(data)
        await asyncio.sleep(0.05)
    for _ in range(20):
        line.present(KARIS_CARD)
    await console.wait_for_kind("access_granted")
    assert console.kinds("access_") == ["access_granted"]


def test_mistakes_in_the_settings_are_all_told_with_exit_code_2(tmp_path: Path) -> None:
    config = tmp_path / "edge.toml"
    config.write_text("[[door]]\nkey = 'Front'\nrelay.pin = 99\n")
    for arguments in (["run", "--config", str(config)], ["--config", str(config), "status"]):
        done = subprocess.run([EDGE, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 2
        for key in ("door[1].key", "door[1].relay.pin", "door[1].reader.driver"):
            assert key in done.stderr


@pytest.mark.parametrize("before", [True, False])
async def test_config_may_stand_before_and_after_the_command(
    before: bool, linked: EdgeDaemon
) -> None:
    where = ["--config", str(linked.config)]
    arguments = [*where, "status"] if before else ["status", *where]
    done = subprocess.run([EDGE, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
