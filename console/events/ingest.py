"""Takes a controller's events in: each one once, in one transaction with all that follows from it.

Whatever is delivered twice, late, or out of order: `intake.place` says what of it is new, and the
lock on the journal's row sees to it that nobody else does the same. The acknowledgement is for the
caller to send, after the commit. An event that can't be read or stored is kept as it is, so that it
doesn't block its journal for ever.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

import psycopg
import structlog
from msgspec import Struct

from console.database import Connection, Database
from console.events import journal_queries as queries
from console.events.concerned import Names
from console.events.intake import (
    UNREADABLE,
    Append,
    Fork,
    Head,
    Line,
    NothingNew,
    Placed,
    place,
)
from console.events.storing import Arrival, CommandResult, Consequences, store
from console.rights.facts import Controller
from console.site_keys import SiteKeys
from sync.events import Batch, genesis
from sync.ids import ControllerId, JournalId

log = structlog.get_logger()

UNSTORABLE = (psycopg.DataError, psycopg.IntegrityError, ValueError, OverflowError)
"""What an event may do to the database, or to the way there. Trying again would not help."""

JOURNALS_MAX = 1_000
"""Of one controller. A new one comes with each new SD card."""


class Stored(Struct, frozen=True):
    """Everything up to `acknowledged` is stored. `new`: how many events of this batch were new."""

    acknowledged: int
    new: int = 0
    results: tuple[CommandResult, ...] = ()


class Forked(Struct, frozen=True):
    """The journal contradicts itself; the controller is in quarantine, nothing is acknowledged."""

    seq: int


class TooManyJournals(Struct, frozen=True):
    """Nothing was stored: this controller has begun more journals than can be believed."""


Ingested = Stored | Forked | TooManyJournals


class HearsTaps(Protocol):
    """Does something with taps once they are stored: `console.first_card.enrolling.FirstCards`."""

    async def tapped(self, event_ids: Sequence[int]) -> None:
        """These were stored just now. Raises nothing that it can foresee."""
        ...


class Ingester:
    """Stores events. What it remembers between batches only saves work."""

    def __init__(
        self,
        database: Database,
        keys: SiteKeys,
        *,
        now: Callable[[], datetime],
        hears: HearsTaps | None = None,
    ) -> None:
        """`now`: the present moment, aware. `hears` None: nobody is told of taps."""
        self._database = database
        self._names = Names(keys.sealing_private)
        self._now = now
        self._hears = hears
        self._known_visitors: frozenset[int] = frozenset()

    async def ingest(self, controller: Controller, batch: Batch) -> Ingested:
        """Stores what is new in the batch, and commits. Raises: DatabaseUnavailable."""
        try:
            return await self._ingest(controller, batch)
        except UNSTORABLE as error:
            log.error(
                "events.not_storable",
                controller=controller.id,
                first_seq=batch.first_seq,
                error=type(error).__name__,
            )
        return await self._one_by_one(controller, batch)

    async def _one_by_one(self, controller: Controller, batch: Batch) -> Ingested:
        result: Ingested = Stored(0)
        for seq, line in enumerate(batch.lines, start=batch.first_seq):
            single = replace(batch, first_seq=seq, lines=(line,))
            try:
                result = await self._ingest(controller, single)
            except UNSTORABLE:
                result = await self._ingest(controller, single, as_unreadable=True)
            if not isinstance(result, Stored):
                break
        return result

    async def _ingest(
        self, controller: Controller, batch: Batch, *, as_unreadable: bool = False
    ) -> Ingested:
        async with self._database.writing() as conn:
            head = await _lock(conn, controller.id, batch.journal)
            if head is None:
                return TooManyJournals()
            match await _place(conn, controller.id, batch, head):
                case Fork(seq):
                    await _quarantine(conn, controller.id, batch.journal, seq)
                    return Forked(seq)
                case NothingNew():
                    return Stored(head.seq)
                case Append(lines, missing):
                    if as_unreadable:
                        lines = tuple(replace(line, event=None) for line in lines)
                    if missing:
                        log.error(
                            "journal.events_missing",
                            controller=controller.id,
                            first_seq=head.seq + 1,
                            count=missing,
                        )
                    arrival = Arrival(controller, batch.journal, self._now())
                    consequences = await self._append(conn, arrival, lines)
        self._known_visitors |= consequences.visitors
        self._known_visitors -= consequences.withdrawn
        if self._hears is not None and consequences.taps:
            await self._hears.tapped(consequences.taps)
        return Stored(lines[-1].seq, len(lines), consequences.results)

    async def _append(
        self, conn: Connection, arrival: Arrival, lines: tuple[Line, ...]
    ) -> Consequences:
        consequences = await store(
            conn, arrival, lines, names=self._names, known_visitors=self._known_visitors
        )
        await queries.advance_journal(
            conn,
            controller=arrival.controller.id,
            journal=arrival.journal,
            seq=lines[-1].seq,
            head_hash=lines[-1].hash,
        )
        unreadable = [line.seq for line in lines if line.event is None]
        if unreadable:
            log.error(
                "events.unreadable",
                controller=arrival.controller.id,
                first_seq=unreadable[0],
                count=len(unreadable),
            )
        return consequences


async def _lock(conn: Connection, controller: ControllerId, journal: JournalId) -> Head | None:
    """How far the journal is stored, and nobody else adds to it; None: no more journals."""
    row = await queries.lock_journal(conn, controller=controller, journal=journal)
    if row is None:
        if await queries.count_journals(conn, controller=controller) >= JOURNALS_MAX:
            return None
        beginning = genesis(controller, journal)
        await queries.add_journal(conn, controller=controller, journal=journal, genesis=beginning)
        row = await queries.lock_journal(conn, controller=controller, journal=journal)
        if row is None:
            return None
    return Head(row.acknowledged, None if row.head_kind == UNREADABLE else row.head_hash)


async def _place(conn: Connection, controller: ControllerId, batch: Batch, head: Head) -> Placed:
    stored: dict[int, bytes] = {}
    if batch.first_seq <= head.seq:
        stored = await queries.stored_hashes(
            conn,
            controller=controller,
            journal=batch.journal,
            first=batch.first_seq,
            last=batch.first_seq + len(batch.lines) - 1,
        )
    return place(batch, head, stored)


async def _quarantine(
    conn: Connection, controller: ControllerId, journal: JournalId, seq: int
) -> None:
    log.error("controller.quarantined", controller=controller, journal=journal, seq=seq)
    await queries.quarantine(
        conn,
        controller=controller,
        reason=(
            f"event {seq} of its journal contradicts what it has sent before: two devices have the "
            "same bundle, or its SD card was set back"
        ),
    )
