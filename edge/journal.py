"""The controller's own record of what happened: durable, gap-free, hash-chained, bounded.

An event gets its number and its predecessor's hash in the transaction that writes it, and its bytes
never change again. Events wait here until the console has acknowledged them. When it is away for
long, denials are only counted before a grant is ever refused for want of a slot; slots are kept for
alarms, too, and what was only counted is told once there are slots again. What is recorded is
decided by the callers; sending is left to edge/uplink.py. Source: sync/README.md, "Events".
"""

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import replace

import structlog

from edge.clock import Instant, Timekeeper
from edge.errors import JournalFull
from edge.journal_queries import Position, read_batch, read_position, was_granted
from edge.slots import Allotment, Slots, allot
from edge.store import Store
from sync.events import (
    Batch,
    EventKind,
    Occurrence,
    Stamp,
    encode_event,
    event_hash,
    genesis,
)
from sync.ids import ControllerId
from sync.messages import Ack
from sync.rights import Reason

log = structlog.get_logger()

KEPT_EVENTS_MIN = 100_000
KEPT_MS_MIN = 30 * 24 * 3600 * 1000
PRUNED_EVENTS_MAX = 1_000
"""Deleted in one transaction, so that a tap waits for few milliseconds only."""


_COUNTING = {
    Allotment.COUNT: "UPDATE state SET unrecorded = unrecorded + 1",
    Allotment.COUNT_ALARM: "UPDATE state SET unrecorded = unrecorded + 1,"
    " alarms_unrecorded = alarms_unrecorded + 1",
}


def _nothing(_connection: sqlite3.Connection) -> None:
    pass


class Journal:
    """Appends, hands out and forgets events. Built by `open_journal`."""

    def __init__(
        self,
        store: Store,
        timekeeper: Timekeeper,
        controller: ControllerId,
        position: Position,
        slots: Slots,
    ) -> None:
        self._store = store
        self._timekeeper = timekeeper
        self._genesis = genesis(controller, position.journal)
        self._kept = position
        self._set_back: int | None = None  # the console's number, while it is below the kept one
        self._slots = slots
        self.moved = asyncio.Event()
        """Set whenever there may be something new to send; cleared by the one who sends."""

    @property
    def position(self) -> Position:
        """As of the last transaction, and of what the console says that it has."""
        if self._set_back is None:
            return self._kept
        return replace(self._kept, acknowledged=self._set_back)

    @property
    def fill_percent(self) -> int:
        """How many of the slots are taken that everything may use; 100: slots are scarce."""
        return min(100, self._kept.waiting * 100 // max(1, self._slots.spacious))

    async def append(
        self,
        occurrence: Occurrence,
        *,
        instant: Instant | None = None,
        alongside: Callable[[sqlite3.Connection], None] = _nothing,
    ) -> None:
        """Records what happened, and `alongside` in the same transaction. `instant` None: now.

        When this returns, the event is durable. Raises: StorageFault, JournalFull.
        """
        happened = instant or self._timekeeper.now()

        def work(connection: sqlite3.Connection) -> Position:
            self._add(connection, occurrence, happened)
            alongside(connection)
            return read_position(connection)

        self._move(await self._store.write(work))

    async def settle(self, refusal: Occurrence, instant: Instant, *, since_seq: int) -> None:
        """Records a refusal of `instant` whose tap or command may have been recorded, too late.

        If its grant follows `since_seq`, the event is a withdrawal; if it was refused there, or it
        is what is neither, such as an alarm, there is nothing to do. What has happened is never
        refused for want of a slot: an opening is recorded, the rest may be counted.
        Raises: StorageFault.
        """

        def work(connection: sqlite3.Connection) -> Position:
            match was_granted(connection, refusal, instant, since_seq):
                case None:
                    self._add(connection, refusal, instant, has_happened=True)
                case True:
                    withdrawal = replace(refusal, kind=EventKind.ACCESS_WITHDRAWN)
                    self._add(connection, withdrawal, instant)
                case False:
                    pass
            return read_position(connection)

        self._move(await self._store.write(work))

    async def next_batch(self, after_seq: int) -> Batch | None:
        """The oldest events after `after_seq`, as many as fit in a message; None: there are none.

        Raises: StorageFault.
        """
        return await self._store.read(lambda connection: read_batch(connection, after_seq))

    async def acknowledge(self, ack: Ack) -> None:
        """Believes the console's number, also when it is lower than before: what follows is sent
        again. One that can't be true is ignored. Raises: StorageFault.

        Only a higher number is kept. An old acknowledgement can be sent again by whoever has the
        broker, and must neither take slots from grants nor write to the disk.
        """
        kept = self._kept
        if ack.journal != kept.journal or ack.seq > kept.head:
            log.warning("ack.ignored", seq=ack.seq, head=kept.head)
            return
        if ack.seq <= kept.acknowledged:
            if ack.seq < kept.acknowledged and self._set_back is None:
                log.warning("journal.set_back", acknowledged=ack.seq, was=kept.acknowledged)
            self._set_back = ack.seq if ack.seq < kept.acknowledged else None
            self.moved.set()
            return

        instant = self._timekeeper.now()

        def work(connection: sqlite3.Connection) -> Position:
            connection.execute("UPDATE state SET acknowledged = ?", (ack.seq,))
            self._tell_unrecorded(connection, read_position(connection), instant)
            return read_position(connection)

        self._move(await self._store.write(work))
        self._set_back = None

    async def prune(self) -> None:
        """Deletes acknowledged events that are old and not among the newest 100,000.

        Raises: StorageFault.
        """
        now_ms = self._timekeeper.moment().now_ms

        def work(connection: sqlite3.Connection) -> int:
            position = read_position(connection)
            newest = min(position.acknowledged, position.head - KEPT_EVENTS_MIN)
            return connection.execute(
                "DELETE FROM event WHERE seq IN (SELECT seq FROM event"
                " WHERE seq <= ? AND time_ms < ? ORDER BY seq LIMIT ?)",
                (newest, now_ms - KEPT_MS_MIN, PRUNED_EVENTS_MAX),
            ).rowcount

        while await self._store.write(work) == PRUNED_EVENTS_MAX:
            pass

    def _move(self, position: Position) -> None:
        self._kept = position
        self.moved.set()

    def _add(
        self,
        connection: sqlite3.Connection,
        occurrence: Occurrence,
        instant: Instant,
        *,
        has_happened: bool = False,
    ) -> None:
        position = read_position(connection)
        allotment = allot(
            occurrence.kind,
            self._slots,
            waiting=position.waiting,
            alarms=position.alarms,
            has_happened=has_happened,
        )
        if allotment is Allotment.REFUSE:
            raise JournalFull("no slot is left until the console has acknowledged events")
        if allotment in _COUNTING:
            connection.execute(_COUNTING[allotment])
            return
        if allotment is Allotment.RECORD_ALARM:
            connection.execute("UPDATE state SET alarms = alarms + 1")
        self._tell_unrecorded(connection, position, instant)
        self._insert(connection, occurrence, instant)

    def _tell_unrecorded(
        self, connection: sqlite3.Connection, position: Position, instant: Instant
    ) -> None:
        """Says what was only counted, once there are slots again."""
        if position.waiting >= self._slots.spacious:
            return
        if position.unrecorded:
            summary = Occurrence(
                EventKind.EVENTS_UNRECORDED,
                reason=Reason.JOURNAL_FULL,
                detail=f"{position.unrecorded} events were only counted, "
                f"{position.alarms_unrecorded} of them alarms: slots were scarce",
            )
            self._insert(connection, summary, instant)
        if position.unrecorded or position.alarms:
            connection.execute("UPDATE state SET alarms = 0, unrecorded = 0, alarms_unrecorded = 0")

    def _insert(
        self, connection: sqlite3.Connection, occurrence: Occurrence, instant: Instant
    ) -> None:
        head = connection.execute(
            "SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1"
        ).fetchone()
        seq, previous = (1, self._genesis) if head is None else (head[0] + 1, head[1])
        stamp = Stamp(
            seq=seq,
            boot=instant.boot,
            mono_ms=instant.mono_ms,
            time_ms=instant.moment.now_ms,
            is_time_trusted=instant.moment.is_trusted,
            wall_ms=instant.wall_ms,
            previous=previous,
        )
        line = encode_event(occurrence, stamp)
        connection.execute(
            "INSERT INTO event (seq, time_ms, hash, line) VALUES (?, ?, ?, ?)",
            (seq, stamp.time_ms, event_hash(line), line),
        )


async def open_journal(
    store: Store, timekeeper: Timekeeper, controller: ControllerId, *, slots: Slots | None = None
) -> Journal:
    """The journal in the store. Raises: StorageFault."""
    position = await store.read(read_position)
    return Journal(store, timekeeper, controller, position, slots or Slots())
