"""What a daemon says of itself while it starts is true: ready is ready for a tap."""

import signal
from typing import Any

from edge.asking import NoAnswer, ask_state
from tests.edge.conftest import SIGNER
from tests.support.brokers import PASSWORD, Mosquitto
from tests.support.console_stand_in import ConsoleStandIn
from tests.support.edge_daemon import EdgeDaemon
from tests.support.signer import KARIS_CARD, OLAS_CARD
from tests.support.waiting import eventually


def state(daemon: EdgeDaemon) -> dict[str, Any]:
    """As `p2k16-edge status` has it, without the time that a program takes to start."""
    try:
        return ask_state(daemon.data_dir)
    except NoAnswer:
        return {}


def looks_ready(daemon: EdgeDaemon) -> bool:
    """To somebody who asks for link, rights and reader alone."""
    found = state(daemon)
    return bool(
        found
        and found["link"] == "up"
        and found["applied"]["serial"] > 0
        and found["points"]["front"]["reader"] == "open"
    )


async def test_once_link_rights_and_reader_are_ready_the_first_tap_opens(
    linked: EdgeDaemon, console: ConsoleStandIn
) -> None:
    for times in range(1, 6):
        linked.stop()
        linked.start()
        await eventually(lambda: looks_ready(linked), seconds=60, every=0.001)
        linked.tap(KARIS_CARD)
        await console.wait_for_kind("access_granted", times)
    assert console.kinds("access_") == ["access_granted"] * 5
    assert linked.relay().count("on") == 5


async def test_rights_that_come_after_the_beacon_that_named_them_are_fresh_at_once(
    daemon: EdgeDaemon, mosquitto: Mosquitto, console: ConsoleStandIn
) -> None:
    console.newest_serial = 2
    daemon.enrol(SIGNER.bundle(f"mqtt://127.0.0.1:{mosquitto.port}", password=PASSWORD))
    daemon.start()
    await eventually(lambda: looks_ready(daemon) and state(daemon)["clock"]["trusted"], seconds=60)
    assert state(daemon)["points"]["front"]["staleness"] == "hard"
    console.answers_nonces = False
    await console.send_snapshot(2)
    await console.wait_until_applied(2)
    assert state(daemon)["points"]["front"]["staleness"] == "fresh"
    daemon.tap(KARIS_CARD)
    await console.wait_for_kind("access_granted")


async def test_a_controller_whose_guard_can_not_start_tells_the_console_and_heals(
    daemon: EdgeDaemon, mosquitto: Mosquitto, console: ConsoleStandIn
) -> None:
    daemon.enrol(SIGNER.bundle(f"mqtt://127.0.0.1:{mosquitto.port}", password=PASSWORD))
    daemon.data_dir.mkdir()
    in_the_way = daemon.data_dir / "guard"
    in_the_way.touch()
    daemon.start()
    await console.wait_until_applied(1, seconds=60)
    assert console.state()["faults"] == ["relay_fault: front: no relay guard"]
    daemon.tap(OLAS_CARD)
    [denied] = await console.wait_for_kind("access_denied")
    assert denied.reason == "relay_fault"
    in_the_way.unlink()
    await eventually(lambda: console.state()["points"]["front"]["state"] == "locked", seconds=60)
    daemon.tap(KARIS_CARD)
    await console.wait_for_kind("access_granted")


async def test_sigterm_ends_at_once_a_daemon_that_waits_for_its_guard(
    daemon: EdgeDaemon, mosquitto: Mosquitto
) -> None:
    daemon.enrol(SIGNER.bundle(f"mqtt://127.0.0.1:{mosquitto.port}", password=PASSWORD))
    daemon.data_dir.mkdir()
    (daemon.data_dir / "guard").touch()
    daemon.start()
    await eventually(lambda: state(daemon).get("journal", {}).get("head"), seconds=60)
    found = state(daemon)
    assert (found["link"], found["points"]["front"]["reader"]) == ("down", "lost")
    assert daemon.stop(signal.SIGTERM, seconds=5) == 0
    assert not daemon.log_lines("guard.awaited_in_vain")
