"""The daemon's end of the relay guard: starts it, leases relays from it, and knows their state.

The guard (edge/guard.py) turns relays off by itself; this end sees to it that there always is one.
For how long a relay stays on is decided in edge/unlocks.py.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import structlog

from edge.guard_process import Channel, Process, StartsGuards, start_guard
from edge.lease import (
    LEASE_MS_MAX,
    MESSAGE_BYTES_MAX,
    NO_GRANT,
    BadMessage,
    GrantId,
    Lease,
    Release,
    decode_change,
    encode,
)
from sync.ids import PointKey

log = structlog.get_logger()

LEASE_SECONDS_MAX = LEASE_MS_MAX / 1000
BACKOFF_SECONDS_MIN = 0.25
BACKOFF_SECONDS_MAX = 8.0
START_SECONDS_MAX = 10.0
STOP_SECONDS_MAX = 1.0
HUNG_SECONDS = 0.25
"""A guard that still holds a relay so long after its lease doesn't do its work."""

CHANGES_MAX = 64
"""Read in one turn of the loop."""

NS_PER_SECOND = 1_000_000_000


class Relays:
    """The relays of one controller, through the guard that owns them."""

    def __init__(
        self,
        pins: Mapping[PointKey, Sequence[int]],
        *,
        work_dir: Path,
        trace: Path | None = None,
        changed: Callable[[PointKey, bool | None], None] = lambda _point, _is_on: None,
        start: StartsGuards = start_guard,
    ) -> None:
        """`work_dir`: a folder for the guard alone (edge/pins.py says why); made if missing.

        `changed` gets the point and whether its relay is on; None: nobody knows, since no guard is
        there.
        """
        self._start_guard = start
        self._pins = dict(pins)
        self._work_dir = work_dir
        self._trace = trace
        self._changed = changed
        self._is_on: dict[PointKey, bool | None] = dict.fromkeys(self._pins)
        self._socket: Channel | None = None
        self._process: Process | None = None
        self._gone = asyncio.Event()
        self._has_reported = asyncio.Event()  # set while `ready`
        self._heard = asyncio.Event()
        self._hung: dict[PointKey, asyncio.TimerHandle] = {}
        self._awaited: dict[PointKey, asyncio.TimerHandle] = {}  # leases not yet seen to work
        self._start_timer: asyncio.TimerHandle | None = None
        self._backoff = BACKOFF_SECONDS_MIN

    def is_on(self, point: PointKey) -> bool | None:
        """What the guard said last; None while there is no guard, when the relay should be off."""
        return self._is_on[point]

    @property
    def ready(self) -> bool:
        """Whether a guard is there and has said of every relay how it is."""
        return None not in self._is_on.values()

    async def until_ready(self) -> None:
        """Returns when that is so."""
        while not self.ready:
            await self._has_reported.wait()

    @property
    def guard_pid(self) -> int | None:
        """The guard's process, for whoever measures it; None: there is none."""
        return self._process.pid if self._process else None

    def lease(self, point: PointKey, grant_id: GrantId, until: float) -> bool:
        """Asks for the relay to be on until then (seconds of the loop's clock), 0.5 s at most.

        False: no guard could be asked.
        """
        loop = asyncio.get_running_loop()
        until = min(until, loop.time() + LEASE_SECONDS_MAX)
        if not self._send(Lease(point, grant_id, int(until * NS_PER_SECOND))):
            return False
        if point in self._hung:
            self._hung[point].cancel()
        self._hung[point] = loop.call_at(until + HUNG_SECONDS, self._check_off, point)
        if not self._is_on[point] and point not in self._awaited:
            self._awaited[point] = loop.call_later(LEASE_SECONDS_MAX, self._check_on, point)
        return True

    def release(self, point: PointKey, grant_id: GrantId) -> bool:
        """Asks for the relay to be off now, if it is on for this grant. False: as above."""
        return self._send(Release(point, grant_id))

    async def answers(self, seconds: float) -> bool:
        """Whether the guard does what it is told; one that doesn't within `seconds` is killed."""
        self._heard.clear()
        if not self._send(Release(next(iter(self._pins)), NO_GRANT)):
            return False
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._heard.wait()
        self._hear()  # after a standstill of our own, the guard's word may still lie unread
        if not self._heard.is_set():
            self._kill("answers nothing")
            return False
        return self.ready  # it may have gone instead

    async def run(self) -> None:
        """Keeps a guard running until cancelled; then all relays are off and the guard is gone."""
        while True:
            reason: str | None = None
            try:
                await self._start()
                await self._gone.wait()
            except OSError as error:  # no memory, no descriptors, no folder: may pass
                reason = str(error)
            finally:
                exit_code = await self._stop()
            log.error("guard.lost", exit_code=exit_code, reason=reason, retry_seconds=self._backoff)
            await asyncio.sleep(self._backoff)
            self._backoff = min(2 * self._backoff, BACKOFF_SECONDS_MAX)

    async def _start(self) -> None:
        self._gone.clear()
        self._work_dir.mkdir(parents=True, exist_ok=True)
        arguments: list[str] = []
        for point, pins in self._pins.items():
            arguments += ["--relay", f"{point}={','.join(map(str, pins))}"]
        if self._trace is not None:
            arguments += ["--trace", str(self._trace.absolute())]
        self._socket, self._process = await self._start_guard(arguments, self._work_dir)
        loop = asyncio.get_running_loop()
        self._start_timer = loop.call_later(START_SECONDS_MAX, self._check_ready)
        loop.add_reader(self._socket.fileno(), self._hear)

    async def _stop(self) -> int | None:
        """Closes our end, which stops the guard, and kills one that doesn't. Its exit code."""
        self._forget()
        process, self._process = self._process, None
        if process is None:
            return None
        try:
            async with asyncio.timeout(STOP_SECONDS_MAX):
                return await process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):  # after a standstill of our own it may just be gone
                process.kill()
            return await process.wait()

    def _hear(self) -> None:
        for _ in range(CHANGES_MAX):
            if self._socket is None:
                return
            try:
                packet = self._socket.recv(MESSAGE_BYTES_MAX + 1)
                change = decode_change(packet) if packet else None
            except BlockingIOError:
                return
            except (OSError, BadMessage):
                change = None
            if change is None or change.point not in self._is_on:
                self._forget()
                return
            was_ready = self.ready
            self._heard.set()
            self._note(change.point, change.is_on)
            if self.ready and not was_ready:
                self._backoff = BACKOFF_SECONDS_MIN
                self._has_reported.set()
                log.info("guard.started", points=len(self._pins))

    def _forget(self) -> None:
        """There is no guard any more, or none that can be believed."""
        for timer in (self._start_timer, *self._hung.values(), *self._awaited.values()):
            if timer is not None:
                timer.cancel()
        self._hung.clear()
        self._awaited.clear()
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None
        self._gone.set()
        self._has_reported.clear()
        self._heard.set()  # nobody need wait for it any more
        for point in self._is_on:
            self._note(point, None)

    def _note(self, point: PointKey, is_on: bool | None) -> None:
        if is_on and point in self._awaited:
            self._awaited.pop(point).cancel()
        if self._is_on[point] is not is_on:
            self._is_on[point] = is_on
            self._changed(point, is_on)

    def _send(self, order: Lease | Release) -> bool:
        if self._socket is None or not self.ready:
            return False
        try:
            self._socket.send(encode(order))
        except BlockingIOError:
            self._kill("reads nothing")
            return False
        except OSError:  # it is gone; _hear will find out
            return False
        return True

    def _check_off(self, point: PointKey) -> None:
        del self._hung[point]
        self._hear()  # after a standstill of our own, the guard's word may still lie unread
        if self._is_on[point]:
            self._kill("holds a relay past its lease")

    def _check_on(self, point: PointKey) -> None:
        self._hear()  # as above; a relay that was on, if only for an instant, is awaited no more
        if self._awaited.pop(point, None) is not None:
            self._kill("turns no relay on")

    def _check_ready(self) -> None:
        if not self.ready:
            self._kill("doesn't start")

    def _kill(self, reason: str) -> None:
        """The kernel lets go of a dead guard's pins, which turns the relays off."""
        log.error("guard.hung", reason=reason)
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()
