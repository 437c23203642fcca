"""`migrate --remove` at a terminal and without one."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

PROGRAM = Path(sys.executable).parent / "p2k16-console"


def environment(url: str, folder: Path) -> dict[str, str]:
    return {**os.environ, "P2K16_DATABASE_URL": url, "P2K16_DATA_DIR": str(folder)}


def at_terminal(url: str, folder: Path, answer: str) -> tuple[int, str]:
    """Exit status and all that was shown."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [PROGRAM, "migrate", "--remove"],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(url, folder),
    ) as process:
        os.write(ours, answer.encode())
        shown, _ = process.communicate(timeout=30)
    os.close(ours)
    os.close(theirs)
    return process.returncode, shown


def is_migrated(url: str) -> bool:
    with psycopg.connect(url) as connection:
        found = connection.execute("select to_regnamespace('access') is not null").fetchone()
    return found == (True,)


def test_without_a_terminal_it_is_done_at_once(taken_over: str, tmp_path: Path):
    for expected in ("Removed cards, doors", "There is nothing of ours"):
        done = subprocess.run(
            [PROGRAM, "migrate", "--remove"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
            env=environment(taken_over, tmp_path),
        )
        assert done.stdout.startswith(expected)
        assert done.stderr == ""
        assert not is_migrated(taken_over)


@pytest.mark.parametrize("answer", ["\n", "no\n", "\x04"])
def test_at_a_terminal_nothing_is_done_without_a_yes(answer: str, taken_over: str, tmp_path: Path):
    status, shown = at_terminal(taken_over, tmp_path, answer)
    assert status == 1
    for lost in ("cards", "doors", "controllers", "events", "sessions"):
        assert lost in shown
    assert shown.endswith("nothing was changed\n")
    assert is_migrated(taken_over)


def test_at_a_terminal_a_yes_is_enough(taken_over: str, tmp_path: Path):
    status, shown = at_terminal(taken_over, tmp_path, "yes\n")
    assert (status, shown.count("Removed cards")) == (0, 1)
    assert not is_migrated(taken_over)


def test_at_a_terminal_nothing_is_asked_where_there_is_nothing(legacy_url: str, tmp_path: Path):
    status, shown = at_terminal(legacy_url, tmp_path, "")
    assert (status, shown.count("Type yes")) == (0, 0)
    assert "There is nothing of ours" in shown
