"""The relay guard as a real process with mock pins: what turns a relay off, and that it does."""

import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge.lease import (
    NO_GRANT,
    GrantId,
    Lease,
    RelayChange,
    Release,
    decode_change,
    encode,
)
from sync.ids import PointKey
from tests.support.guard_trace import read_trace, relay_states
from tests.support.waiting import eventually_sync

PROGRAM = (sys.executable, "-P", "-m", "edge.guard")
FRONT, BACK = PointKey("front"), PointKey("back")
ONE, OTHER = GrantId("11" * 16), GrantId("22" * 16)
MARGIN_NS = 100_000_000


class GuardProcess:
    """A guard, and the daemon's end of its socket."""

    def __init__(self, trace: Path, *relays: str, inherited: tuple[int, ...] = ()) -> None:
        self.trace = trace
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(5)
        options = [option for relay in relays for option in ("--relay", relay)]
        with theirs:
            self.process = subprocess.Popen(
                [*PROGRAM, "--socket-fd", str(theirs.fileno()), *options, "--trace", str(trace)],
                pass_fds=[theirs.fileno(), *inherited],
                env={**os.environ, "GPIOZERO_PIN_FACTORY": "mock"},
                cwd=trace.parent,
                stderr=subprocess.PIPE,
                text=True,
            )

    def heard(self) -> RelayChange:
        return decode_change(self.socket.recv(100))

    def lease(self, point: PointKey, grant: GrantId = ONE, milliseconds: int = 500) -> int:
        """Returns the end of the lease."""
        until_ns = time.monotonic_ns() + milliseconds * 1_000_000
        self.socket.send(encode(Lease(point, grant, until_ns)))
        return until_ns

    def turn_on(self, point: PointKey, grant: GrantId = ONE) -> int:
        until_ns = self.lease(point, grant)
        assert self.heard().is_on
        return until_ns

    def exit_code(self) -> int:
        return self.process.wait(5)

    def states(self, point: PointKey = FRONT) -> list[str]:
        return relay_states(self.trace, point)

    def end(self) -> None:
        self.socket.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


@pytest.fixture
def guard(tmp_path: Path) -> Iterator[GuardProcess]:
    started = GuardProcess(tmp_path / "trace", "front=17", "back=27")
    first = [started.heard(), started.heard()]
    assert [(change.point, change.is_on) for change in first] == [(FRONT, False), (BACK, False)]
    yield started
    started.end()


def test_at_the_start_every_relay_is_off_and_nothing_has_changed(guard: GuardProcess):
    assert read_trace(guard.trace) == []


def test_a_lease_that_nobody_renews_ends_on_time(guard: GuardProcess):
    until_ns = guard.turn_on(FRONT)
    off = guard.heard()
    assert (off.point, off.is_on) == (FRONT, False)
    assert until_ns <= off.mono_ns <= until_ns + MARGIN_NS
    eventually_sync(lambda: guard.states() == ["on", "off"])
    assert guard.states(BACK) == []
    assert read_trace(guard.trace)[1].mono_ns == off.mono_ns


def test_a_renewed_lease_keeps_the_relay_on_without_a_change(guard: GuardProcess):
    guard.turn_on(FRONT)
    until_ns = 0
    for _ in range(4):
        time.sleep(0.2)
        until_ns = guard.lease(FRONT)
    assert guard.heard().mono_ns >= until_ns
    eventually_sync(lambda: guard.states() == ["on", "off"])


def test_a_lease_can_be_shortened(guard: GuardProcess):
    guard.turn_on(FRONT)
    until_ns = guard.lease(FRONT, milliseconds=50)
    assert guard.heard().mono_ns <= until_ns + MARGIN_NS


def test_a_release_turns_off_at_once(guard: GuardProcess):
    guard.turn_on(FRONT)
    released_ns = time.monotonic_ns()
    guard.socket.send(encode(Release(FRONT, ONE)))
    assert guard.heard().mono_ns <= released_ns + MARGIN_NS


def test_a_release_of_an_older_grant_changes_nothing_and_is_answered(guard: GuardProcess):
    guard.turn_on(FRONT, ONE)
    until_ns = guard.lease(FRONT, OTHER)
    guard.socket.send(encode(Release(FRONT, ONE)))
    answer = guard.heard()
    assert (answer.point, answer.is_on) == (FRONT, True)
    off = guard.heard()
    assert (off.is_on, off.mono_ns >= until_ns) == (False, True)
    eventually_sync(lambda: guard.states() == ["on", "off"])


def test_a_release_of_a_relay_that_is_off_changes_nothing_and_is_answered(guard: GuardProcess):
    for grant in (ONE, NO_GRANT):
        guard.socket.send(encode(Release(FRONT, grant)))
        answer = guard.heard()
        assert (answer.point, answer.is_on) == (FRONT, False)
    guard.turn_on(BACK)
    assert guard.states() == []


def test_each_relay_has_its_own_lease(guard: GuardProcess):
    guard.turn_on(FRONT)
    guard.turn_on(BACK)
    guard.socket.send(encode(Release(FRONT, ONE)))
    assert guard.heard().point == FRONT
    assert guard.states(BACK) == ["on"]


def test_a_lease_that_lay_unread_until_it_was_over_is_not_obeyed(guard: GuardProcess):
    os.kill(guard.process.pid, signal.SIGSTOP)
    until_ns = guard.lease(FRONT, milliseconds=50)
    while time.monotonic_ns() <= until_ns:
        time.sleep(0.01)
    os.kill(guard.process.pid, signal.SIGCONT)
    guard.turn_on(BACK)
    assert guard.states() == []


def test_the_end_of_the_socket_turns_everything_off(guard: GuardProcess):
    guard.turn_on(FRONT)
    guard.turn_on(BACK)
    guard.lease(FRONT)  # still unread, and not to be obeyed
    closed_ns = time.monotonic_ns()
    guard.socket.close()
    assert guard.exit_code() == 0
    assert guard.states(FRONT) == guard.states(BACK) == ["on", "off"]
    assert read_trace(guard.trace)[-1].mono_ns <= closed_ns + MARGIN_NS


def test_sigterm_turns_everything_off(guard: GuardProcess):
    guard.turn_on(FRONT)
    guard.process.terminate()
    assert guard.exit_code() == 0
    assert guard.states() == ["on", "off"]


def test_what_a_terminal_sends_to_the_group_is_ignored(guard: GuardProcess):
    guard.turn_on(FRONT)
    guard.process.send_signal(signal.SIGINT)
    guard.process.send_signal(signal.SIGHUP)
    guard.turn_on(BACK)
    assert guard.process.poll() is None


LEASE_OF_FRONT = encode(Lease(FRONT, ONE, 2**63))


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(lambda: b"", id="empty"),
        pytest.param(lambda: b"\x00", id="unknown kind"),
        pytest.param(lambda: b"open the door", id="text"),
        pytest.param(lambda: os.urandom(200), id="too large"),
        pytest.param(lambda: LEASE_OF_FRONT[:20], id="breaks off"),
        pytest.param(lambda: LEASE_OF_FRONT[:25], id="no point"),
        pytest.param(lambda: LEASE_OF_FRONT + b"!", id="no name"),
        pytest.param(lambda: LEASE_OF_FRONT + b"-x" * 20, id="long name"),
        pytest.param(lambda: LEASE_OF_FRONT, id="lasts for centuries"),
        pytest.param(
            lambda: encode(Lease(FRONT, ONE, time.monotonic_ns() + 600_000_000)), id="lasts 600 ms"
        ),
        pytest.param(lambda: encode(Release(PointKey("side"), ONE)), id="unknown point"),
        pytest.param(lambda: encode(RelayChange(FRONT, is_on=True, mono_ns=0)), id="own words"),
    ],
)
def test_a_message_without_sense_turns_everything_off(
    guard: GuardProcess, packet: Callable[[], bytes]
):
    guard.turn_on(FRONT)
    guard.turn_on(BACK)
    guard.socket.send(packet())
    assert guard.exit_code() == 3
    assert guard.states(FRONT) == guard.states(BACK) == ["on", "off"]


def test_it_keeps_no_descriptor_of_the_daemon(tmp_path: Path):
    read_end, write_end = os.pipe()
    guard = GuardProcess(tmp_path / "trace", "front=17", inherited=(write_end,))
    try:
        os.close(write_end)
        guard.heard()
        assert select.select([read_end], [], [], 2)[0], "somebody still holds the other end"
        assert os.read(read_end, 1) == b""
    finally:
        os.close(read_end)
        guard.end()


@pytest.mark.parametrize(
    ("relays", "complaint"),
    [
        (("front=17", "back=17"), "pin 17 (relay of back) can't be used"),
        (("front=17", "saw=24,17"), "pin 17 (relay of saw) can't be used"),
        (("saw=24,",), "invalid literal"),
        (("front=99",), "pin 99 (relay of front) can't be used"),
        (("front",), "invalid literal"),
        (("Front=17",), "a key has"),
        ((), "expected --socket-fd"),
    ],
)
def test_without_its_pins_it_says_why_and_ends(
    tmp_path: Path, relays: tuple[str, ...], complaint: str
):
    guard = GuardProcess(tmp_path / "trace", *relays)
    _, said = guard.process.communicate(timeout=5)
    guard.end()
    assert guard.process.returncode == 2
    assert complaint in said
    assert "Traceback" not in said


def test_a_trace_that_cannot_be_written_later_does_not_matter(tmp_path: Path):
    guard = GuardProcess(Path("/dev/full"), "front=17")
    try:
        guard.heard()
        guard.turn_on(FRONT)
        assert not guard.heard().is_on
    finally:
        guard.end()


def test_a_daemon_that_reads_nothing_does_not_hold_it_up(guard: GuardProcess):
    for _ in range(300):  # more changes than the socket holds
        guard.lease(FRONT)
        guard.socket.send(encode(Release(FRONT, ONE)))
    eventually_sync(lambda: guard.states().count("off") == 300)


def test_it_loads_neither_an_event_loop_nor_a_log() -> None:
    """Each would take megabytes, and could go wrong."""
    asked = (
        "import edge.guard, edge.pins, sys\n"
        "print(sorted({'asyncio', 'structlog'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
