"""Records what nobody waits for: a leaf that opens, a fault that begins, a motor that starts.

Taps and commands are recorded before they are obeyed (edge/recorder.py); these have happened
already, so they are only put in order and written as soon as that is possible.
"""

import asyncio

import structlog

from edge.recorder import Recorder
from sync.events import Occurrence

log = structlog.get_logger()

WAITING_MAX = 200
"""Before there is a store, or while it is slow; then the oldest is forgotten, and counted."""


class Announcer:
    """A queue of occurrences, and whoever empties it."""

    def __init__(self) -> None:
        self._waiting = asyncio.Queue[Occurrence](WAITING_MAX)
        self._forgotten = 0

    def tell(self, occurrence: Occurrence) -> None:
        """It happened just now. Returns at once."""
        log.info(
            "point.changed", kind=occurrence.kind, point=occurrence.point, detail=occurrence.detail
        )
        if self._waiting.full():
            log.error("occurrence.forgotten", kind=self._waiting.get_nowait().kind)
            self._forgotten += 1
        self._waiting.put_nowait(occurrence)

    async def run(self, recorder: Recorder) -> None:
        """Records one after the other, for ever. The recorder keeps what can't be written yet."""
        while True:
            occurrence = await self._waiting.get()
            while self._forgotten:
                self._forgotten -= 1
                recorder.forget()
            await recorder.record(occurrence)
