"""What has to be done now and then: persist the clock, forget old events, try a failing disk again.

The regular write is a canary, too: it is read back, so that a disk which takes nothing any more, or
gives something else back, is found out within ten minutes even if nobody taps.
"""

import asyncio
import sqlite3
from collections.abc import Iterable
from contextlib import suppress

import structlog

from edge.clock import Timekeeper
from edge.errors import StorageFault
from edge.journal import Journal
from edge.post import Post
from edge.store import Store
from sync.rights import Moment, Reason

log = structlog.get_logger()

LOOK_SECONDS = 0.5
RETRY_LOOKS = 4
"""A failing store is tried every 2 s."""

ROUND_SECONDS = 600.0
YOUNGER_MS = 15 * 60 * 1000
"""Rights that became so much younger are noted at once: no power cut shall make them old again."""


class Housekeeping:
    """Runs beside everything else."""

    def __init__(
        self, store: Store, journal: Journal, timekeeper: Timekeeper, posts: Iterable[Post]
    ) -> None:
        self._store = store
        self._journal = journal
        self._timekeeper = timekeeper
        self._posts = tuple(posts)
        self._is_failing = False
        self._persisted_age_ms = timekeeper.moment().age_ms
        self._probes = 0

    async def run(self) -> None:
        """Never returns."""
        loop = asyncio.get_running_loop()
        looks = 0
        await self._probe()
        next_round = loop.time() + ROUND_SECONDS
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            looks += 1
            self._tell_posts()
            is_younger = self._timekeeper.moment().age_ms < self._persisted_age_ms - YOUNGER_MS
            is_failing = self._store.fault is not None
            if is_failing and looks % RETRY_LOOKS == 0:
                await self._probe()
                await self.persist_clock()
            elif is_younger and not is_failing:
                await self.persist_clock()
            elif loop.time() >= next_round:
                next_round = loop.time() + ROUND_SECONDS
                await self._probe()
                await self.persist_clock()
                with suppress(StorageFault):
                    await self._journal.prune()

    async def _probe(self) -> None:
        self._probes += 1
        with suppress(StorageFault):
            await self._store.probe(f"{self._timekeeper.boot} {self._probes}".encode())
        self._tell_posts()

    async def persist_clock(self) -> None:
        """Writes the high-water mark and the age, unless the store fails."""
        moment = self._timekeeper.moment()

        def work(connection: sqlite3.Connection) -> None:
            _persist(connection, moment)

        with suppress(StorageFault):
            await self._store.write(work)
            self._persisted_age_ms = moment.age_ms
        self._tell_posts()

    def _tell_posts(self) -> None:
        is_failing = self._store.fault is not None
        if is_failing == self._is_failing:
            return
        self._is_failing = is_failing
        if is_failing:
            log.error("storage.failing", error=self._store.fault)
        else:
            log.info("storage.recovered")
        for post in self._posts:
            post.set_fault(Reason.STORAGE_FAULT, is_there=is_failing)


async def start_clock(store: Store, timekeeper: Timekeeper) -> None:
    """Goes on from the persisted mark, or from the newest event's time if that is later.

    The age goes on from what was persisted, with this start's addition persisted at once.
    Raises: StorageFault.
    """

    def work(connection: sqlite3.Connection) -> tuple[int, int]:
        return connection.execute(
            "SELECT max(clock_ms, (SELECT coalesce(max(time_ms), 0) FROM"
            " (SELECT time_ms FROM event ORDER BY seq DESC LIMIT 100))), age_ms FROM state"
        ).fetchone()

    if not timekeeper.has_started:  # else the disk was full, and this is another attempt
        timekeeper.start_at(*await store.read(work))
    moment = timekeeper.moment()
    await store.write(lambda connection: _persist(connection, moment))


def _persist(connection: sqlite3.Connection, moment: Moment) -> None:
    connection.execute(
        "UPDATE state SET clock_ms = max(clock_ms, ?), age_ms = ?", (moment.now_ms, moment.age_ms)
    )
