"""The units as systemd reads them: how much they could do, and that they mean what they say."""

import re
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.brokers import require_program
from tests.tidy.test_house import HOUSE

UNITS = HOUSE / "systemd"
EXPOSURE_MAX = {"p2k16-edge": 2.0, "p2k16-console": 2.0}
"""systemd's own score, from 0 (can do nothing) to 10 (can do anything)."""


@pytest.fixture(scope="module")
def systemd_analyze() -> str:
    return require_program("systemd-analyze", package="systemd")


def settings(unit: str) -> dict[str, list[str]]:
    """Every `Key=value` of a unit; a key may stand more than once."""
    found: dict[str, list[str]] = {}
    for line in (UNITS / f"{unit}.service").read_text().splitlines():
        if line and line[0] not in "#[":
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


@pytest.mark.parametrize("unit", EXPOSURE_MAX)
def test_a_unit_can_do_little_beyond_its_work(unit: str, systemd_analyze: str) -> None:
    scored = subprocess.run(
        [systemd_analyze, "security", "--offline=true", "--no-pager", UNITS / f"{unit}.service"],
        capture_output=True,
        text=True,
        check=False,
    )
    score = re.search(r"Overall exposure level for \S+: ([0-9.]+)", scored.stdout)
    assert score, scored.stdout + scored.stderr
    assert float(score[1]) <= EXPOSURE_MAX[unit], scored.stdout


@pytest.mark.parametrize("unit", EXPOSURE_MAX)
def test_systemd_knows_every_word_of_a_unit(
    unit: str, systemd_analyze: str, tmp_path: Path
) -> None:
    text = (UNITS / f"{unit}.service").read_text()
    here = tmp_path / f"{unit}.service"
    here.write_text(re.sub(r"^(Exec\w+)=.*", r"\1=/bin/true", text, flags=re.MULTILINE))
    verified = subprocess.run(
        [systemd_analyze, "verify", "--man=no", here], capture_output=True, text=True, check=False
    )
    ours = [line for line in verified.stderr.splitlines() if unit in line]
    assert (verified.returncode, ours) == (0, [])


def test_the_daemon_is_watched_and_started_again_for_ever() -> None:
    edge = settings("p2k16-edge")
    assert edge["Type"] == ["notify"]
    assert edge["NotifyAccess"] == ["main"]
    assert edge["WatchdogSec"] == ["10"]
    assert edge["Restart"] == ["always"]
    assert edge["StartLimitIntervalSec"] == ["0"]
    [after] = edge["ExecStopPost"]
    assert " outputs-off " in after


@pytest.mark.parametrize("unit", EXPOSURE_MAX)
def test_every_line_of_a_unit_has_its_reason(unit: str) -> None:
    """A comment before it, or one that it shares with a line of the same key."""
    lines = (UNITS / f"{unit}.service").read_text().splitlines()
    for before, line in pairwise(lines):
        if line and line[0] not in "#[":
            key = line.partition("=")[0]
            assert before.startswith(("# ", f"{key}=")), line
