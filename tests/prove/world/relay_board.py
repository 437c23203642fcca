"""The relays, and the guard's process around the real `Guard` (edge/guard.py), on virtual time.

The process does what `_serve` there does, in the same order: leases end, then an order is obeyed.
When it dies, the kernel lets go of its pins.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from edge.guard import Guard
from edge.lease import BadMessage, Lease, Release, decode_order
from sync.ids import PointKey
from tests.prove.world.loop import VirtualLoop
from tests.prove.world.timeline import Planned, Timeline

UNREAD_MAX = 64
"""Packets that fit into the socket before a guard that stands still has read them."""


class Pin:
    """One relay's pin; what it does is told."""

    def __init__(self, point: str, moved: Callable[[str, bool], None]) -> None:
        self._point = point
        self._moved = moved
        self.is_on = False

    def on(self) -> None:
        self._move(is_on=True)

    def off(self) -> None:
        self._move(is_on=False)

    def _move(self, *, is_on: bool) -> None:
        if self.is_on is not is_on:
            self.is_on = is_on
            self._moved(self._point, is_on)


class GuardProcess:
    """One guard, and the socketpair between it and the daemon that started it."""

    def __init__(
        self, board: "RelayBoard", loop: VirtualLoop, points: Sequence[str], number: int
    ) -> None:
        self.pid = number
        self._board = board
        self._loop = loop
        self._points = points
        self._timeline = board.timeline
        self._orders = deque[bytes]()
        self._changes = deque[bytes]()
        self._guard: Guard | None = None
        self._is_hung = False
        self._is_gone = False
        self._is_deaf = False
        self._alarm: Planned | None = None
        self._exit = loop.create_future()
        board.timeline.after(board.random.uniform(0.03, 0.4), self._begin)

    # What the daemon sees: a process and its own end of a socket.

    async def wait(self) -> int:
        return await asyncio.shield(self._exit)

    def kill(self) -> None:
        if self._is_gone:
            raise ProcessLookupError
        self._timeline.after(self._board.random.uniform(0, 0.02), lambda: self.end(-9))

    def send(self, data: bytes, /) -> int:
        if self._is_gone:
            raise BrokenPipeError
        if len(self._orders) >= UNREAD_MAX:
            raise BlockingIOError
        if not self._loop.is_dead:
            self._board.ordered(decode_order(data))
            self._orders.append(data)
            self._timeline.after(self._board.random.uniform(0, 0.003), self._read)
        return len(data)

    def recv(self, size: int, /) -> bytes:
        if self._changes:
            return self._changes.popleft()[:size]
        if self._is_gone:
            return b""
        raise BlockingIOError

    def fileno(self) -> int:
        return self.pid

    def close(self) -> None:
        """The daemon let go, or died: what it said last is not obeyed."""
        self._orders.clear()
        self._is_deaf = True
        self._timeline.after(self._board.random.uniform(0, 0.02), lambda: self.end(0))

    # What the guard's own world does to it.

    def hang(self, seconds: float) -> None:
        """SIGSTOP, and SIGCONT after so long."""
        self._is_hung = True
        self._timeline.after(seconds, self._go_on)

    def end(self, code: int) -> None:
        """It exits, or is killed; one that hangs can only be killed."""
        if self._is_gone or (self._is_hung and code != -9):
            return
        if self._guard is not None and code != -9:
            self._guard.turn_all_off()
        self._is_gone = True
        self._board.gone(self)
        if not self._loop.is_dead:
            self._loop.call_soon(lambda: self._exit.done() or self._exit.set_result(code))
            self._loop.readable(self.pid)

    @property
    def is_hung(self) -> bool:
        return self._is_hung and not self._is_gone

    def _begin(self) -> None:
        if self._is_gone:
            return
        if self._board.holder is not None:
            self.end(2)  # the pins are taken
        else:
            self._board.holder = self
            pins = {PointKey(point): self._board.pins[point] for point in self._points}
            daemon = Ear(self._tell)
            self._guard = Guard(pins, daemon, None, mono_ns=self._board.mono_ns)

    def _tell(self, data: bytes) -> None:
        self._changes.append(data)
        if not self._loop.is_dead:
            delay = self._board.random.uniform(0, 0.003)
            self._timeline.after(delay, lambda: self._loop.readable(self.pid))

    def _go_on(self) -> None:
        self._is_hung = False
        if not self._is_gone:
            self._turn()
            if self._is_deaf:
                self.end(0)
            else:
                self._read()

    def _turn(self) -> None:
        """One turn of the guard's loop without an order; sets the alarm for the next."""
        if self._guard is None or self._is_hung or self._is_gone:
            return
        self._guard.end_leases()
        if self._alarm is not None:
            self._alarm.call_off()
        wait_ms = self._guard.wait_ms()
        if wait_ms is not None:
            late_ms = self._board.random.uniform(0, 3)
            self._alarm = self._timeline.after((wait_ms + late_ms) / 1000, self._turn)

    def _read(self) -> None:
        while self._orders and self._guard is not None and not self._is_hung and not self._is_gone:
            self._guard.end_leases()
            try:
                self._guard.obey(decode_order(self._orders.popleft()))
            except BadMessage:
                self.end(3)
                return
        self._turn()


class Ear:
    """The guard's end of the socket, as far as it speaks."""

    def __init__(self, tell: Callable[[bytes], None]) -> None:
        self._tell = tell

    def send(self, data: bytes, _flags: int, /) -> int:
        self._tell(data)
        return len(data)


class RelayBoard:
    """All relays of the controller, whoever drives them."""

    def __init__(
        self,
        timeline: Timeline,
        random: Random,
        points: Sequence[str],
        *,
        mono_ns: Callable[[], int],
        moved: Callable[[str, bool], None],
        ordered: Callable[[Lease | Release], None],
    ) -> None:
        """`moved`: a pin changed. `ordered`: the daemon asked the guard for something."""
        self.timeline = timeline
        self.random = random
        self.mono_ns = mono_ns
        self.ordered = ordered
        self.pins = {point: Pin(point, moved) for point in points}
        self.process: GuardProcess | None = None
        """The newest."""

        self.holder: GuardProcess | None = None
        """The one that has the pins."""

        self._number = 1000

    async def start_guard(
        self, loop: VirtualLoop, _arguments: Sequence[str], _folder: Path
    ) -> tuple[GuardProcess, GuardProcess]:
        await asyncio.sleep(self.random.uniform(0.001, 0.02))
        if loop.is_dead:
            raise OSError("the machine is off")
        self._number += 1
        self.process = GuardProcess(self, loop, list(self.pins), self._number)
        return self.process, self.process

    def gone(self, process: GuardProcess) -> None:
        if self.holder is process:
            self.holder = None
            for pin in self.pins.values():
                pin.off()
        if self.process is process:
            self.process = None

    def lose_power(self) -> None:
        for process in (self.process, self.holder):
            if process is not None:
                process.end(-9)
