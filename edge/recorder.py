"""Records an answer within its deadline, or says why it must be no.

A grant that isn't durable in time is a denial: people don't wait, and a door must not open when
nobody expects it any more. The denial is recorded as soon as the store works again. If the grant
was written after all, it is recorded as withdrawn instead. Openings with a break-glass card, which
hold although nothing can be recorded, are kept and told until they are recorded, too.
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
from edge.together import look_at
from sync.events import EventKind, Occurrence
from sync.rights import Reason

log = structlog.get_logger()

DEADLINE_SECONDS = 0.25
"""A person waits for so long without noticing that the disk is slow."""

RETRY_SECONDS = 2.0
UNSETTLED_MAX = 100
"""Answers that wait to be recorded while the store fails; then the oldest denial is forgotten, and
counted.
"""

OPENINGS_MAX = 1_000
"""Openings with a break-glass card that wait to be recorded. At most five cards can make them."""

OPENINGS_TOLD = 40
"""So many of the newest fit in a report."""

_IN_SPITE = "with a break-glass card, while nothing could be recorded"

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


@dataclass(slots=True)
class Opening:
    """An opening with a break-glass card that no event tells yet. `failure`: why it was none."""

    unsettled: Unsettled
    failure: Reason | None = None

    def document(self) -> dict[str, object]:
        """The same for a report. Card and person are named as this controller knows them."""
        granted, moment = self.unsettled.refusal, self.unsettled.instant.moment
        return {
            "point": granted.point,
            "tap": granted.tap,
            "entry": granted.entry.hex() if granted.entry else None,
            "member": granted.member.hex() if granted.member else None,
            "time_ms": moment.now_ms,
            "clock": "trusted" if moment.is_trusted else "untrusted",
            "reason": self.failure or granted.reason,
        }


class Recorder:
    """The journal with a deadline."""

    def __init__(self, journal: Journal, timekeeper: Timekeeper) -> None:
        self._journal = journal
        self._timekeeper = timekeeper
        self._unsettled = deque[Unsettled]()
        self._openings = deque[Opening]()
        self._forgotten = 0
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
        deadline = asyncio.get_running_loop().time() + DEADLINE_SECONDS
        writing = asyncio.ensure_future(
            self._journal.append(occurrence, instant=instant, alongside=alongside)
        )
        writing.add_done_callback(look_at)
        done, _ = await asyncio.wait({writing}, timeout=DEADLINE_SECONDS)
        # The whole machine may have stood still: then it is done, and for long nobody stands there.
        if not done or asyncio.get_running_loop().time() > deadline:
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
        for opening in self._openings:
            if opening.unsettled.refusal.tap == occurrence.tap:
                opening.failure = reason
        withdrawal = replace(occurrence, kind=EventKind.ACCESS_WITHDRAWN, reason=reason)
        self._keep(Unsettled(withdrawal, self._timekeeper.now(), self._journal.position.head))

    def keep(self, granted: Occurrence) -> None:
        """A grant that can't be recorded now and holds all the same: a break-glass card's."""
        log.warning("break_glass.used", point=granted.point, tap=granted.tap)
        told = replace(granted, detail=_IN_SPITE)
        if len(self._openings) >= OPENINGS_MAX:
            self._openings.popleft()
            self.forget()
        self._openings.append(
            Opening(Unsettled(told, self._timekeeper.now(), self._journal.position.head))
        )
        self._has_unsettled.set()

    def forget(self) -> None:
        """Counts what can't be kept until it can be recorded. Their number will be."""
        self._forgotten += 1
        log.error("answer.forgotten", unsettled=len(self._unsettled), forgotten=self._forgotten)
        self._has_unsettled.set()

    @property
    def unrecorded(self) -> int:
        """How many answers wait to be recorded, or will only be counted."""
        return len(self._unsettled) + len(self._openings) + self._forgotten

    def openings(self) -> dict[str, object]:
        """What break-glass cards have opened that no event tells yet: how often, and the newest."""
        newest = list(self._openings)[-OPENINGS_TOLD:]
        return {
            "unrecorded": len(self._openings),
            "openings": [opening.document() for opening in newest],
        }

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
        while self._openings:
            opened = self._openings[0]
            await self._settle(opened.unsettled)
            if self._openings and self._openings[0] is opened:
                self._openings.popleft()
        while self._unsettled:
            first = self._unsettled[0]
            await self._settle(first)
            if self._unsettled and self._unsettled[0] is first:
                self._unsettled.popleft()
        if self._forgotten:
            count = self._forgotten
            told = Occurrence(
                EventKind.EVENTS_UNRECORDED,
                reason=Reason.STORAGE_FAULT,
                detail=f"{count} events were only counted: nothing could be recorded for too long",
            )
            await self._journal.append(told)
            self._forgotten -= count
        if not self.unrecorded:
            self._has_unsettled.clear()

    async def _settle(self, one: Unsettled) -> None:
        """Raises: StorageFault."""
        await self._journal.settle(one.refusal, one.instant, since_seq=one.since_seq)

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
        if len(self._unsettled) >= UNSETTLED_MAX:
            self._unsettled.remove(
                next(
                    (one for one in self._unsettled if one.refusal.kind is EventKind.ACCESS_DENIED),
                    self._unsettled[0],
                )
            )
            self.forget()
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
