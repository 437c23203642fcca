"""Commands whose input, output or files are not what they should be: one line, and no traceback."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from edge.regular_file import read_regular
from tests.edge.conftest import SIGNER
from tests.edge.test_technician import in_terminal
from tests.support.edge_daemon import EDGE, EdgeDaemon

QUICK = 60
"""Seconds in which anything must have ended on a busy machine."""


def shell(daemon: EdgeDaemon, command: str) -> subprocess.CompletedProcess[str]:
    """As somebody types it; `$E` is the program with its settings."""
    return subprocess.run(
        ["/bin/sh", "-c", f'E="{EDGE} --config {daemon.config}"; {command}'],
        capture_output=True,
        text=True,
        check=False,
        env=daemon.environment,
        timeout=QUICK,
    )


@pytest.mark.parametrize("command", ["check", "outputs-off"])
def test_an_output_that_is_full_is_one_line_and_1(command: str, daemon: EdgeDaemon) -> None:
    done = shell(daemon, f"$E {command} > /dev/full")
    assert done.returncode == 1
    told = "p2k16-edge: the answer can't be written: No space left on device"
    assert done.stderr.splitlines() == [told]
    assert shell(daemon, f"$E {command} > /dev/full 2> /dev/full").returncode == 1


@pytest.mark.parametrize("command", ["check", "status", "outputs-off", "self-test front"])
def test_closed_input_and_output_leave_no_traceback(command: str, daemon: EdgeDaemon) -> None:
    done = shell(daemon, f"$E {command} >&- <&-")
    assert done.returncode in {0, 1}
    assert "Traceback" not in done.stderr
    done = shell(daemon, f"$E {command} 2>&- >&- <&-")
    assert (done.returncode in {0, 1}, done.stderr) == (True, "")


def test_a_reader_that_has_had_enough_ends_it_silently(daemon: EdgeDaemon) -> None:
    done = shell(daemon, "($E check; echo $? >&2) | true")
    assert done.stderr.splitlines() == ["1"]


def test_a_terminal_without_our_letters_gets_them_written_out(daemon: EdgeDaemon) -> None:
    daemon.environ["PYTHONIOENCODING"] = "ascii"
    daemon.config.write_text(daemon.config.read_text() + '"n\u00f8kkel \u2013" = 1\n')
    code, seen = in_terminal(daemon, "check")
    assert (code, "Traceback" in seen) == (2, False)
    assert "door[1].n\\xf8kkel \\u2013: there is no such setting" in seen
    done = daemon.run("check")
    [found] = [json.loads(line) for line in done.stdout.splitlines()]
    assert found["text"].startswith("door[1].n\u00f8kkel \u2013: there is no such setting")


@pytest.fixture(params=["fifo", "device", "folder"])
def no_file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "odd"
    match request.param:
        case "fifo":
            os.mkfifo(path)
        case "device":
            path.symlink_to("/dev/zero")
        case _:
            path.mkdir()
    return path


def test_what_is_no_file_is_neither_settings_nor_bundle(no_file: Path, daemon: EdgeDaemon) -> None:
    told = subprocess.run(
        [EDGE, "status", "--config", str(no_file)],
        capture_output=True,
        text=True,
        check=False,
        timeout=QUICK,
    )
    [line] = told.stderr.splitlines()
    assert (told.returncode, f"{no_file}: can't be read: it is no regular file" in line) == (
        2,
        True,
    )
    told = shell(daemon, f"$E import {no_file}")
    [line] = told.stderr.splitlines()
    assert (told.returncode, f"{no_file} can't be read: it is no regular file" in line) == (1, True)
    assert no_file.exists()


def test_a_file_is_read_to_one_byte_more_than_is_allowed(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x" * 10)
    assert read_regular(file, bytes_max=10) == b"x" * 10
    assert read_regular(file, bytes_max=4) == b"x" * 5
    with pytest.raises(FileNotFoundError):
        read_regular(tmp_path / "none", bytes_max=4)


def test_mistakes_in_settings_are_a_line_each(daemon: EdgeDaemon) -> None:
    daemon.config.write_text('datadir = "x"\n"odd\\n\\u001b[2Jkey" = 1\n')
    done = daemon.run("status")
    lines = done.stderr.splitlines()
    assert (done.returncode, len(lines)) == (2, 3)
    assert all(line.startswith(f"p2k16-edge: {daemon.config}: ") for line in lines)
    assert all(line.isprintable() for line in lines)


def test_import_in_a_terminal_says_what_it_did_and_nothing_else(daemon: EdgeDaemon) -> None:
    daemon.enrol(SIGNER.bundle("mqtt://127.0.0.1:1"))
    code, seen = in_terminal(daemon, "import", str(daemon.bundle))
    assert (code, len(seen.splitlines())) == (0, 1), seen
    assert seen.startswith(f"this is {SIGNER.controller} now")


ODD_BUNDLES = {
    "5,000 digits": (b'{"version":' + b"1" * 5_000 + b"}", "a number has too many digits"),
    "3,000 deep": (b"[" * 3_000 + b"]" * 3_000, "is no bundle: "),
}


@pytest.mark.parametrize(("content", "told"), ODD_BUNDLES.values(), ids=ODD_BUNDLES.keys())
def test_a_bundle_that_no_console_writes_is_one_line(
    content: bytes, told: str, daemon: EdgeDaemon
) -> None:
    daemon.bundle.write_bytes(content)
    done = daemon.run("import", str(daemon.bundle))
    [line] = done.stderr.splitlines()
    assert (done.returncode, told in line) == (1, True), line
    assert "sys." not in line
