"""Why a controller isn't linked: told where somebody looks, not in the log alone."""

import asyncio
import json

from edge.status import in_words
from tests.edge.conftest import SIGNER
from tests.edge.test_technician import in_terminal
from tests.support.brokers import PASSWORD, Mosquitto
from tests.support.edge_daemon import EdgeDaemon
from tests.support.waiting import eventually

SECRET = "open-sesame-4711"


async def trouble_of(daemon: EdgeDaemon) -> str:
    """What the status says, once it says something."""
    return await eventually(lambda: daemon.status().get("link_trouble"), seconds=30)


async def test_who_is_linked_has_no_trouble(linked: EdgeDaemon) -> None:
    await eventually(lambda: linked.status()["link"] == "up")
    assert linked.status()["link_trouble"] is None


async def test_a_broker_that_is_not_there_is_told_by_status_terminal_and_check(
    daemon: EdgeDaemon,
) -> None:
    daemon.enrol(SIGNER.bundle("mqtt://127.0.0.1:1", password=SECRET))
    await daemon.start_and_wait()
    told = await trouble_of(daemon)
    assert "127.0.0.1:1: " in told
    assert "refused" in told
    state = daemon.status()
    assert (state["link"], state["faults"]) == ("down", []), "doors go on: it is no fault of theirs"
    code, seen = await asyncio.to_thread(in_terminal, daemon, "status")
    assert (code, f"! link: {told}" in seen.splitlines()) == (0, True), seen
    checked = await asyncio.to_thread(daemon.run, "check")
    findings = [json.loads(line) for line in checked.stdout.splitlines()]
    [broker] = [finding for finding in findings if finding["what"] == "broker"]
    assert broker["text"] == f"the running daemon isn't linked to it: {told}"
    assert broker["remedy"] == "is the broker running, and does the network reach it?"
    assert SECRET not in checked.stdout + seen + json.dumps(state)


async def test_a_refused_password_is_told_with_the_remedy_and_without_the_password(
    daemon: EdgeDaemon, mosquitto: Mosquitto
) -> None:
    daemon.enrol(SIGNER.bundle(f"mqtt://127.0.0.1:{mosquitto.port}", password=SECRET))
    await daemon.start_and_wait()
    told = await trouble_of(daemon)
    assert "Not authori" in told
    checked = await asyncio.to_thread(daemon.run, "check")
    assert "its password was refused: enrol anew" in checked.stdout
    assert SECRET not in told + checked.stdout


async def test_a_way_that_the_settings_forbid_is_told_once(daemon: EdgeDaemon) -> None:
    daemon.enrol(SIGNER.bundle("mqtt://192.0.2.1:1883", password=SECRET))
    await daemon.start_and_wait()
    state = daemon.status()
    assert "it is not encrypted" in state["link_trouble"]
    assert state["faults"] == [f"link: {state['link_trouble']}"]
    assert in_words(state).count("it is not encrypted") == 1


async def test_a_broker_that_comes_ends_the_trouble(
    daemon: EdgeDaemon, mosquitto: Mosquitto
) -> None:
    mosquitto.stop_now()
    daemon.enrol(SIGNER.bundle(f"mqtt://127.0.0.1:{mosquitto.port}", password=PASSWORD))
    await daemon.start_and_wait()
    await trouble_of(daemon)
    mosquitto.start_now()
    await eventually(lambda: daemon.status()["link"] == "up", seconds=60)
    assert daemon.status()["link_trouble"] is None


async def test_who_is_not_enrolled_has_no_link_to_be_troubled(daemon: EdgeDaemon) -> None:
    daemon.start()
    state = await eventually(daemon.status, seconds=30)
    assert (state["link"], state["link_trouble"]) == ("down", None)
