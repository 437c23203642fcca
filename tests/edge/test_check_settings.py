"""`p2k16-edge check` of settings that can be read and name what can't work."""

import json

import pytest

from tests.support.edge_daemon import EdgeDaemon


def check(daemon: EdgeDaemon) -> dict[str, dict[str, str]]:
    """What was found, by what it is about; the first of each."""
    done = daemon.run("check")
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode in {0, 1, 2}
    return {one["what"]: one for one in reversed([*map(json.loads, done.stdout.splitlines())])}


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
