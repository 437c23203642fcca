"""`p2k16-edge check` of settings that can be read and name what can't work."""

import json

import pytest

from tests.edge.conftest import SIGNER
from tests.support.edge_daemon import EdgeDaemon


def check(daemon: EdgeDaemon) -> dict[str, dict[str, str]]:
    """What was found, by what it is about; of several, the last."""
    done = daemon.run("check")
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode in {0, 1, 2}
    return {one["what"]: one for one in map(json.loads, done.stdout.splitlines())}


def replace(daemon: EdgeDaemon, old: str, new: str) -> None:
    text = daemon.config.read_text()
    assert old in text
    daemon.config.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    "text", ["a = " + "[" * 3_000, "a = " + "1" * 5_000], ids=["too deep", "too long a number"]
)
@pytest.mark.parametrize("command", ["check", "status"])
def test_settings_that_no_person_writes_are_told_in_a_line(
    command: str, text: str, daemon: EdgeDaemon
) -> None:
    daemon.config.write_text(text)
    done = daemon.run(command)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
    assert "can't be read" in done.stdout + done.stderr


def test_names_that_no_file_system_takes_are_findings(daemon: EdgeDaemon) -> None:
    replace(daemon, str(daemon.lines["front"].path), "/dev/" + "x" * 900)
    replace(daemon, str(daemon.data_dir), "/tmp/" + "x" * 300)
    found = check(daemon)
    for what in ("data_dir", "reader front", "enrolment"):
        assert found[what]["verdict"] == "failed"
        assert "File name too long" in found[what]["text"]
        assert found[what]["remedy"].startswith("correct "), found[what]
    assert {"clock", "relay front", "broker"} <= found.keys()


@pytest.mark.parametrize(
    ("port", "told"),
    [
        ("socket://192.0.2.1:4000", "is a URL"),
        ("/etc/passwd", "is no serial port"),
        ("/tmp", "is no serial port"),
        ("/etc/passwd/reader", "is not there"),
        ("/dev/nowhere", "is not there"),
    ],
    ids=["URL", "file", "folder", "below a file", "missing"],
)
def test_a_port_that_is_none_is_told(port: str, told: str, daemon: EdgeDaemon) -> None:
    replace(daemon, str(daemon.lines["front"].path), port)
    found = check(daemon)["reader front"]
    assert found["verdict"] == "failed"
    assert found["text"].startswith(f"{port} {told}")
    assert "reader.port" in found["remedy"]


@pytest.mark.parametrize("pin", [0, 4, 8])
def test_a_relay_at_a_pin_that_is_pulled_up_at_power_up_is_a_warning(
    pin: int, daemon: EdgeDaemon
) -> None:
    replace(daemon, "relay.pin = 10", f"relay.pin = {pin}")
    found = check(daemon)["relay front"]
    assert found["verdict"] == "warning"
    assert found["text"] == f"BCM {pin} is pulled up at power-up: the relay clicks"
    assert found["remedy"].startswith("take one of BCM 9 to 27")


@pytest.mark.parametrize(
    ("port", "pin", "verdict"),
    [
        ("/dev/serial0", 14, "warning"),
        ("/dev/ttyAMA0", 15, "warning"),
        ("/dev/serial0", 16, "ok"),
        ("/dev/ttyUSB0", 14, "ok"),
        ("link", 14, "warning"),
    ],
    ids=["TX", "RX", "another pin", "another port", "a name for it"],
)
def test_a_pin_of_the_serial_line_that_a_reader_uses_is_a_warning(
    port: str, pin: int, verdict: str, daemon: EdgeDaemon
) -> None:
    link = daemon.folder / "reader"
    link.symlink_to("/dev/ttyAMA0")
    path = str(link) if port == "link" else port
    replace(daemon, str(daemon.lines["front"].path), path)
    replace(daemon, "relay.pin = 10", f"relay.pin = {pin}")
    found = check(daemon)["relay front"]
    assert found["verdict"] == verdict
    assert (found["remedy"] is None) is (verdict == "ok")


def test_a_folder_whose_socket_would_have_too_long_a_path_is_told(daemon: EdgeDaemon) -> None:
    long = daemon.folder / ("x" * 100)
    replace(daemon, str(daemon.data_dir), str(long))
    done = daemon.run("check")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    [told] = [one for one in found if one["what"] == "data_dir" and one["verdict"] == "failed"]
    assert told["text"].startswith(f"{long}/status.sock has ")
    assert told["remedy"] == "name a shorter data_dir"
    assert done.returncode == 1


@pytest.mark.parametrize("url", ["mqtt://127.0.0.1:1", "mqtts://127.0.0.1:1"])
@pytest.mark.parametrize(("name", "verdict"), [("/nowhere/ca.crt", "warning"), ("own", None)])
def test_certificates_that_are_not_there_are_told_whatever_the_way_to_the_broker(
    name: str, verdict: str | None, url: str, daemon: EdgeDaemon
) -> None:
    path = str(daemon.config) if name == "own" else name
    replace(daemon, "[[door]]", f'[mqtt]\nca_file = "{path}"\n[[door]]')
    daemon.enrol(SIGNER.bundle(url))
    found = check(daemon)
    assert (found["ca_file"]["verdict"] if "ca_file" in found else None) == verdict
