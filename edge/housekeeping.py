"""What has to be done now and then: persist the clock, forget old events, try a failing disk again.

The regular write is a canary, too: a disk that takes nothing any more is found out within ten
minutes even if nobody taps.
"""

import asyncio
import sqlite3
from collections.abc import Iterable
from contextlib import suppress

import structlog

from edge.clock import Timekeeper
from edge.doorway import Doorway
from edge.errors import StorageFault
from edge.journal import Journal
from edge.store import Store
from sync.rights import Reason

log = structlog.get_logger()

LOOK_SECONDS = 0.5
RETRY_LOOKS = 4
"""A failing store is tried every 2 s."""

ROUND_SECONDS = 600.0


class Housekeeping:
    """Runs beside everything else."""

    def __init__(
        self, store: Store, journal: Journal, timekeeper: Timekeeper, doorways: Iterable[Doorway]
    ) -> None:
        self._store = store
        self._journal = journal
        self._timekeeper = timekeeper
        self._doorways = tuple(doorways)
        self._is_failing = False

    async def run(self) -> None:
        """Never returns."""
        loop = asyncio.get_running_loop()
        looks = 0
        next_round = loop.time() + ROUND_SECONDS
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            looks += 1
            self._tell_doorways()
            if self._store.fault is not None and looks % RETRY_LOOKS == 0:
                await self.persist_clock()
            elif loop.time() >= next_round:
                next_round = loop.time() + ROUND_SECONDS
                await self.persist_clock()
                with suppress(StorageFault):
                    await self._journal.prune()

    async def persist_clock(self) -> None:
        """Writes the high-water mark, unless the store fails."""
        now_ms = self._timekeeper.moment().now_ms

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("UPDATE state SET clock_ms = max(clock_ms, ?)", (now_ms,))

        with suppress(StorageFault):
            await self._store.write(work)
        self._tell_doorways()

    def _tell_doorways(self) -> None:
        is_failing = self._store.fault is not None
        if is_failing == self._is_failing:
            return
        self._is_failing = is_failing
        if is_failing:
            log.error("storage.failing", error=self._store.fault)
        else:
            log.info("storage.recovered")
        for doorway in self._doorways:
            doorway.set_fault(Reason.STORAGE_FAULT, is_there=is_failing)


async def start_clock(store: Store, timekeeper: Timekeeper) -> None:
    """Goes on from the persisted mark, or from the newest event's time if that is later.

    Raises: StorageFault.
    """

    def work(connection: sqlite3.Connection) -> int:
        return connection.execute(
            "SELECT max(clock_ms, (SELECT coalesce(max(time_ms), 0) FROM"
            " (SELECT time_ms FROM event ORDER BY seq DESC LIMIT 100))) FROM state"
        ).fetchone()[0]

    timekeeper.start_at(await store.read(work))
