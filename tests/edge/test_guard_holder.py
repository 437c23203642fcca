"""A daemon that dies or stands still while a relay is on: the guard turns it off."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from edge.lease import LEASE_MS_MAX
from tests.support.guard_trace import read_trace, relay_states
from tests.support.waiting import eventually_sync

PROGRAM = (sys.executable, "-m", "tests.support.guard_holder")
SOON_NS = 200_000_000
"""Generous for a busy machine; `make bench` measures it."""


class Holder:
    """The process that unlocked the front door, its guard and its child."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.trace = folder / "trace"
        self.process = subprocess.Popen(
            [*PROGRAM, str(folder / "guard"), str(self.trace), kind],
            env={**os.environ, "GPIOZERO_PIN_FACTORY": "mock"},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        pids = json.loads(self.process.stdout.readline())
        self.guard: int = pids["guard"]
        self.child: int | None = pids["child"]
        eventually_sync(lambda: relay_states(self.trace, "front") == ["on"])  # told, then traced

    def off_after(self, signal_number: int) -> int:
        """How many ns after the signal the relay went off."""
        sent_ns = time.monotonic_ns()
        self.process.send_signal(signal_number)
        eventually_sync(lambda: relay_states(self.trace, "front") == ["on", "off"])
        return read_trace(self.trace)[-1].mono_ns - sent_ns

    def end(self) -> None:
        self.process.kill()
        if self.child is not None:
            with suppress(ProcessLookupError):
                os.kill(self.child, signal.SIGKILL)
        self.process.communicate()  # until nobody holds its output any more
        eventually_sync(lambda: not is_running(self.guard))


def is_running(pid: int) -> bool:
    """Whether the process is there and not merely unreaped."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture
def holder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Holder]:
    started = Holder(tmp_path, getattr(request, "param", "alone"))
    yield started
    started.end()


@pytest.mark.parametrize("holder", ["alone", "exec", "fork"], indirect=True)
def test_a_killed_daemon_opens_nothing_any_more(holder: Holder):
    assert holder.off_after(signal.SIGKILL) <= SOON_NS
    eventually_sync(lambda: not is_running(holder.guard))
    if holder.child is not None:
        assert is_running(holder.child), "it should have been there all the time"


def test_a_daemon_that_stands_still_loses_its_lease(holder: Holder):
    try:
        assert holder.off_after(signal.SIGSTOP) <= LEASE_MS_MAX * 1_000_000 + SOON_NS
        assert is_running(holder.guard)
    finally:
        holder.process.send_signal(signal.SIGCONT)


def test_a_killed_guard_is_replaced_and_the_unlock_goes_on(holder: Holder):
    os.kill(holder.guard, signal.SIGKILL)
    # Mock pins leave no trace of a killed guard's "off"; on a Raspberry Pi the kernel does it.
    eventually_sync(lambda: relay_states(holder.trace, "front") == ["on", "on"])
