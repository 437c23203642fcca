"""Records an answer within its deadline, or says why it must be no.

A grant that isn't durable in time is a denial: people don't wait, and a door must not open when
nobody expects it any more. The denial is recorded as soon as the store works again. If the grant
was written after all, it is recorded as withdrawn instead.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

import structlog

from edge.clock import Instant, Timekeeper
from edge.errors import JournalFull, StorageFault
from edge.journal import Journal
from sync.events import EventKind, Occurrence
from sync.rights import Reason

log = structlog.get_logger()

DEADLINE_SECONDS = 0.25
"""A person waits for so long without noticing that the disk is slow."""

RETRY_SECONDS = 2.0
UNSETTLED_MAX = 100
"""Answers that wait to be recorded while the store fails; then the oldest is forgotten."""

_REFUSALS = {
    EventKind.ACCESS_GRANTED: EventKind.ACCESS_DENIED,
    EventKind.COMMAND_EXECUTED: EventKind.COMMAND_REFUSED,
}


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A refusal to record. `since_seq`: what was recorded too late can only follow this one."""

    refusal: Occurrence
    instant: Instant
    since_seq: int


class Recorder:
    """The journal with a deadline."""

    def __init__(self, journal: Journal, timekeeper: Timekeeper) -> None:
        self._journal = journal
        self._timekeeper = timekeeper
        self._unsettled: deque[Unsettled] = deque(maxlen=UNSETTLED_MAX)
        self._has_unsettled = asyncio.Event()

    async def record(
        self,
        occurrence: Occurrence,
        *,
        alongside: Callable[[sqlite3.Connection], None] = lambda _connection: None,
    ) -> Reason | None:
        """Records an answer. None: it is durable, and in time. Otherwise why it must be no.

        A reason why not is noted, to be recorded when that is possible.
        """
        instant, since_seq = self._timekeeper.now(), self._journal.position.head
        writing = asyncio.ensure_future(self._journal.append(occurrence, alongside=alongside))
        done, _ = await asyncio.wait({writing}, timeout=DEADLINE_SECONDS)
        if not done:
            # A write that waits for the thread is dropped; one that has begun goes on to its end.
            writing.cancel()
            reason = Reason.STORAGE_SLOW
        else:
            reason = _failure(writing)
        if reason is not None:
            self._note(occurrence, reason, instant, since_seq)
        return reason

    def withdraw(self, occurrence: Occurrence, reason: Reason) -> None:
        """Notes that a grant which was recorded moved no relay."""
        withdrawal = replace(occurrence, kind=EventKind.ACCESS_WITHDRAWN, reason=reason)
        self._keep(Unsettled(withdrawal, self._timekeeper.now(), self._journal.position.head))

    def keep(self, granted: Occurrence) -> None:
        """A grant that can't be recorded now and holds all the same: a break-glass card's."""
        log.warning("break_glass.used", point=granted.point, tap=granted.tap)
        self._keep(Unsettled(granted, self._timekeeper.now(), self._journal.position.head))

    @property
    def unrecorded(self) -> int:
        """How many answers wait to be recorded."""
        return len(self._unsettled)

    async def run(self) -> None:
        """Records what is unsettled as soon as that is possible, for ever."""
        while True:
            await self._has_unsettled.wait()
            try:
                await self._settle_all()
            except (StorageFault, JournalFull):
                await asyncio.sleep(RETRY_SECONDS)

    async def settle(self, seconds: float) -> None:
        """Records at the end what still can be, within so long."""
        with suppress(StorageFault, JournalFull, TimeoutError):
            async with asyncio.timeout(seconds):
                await self._settle_all()

    async def _settle_all(self) -> None:
        """Raises: StorageFault, JournalFull."""
        while self._unsettled:
            first = self._unsettled[0]
            await self._journal.settle(first.refusal, first.instant, since_seq=first.since_seq)
            if self._unsettled and self._unsettled[0] is first:
                self._unsettled.popleft()
        self._has_unsettled.clear()

    def _note(
        self, occurrence: Occurrence, reason: Reason, instant: Instant, since_seq: int
    ) -> None:
        kind = _REFUSALS.get(occurrence.kind)
        if kind is None:  # a denial keeps its own reason
            self._keep(Unsettled(occurrence, instant, since_seq))
            return
        detail = f"{reason}: it couldn't be recorded in time" if occurrence.command else None
        refusal = replace(occurrence, kind=kind, reason=reason, detail=detail)
        self._keep(Unsettled(refusal, instant, since_seq))

    def _keep(self, unsettled: Unsettled) -> None:
        if len(self._unsettled) == UNSETTLED_MAX:
            log.error("answer.forgotten", unsettled=UNSETTLED_MAX)
        self._unsettled.append(unsettled)
        self._has_unsettled.set()


def _failure(writing: asyncio.Future[None]) -> Reason | None:
    match writing.exception():
        case None:
            return None
        case JournalFull():
            return Reason.JOURNAL_FULL
        case StorageFault() as error:
            log.error("storage.failed", error=str(error))
            return Reason.STORAGE_FAULT
        case error:
            raise error
