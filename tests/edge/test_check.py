"""`p2k16-edge check`: all findings at once, each failure with its remedy."""

import json

from tests.edge.conftest import SIGNER
from tests.support.brokers import PASSWORD, Mosquitto
from tests.support.console_stand_in import ConsoleStandIn
from tests.support.edge_daemon import EdgeDaemon


def findings(daemon: EdgeDaemon) -> tuple[int, dict[str, str]]:
    """The exit code, and what was found about what."""
    done = daemon.run("check")
    assert "Traceback" not in done.stderr, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    for finding in found:
        assert finding["ok"] is (finding["remedy"] is None), finding
    return done.returncode, {one["what"]: "ok" if one["ok"] else "failed" for one in found}


async def test_a_controller_that_could_run_is_ok(
    daemon: EdgeDaemon, mosquitto: Mosquitto, console: ConsoleStandIn
) -> None:
    daemon.enrol(SIGNER.bundle(f"mqtt://127.0.0.1:{mosquitto.port}", password=PASSWORD))
    code, found = findings(daemon)
    assert found == dict.fromkeys(
        ("settings", "data_dir", "reader front", "relay front", "enrolment", "broker"), "ok"
    )
    assert code == 0
    assert daemon.bundle.exists(), "a check takes nothing over"


def test_everything_that_is_wrong_is_told_at_once(daemon: EdgeDaemon) -> None:
    daemon.lines["front"].unplug()
    code, found = findings(daemon)
    assert code == 1
    assert found["reader front"] == "failed"
    assert found["enrolment"] == "failed"
    assert found["relay front"] == "ok"
    daemon.lines["front"].plug_in()


def test_a_broker_that_is_not_there_is_told(daemon: EdgeDaemon) -> None:
    daemon.enrol(SIGNER.bundle("mqtt://127.0.0.1:1"))
    code, found = findings(daemon)
    assert (code, found["broker"], found["enrolment"]) == (1, "failed", "ok")
    daemon.enrol(SIGNER.bundle("mqtt://192.0.2.1:1883"))
    done = daemon.run("check")
    assert "allow_plaintext = true" in done.stdout


async def test_beside_a_running_daemon_pins_and_session_are_left_alone(
    linked: EdgeDaemon, console: ConsoleStandIn
) -> None:
    connects = len(console.hellos)
    code, found = findings(linked)
    assert (code, found["pins"], found["broker"]) == (0, "ok", "ok")
    assert linked.status()["link"] == "up"
    assert len(console.hellos) == connects


def test_a_folder_that_can_not_be_made_is_told(daemon: EdgeDaemon) -> None:
    daemon.data_dir.write_text("in the way")
    code, found = findings(daemon)
    assert (code, found["data_dir"]) == (1, "failed")
