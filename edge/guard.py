"""The relay guard: a small program of its own that owns the relay outputs.

    python -P -m edge.guard --socket-fd N --relay front=17 --relay saw=24,16 [--trace FILE]

The daemon decides; the guard only makes sure that no relay outlives a decision. A relay is on while
a lease of at most 500 ms is renewed (edge/lease.py), and everything else turns it off: the end of
the lease, a release, the end of the socket, the death of the daemon, SIGTERM, and any message that
makes no sense, after which the guard exits with 3 so that the daemon starts a fresh one.

It waits in one `poll`, without asyncio and without logging, so that little can go wrong in it and
16 MB hold it. A relay is always moved first; only then is anybody told. When the guard itself is
killed, the kernel lets go of its pins, which turns them off (`dtparam=strict_gpiod`).
"""

import os
import select
import signal
import socket
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic_ns
from types import FrameType
from typing import Protocol

from edge.errors import EdgeError, PinError
from edge.lease import (
    LEASE_MS_MAX,
    MESSAGE_BYTES_MAX,
    BadMessage,
    GrantId,
    Lease,
    RelayChange,
    Release,
    decode_order,
    encode,
)
from edge.pins import JoinedPins
from sync.errors import WireError
from sync.ids import PointKey, point_key

NS_PER_MS = 1_000_000
DONE, CANNOT_START, BAD_MESSAGE, PIN_FAILED = 0, 2, 3, 4


@dataclass(frozen=True, slots=True)
class Options:
    """The command line. `trace` None: no trace is kept."""

    socket_fd: int
    pins: Mapping[PointKey, tuple[int, ...]]
    trace: str | None


class Switch(Protocol):
    """What edge/pins.py offers."""

    def on(self) -> None:
        """Drives it. Raises: PinError."""
        ...

    def off(self) -> None:
        """Stops driving it. Raises: PinError."""
        ...


class Hears(Protocol):
    """What a socket offers."""

    def send(self, data: bytes, flags: int, /) -> int:
        """Raises: OSError."""
        ...


@dataclass(slots=True)
class Relay:
    """One relay and why it is on. `grant_id` None: it is off."""

    point: PointKey
    output: Switch
    grant_id: GrantId | None = None
    until_ns: int = 0


class Guard:
    """The relays and their leases; every change is told to the daemon and to the trace."""

    def __init__(
        self,
        outputs: Mapping[PointKey, Switch],
        daemon: Hears,
        trace_fd: int | None,
        *,
        mono_ns: Callable[[], int] = monotonic_ns,
    ) -> None:
        self._mono_ns = mono_ns
        self._relays = {point: Relay(point, output) for point, output in outputs.items()}
        self._daemon = daemon
        self._trace_fd = trace_fd
        for point in self._relays:
            self._report(RelayChange(point, is_on=False, mono_ns=self._mono_ns()))

    def obey(self, order: Lease | Release) -> None:
        """Does what the daemon says. Raises: BadMessage, PinError."""
        relay = self._relays.get(order.point)
        if relay is None:
            raise BadMessage("a message names a point that has no relay here")
        if isinstance(order, Lease):
            self._lease(relay, order)
        elif order.grant_id == relay.grant_id:
            self._turn_off([relay])
        else:  # the daemon may ask only to hear whether anybody is there
            is_on = relay.grant_id is not None
            self._report(RelayChange(relay.point, is_on=is_on, mono_ns=monotonic_ns()))

    def end_leases(self) -> None:
        """Turns off what nobody has renewed. Raises: PinError."""
        now = self._mono_ns()
        self._turn_off([relay for relay in self._on() if relay.until_ns <= now])

    def turn_all_off(self) -> None:
        """Turns everything off. Raises: PinError, after the last relay."""
        self._turn_off(self._on())

    def wait_ms(self) -> float | None:
        """How long until a lease ends; None while all relays are off."""
        ends = [relay.until_ns for relay in self._on()]
        return max(0, min(ends) - self._mono_ns()) / NS_PER_MS if ends else None

    def _on(self) -> list[Relay]:
        return [relay for relay in self._relays.values() if relay.grant_id is not None]

    def _lease(self, relay: Relay, order: Lease) -> None:
        now = self._mono_ns()
        if order.until_ns - now > LEASE_MS_MAX * NS_PER_MS:
            raise BadMessage("a lease lasts longer than allowed")
        if order.until_ns <= now:
            return  # it lay unread for too long
        was_on = relay.grant_id is not None
        relay.grant_id, relay.until_ns = order.grant_id, order.until_ns
        if not was_on:
            relay.output.on()
            self._tell([RelayChange(relay.point, is_on=True, mono_ns=self._mono_ns())])

    def _turn_off(self, relays: Iterable[Relay]) -> None:
        changes: list[RelayChange] = []
        failure: PinError | None = None
        for relay in relays:
            try:
                relay.output.off()
            except PinError as error:  # the others must go off all the same
                failure = error
                continue
            relay.grant_id = None
            changes.append(RelayChange(relay.point, is_on=False, mono_ns=self._mono_ns()))
        self._tell(changes)
        if failure is not None:
            raise failure

    def _tell(self, changes: Iterable[RelayChange]) -> None:
        for change in changes:
            self._report(change)
            if self._trace_fd is not None:
                with suppress(OSError):  # in one write, so that lines of several guards never mix
                    os.write(self._trace_fd, _trace_line(change))

    def _report(self, change: RelayChange) -> None:
        with suppress(OSError):  # a daemon that is gone or deaf must not hold up the guard
            self._daemon.send(encode(change), socket.MSG_DONTWAIT)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs until the daemon is gone. Returns the exit code."""
    try:
        options = _options(sys.argv[1:] if arguments is None else arguments)
        _close_descriptors_except({0, 1, 2, options.socket_fd})
        stop_fd = _mute_signals()
        daemon = socket.socket(fileno=options.socket_fd)
        outputs = {
            point: JoinedPins(pins, purpose=f"relay of {point}")
            for point, pins in options.pins.items()
        }
        trace_fd = None
        if options.trace is not None:
            trace_fd = os.open(options.trace, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    except (EdgeError, WireError, OSError, ValueError) as error:
        return _stop(CANNOT_START, error)
    guard = Guard(outputs, daemon, trace_fd)
    try:
        try:
            _serve(guard, daemon, stop_fd)
        finally:
            guard.turn_all_off()
    except BadMessage as error:
        return _stop(BAD_MESSAGE, error)
    except PinError as error:
        return _stop(PIN_FAILED, error)
    return DONE


def _serve(guard: Guard, daemon: socket.socket, stop_fd: int) -> None:
    """Obeys until the daemon is gone or SIGTERM came. Raises: BadMessage, PinError."""
    poll = select.poll()
    poll.register(daemon, select.POLLIN)
    poll.register(stop_fd, select.POLLIN)
    # A child that the daemon forked keeps the socket open after the daemon's death. The relays
    # would end with their leases, but a guard that stayed would keep the pins from the next one.
    with suppress(OSError):
        poll.register(os.pidfd_open(os.getppid()), select.POLLIN)
    while True:
        ready = dict(poll.poll(guard.wait_ms()))
        guard.end_leases()
        # What a dead daemon said last is not obeyed: POLLHUP shows before its packets are read.
        if ready and ready != {daemon.fileno(): select.POLLIN}:
            return
        if ready:
            guard.obey(decode_order(daemon.recv(MESSAGE_BYTES_MAX + 1)))


def _mute_signals() -> int:
    """Makes SIGTERM readable on the returned descriptor, and ignores what a terminal sends to the
    whole group: the guard stops when the daemon does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    stop_fd, wakeup_fd = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wakeup_fd)

    def note(_signal: int, _frame: FrameType | None) -> None:
        """Python writes to the wakeup descriptor only for a signal that has a handler."""

    signal.signal(signal.SIGTERM, note)
    return stop_fd


def _close_descriptors_except(kept: set[int]) -> None:
    for entry in list(Path("/proc/self/fd").iterdir()):
        if int(entry.name) not in kept:
            with suppress(OSError):  # the one that listed the folder is closed already
                os.close(int(entry.name))


def _options(arguments: Sequence[str]) -> Options:
    """Reads the command line by hand, since argparse would take a third of a megabyte for it.

    Raises: ValueError, WireError.
    """
    pins: dict[PointKey, tuple[int, ...]] = {}
    others: dict[str, str] = {}
    for name, value in zip(arguments[::2], arguments[1::2], strict=True):
        key, _, numbers = value.partition("=")
        if name == "--relay":
            pins[point_key(key)] = tuple(int(number) for number in numbers.split(","))
        else:
            others[name] = value
    socket_fd, trace = int(others.pop("--socket-fd", "-1")), others.pop("--trace", None)
    if others or not pins or socket_fd < 0:
        raise ValueError("expected --socket-fd N, --relay POINT=PIN,… for each relay, --trace FILE")
    return Options(socket_fd, pins, trace)


def _trace_line(change: RelayChange) -> bytes:
    relay = "on" if change.is_on else "off"
    text = f'{{"mono_ns": {change.mono_ns}, "point": "{change.point}", "relay": "{relay}"}}\n'
    return text.encode("ascii")


def _stop(code: int, error: Exception) -> int:
    sys.stderr.write(f"relay guard: {error}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
