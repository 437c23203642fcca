"""One reader at its port: carries bytes both ways, wakes it when it is due, and watches over it.

What its bytes mean is decided in edge/readers/, what becomes of a card in edge/entrance.py. A
reader in trouble is shown and recorded, and stops nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol, assert_never

import structlog

from edge.readers.frames import Fault, Frame, Reading
from edge.readers.reader import Reader
from edge.readers.trouble import ReaderState, Trouble
from edge.repeats import Twice
from sync.events import EventKind, Occurrence
from sync.ids import PointKey

log = structlog.get_logger()

LOOK_SECONDS = 1.0
STANDSTILL_SECONDS = 2.0
"""The daemon stood still for a second of these at least: what came meanwhile is not answered, since
whoever held a card there may be gone.
"""

NOISE_SECONDS = 10.0
"""Between two log lines about bytes that are no frame."""


class Line(Protocol):
    """What edge/port.py offers."""

    def open(self) -> None:
        """Opens it now, or as soon as it can be."""
        ...

    def close(self) -> None:
        """Lets go of it."""
        ...

    def write(self, data: bytes) -> None:
        """Sends, or drops if that can't be done soon."""
        ...

    def discard(self) -> None:
        """Drops what has come and was not read yet."""
        ...


class Hears(Protocol):
    """Who is told what comes from a line."""

    def begin(self) -> None:
        """It was opened."""
        ...

    def hear(self, data: bytes) -> None:
        """It sent bytes."""
        ...

    def lose(self) -> None:
        """It is gone."""
        ...


class Listening:
    """A reader that is not listened to yet."""

    def __init__(
        self,
        point: PointKey,
        reader: Reader,
        *,
        plug: Callable[["Listening"], Line],
        read: Callable[[Frame], None],
        record: Callable[[Occurrence], Awaitable[object]],
        changed: Callable[[], None],
        needs_two: bool = False,
    ) -> None:
        """`plug` makes the line that this one hears. `record` takes troubles down.

        `read` gets each frame, also those that repeat a card which lies there; with `needs_two`,
        only those that come twice. `changed` hints that a status would look different now.
        """
        self._point = point
        self._reader = reader
        self._line = plug(self)
        self._read = read
        self._record = record
        self._changed = changed
        self._twice = Twice() if needs_two else None
        self._trouble = Trouble()
        self._is_lost = True  # until it was opened
        self._timer: asyncio.TimerHandle | None = None
        self._looked_at = float("inf")  # until `run`
        self._noise = 0
        self._noise_told_at = float("-inf")

    @property
    def state(self) -> ReaderState:
        """Whether the reader is there."""
        if self._is_lost:
            return ReaderState.LOST
        return ReaderState.SILENT if self._reader.is_answering is False else ReaderState.OPEN

    @property
    def is_garbled(self) -> bool:
        """Whether too much of what it sends is no card's frame."""
        return self._trouble.is_garbled(_now())

    def open(self) -> None:
        """Begins to listen."""
        self._line.open()

    def close(self) -> None:
        """Stops listening."""
        self._line.close()
        self._wake_at(None)

    def begin(self) -> None:
        """The port was opened."""
        self._is_lost = False
        self._reader.begin(_now())
        self._go_on()
        self._changed()

    def hear(self, data: bytes) -> None:
        """Takes what the reader sent. Whatever it is, this raises nothing and returns at once."""
        now = _now()
        if now - self._looked_at > STANDSTILL_SECONDS:
            self._forget(now)
        else:
            self._take(self._reader.feed(data, now), now)

    def lose(self) -> None:
        """The port was lost: what follows doesn't continue an unfinished frame."""
        self._is_lost = True
        self._wake_at(None)
        self._changed()

    async def run(self) -> None:
        """Has troubles recorded, for ever."""
        while True:
            self._looked_at = _now()
            await asyncio.sleep(LOOK_SECONDS)
            for words in self._trouble.news(self.state, _now()):
                log.warning("reader.troubled", point=self._point, detail=words)
                self._looked_at = _now()
                await self._record(
                    Occurrence(EventKind.READER_FAULT, point=self._point, detail=words)
                )

    def _forget(self, now: float) -> None:
        """What lay unread for too long. The reader begins anew, as if it had been plugged in."""
        self._trouble.stood_still(now - self._looked_at)
        self._line.discard()
        self._reader.begin(now)
        self._go_on()

    def _tick(self) -> None:
        self._timer = None
        now = _now()
        self._take(self._reader.tick(now), now)

    def _take(self, readings: list[Reading], now: float) -> None:
        faults = 0
        for reading in readings:
            match reading:
                case Frame():
                    if self._twice is None or self._twice.is_second(reading, now):
                        self._read(reading)
                case Fault():
                    faults += 1
                case _:
                    assert_never(reading)
        if faults:
            self._trouble.note(faults, now)
            self._noise += faults
        self._tell_noise(now)
        self._go_on()

    def _go_on(self) -> None:
        """Sends what the reader wants to say, and comes back when it is due."""
        outgoing = self._reader.outgoing()
        if outgoing:
            self._line.write(outgoing)
        if not self._is_lost:  # writing may have found out
            self._wake_at(self._reader.due_at())

    def _wake_at(self, due: float | None) -> None:
        if self._timer is not None:
            if self._timer.when() == due:
                return
            self._timer.cancel()
            self._timer = None
        if due is not None:
            self._timer = asyncio.get_running_loop().call_at(due, self._tick)

    def _tell_noise(self, now: float) -> None:
        if self._noise and now - self._noise_told_at >= NOISE_SECONDS:
            log.warning("reader.garbled", point=self._point, frames=self._noise)
            self._noise, self._noise_told_at = 0, now


def _now() -> float:
    return asyncio.get_running_loop().time()
