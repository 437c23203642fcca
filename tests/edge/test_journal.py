"""The journal: gap-free and chained whatever happens, bounded, and nothing is lost to an ack."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from edge.clock import Timekeeper
from edge.errors import JournalFull, StorageFault
from edge.journal import KEPT_EVENTS_MIN, KEPT_MS_MIN, Journal, open_journal
from edge.provision import provision
from edge.slots import Slots
from edge.store import Store, open_store
from sync.events import (
    Event,
    EventKind,
    Occurrence,
    decode_batch,
    encode_batch,
    event_hash,
    read_chain,
)
from sync.events import genesis as genesis_of
from sync.ids import BootId, CommandId, TapId
from sync.messages import Ack
from sync.rights import Reason
from tests.support.signer import FRONT, FRONT_PI, OWNER

T = 1_790_000_000_000
GRANT = Occurrence(EventKind.ACCESS_GRANTED, point=FRONT, reason=Reason.ALLOWED)
DENIAL = Occurrence(EventKind.ACCESS_DENIED, point=FRONT, reason=Reason.NO_RIGHT)


def timekeeper(at_ms: int = T) -> Timekeeper:
    keeper = Timekeeper(BootId("cd" * 16))
    keeper.hear_beacon(at_ms)
    return keeper


@asynccontextmanager
async def journal_in(
    folder: Path, *, slots: Slots | None = None, at_ms: int = T
) -> AsyncGenerator[tuple[Journal, Store]]:
    provision(folder, OWNER)  # here rather than in a process of its own, which takes longer
    store, _ = await open_store(folder, OWNER)
    try:
        yield await open_journal(store, timekeeper(at_ms), FRONT_PI, slots=slots), store
    finally:
        await store.close()


async def chain(journal: Journal) -> list[Event]:
    """All events, sent as the uplink would and read as the console does."""
    events: list[Event] = []
    previous = genesis_of(FRONT_PI, journal.position.journal)
    while (batch := await journal.next_batch(len(events))) is not None:
        batch = decode_batch(encode_batch(batch))
        assert batch.first_seq == len(events) + 1
        events += read_chain(previous, batch.first_seq, batch.lines)
        previous = (await newest_hash(journal, len(events))) or previous
    return events


async def newest_hash(journal: Journal, seq: int) -> bytes | None:
    batch = await journal.next_batch(seq - 1)
    return None if batch is None else event_hash(batch.lines[0])


async def acknowledge(journal: Journal, seq: int) -> None:
    await journal.acknowledge(Ack(journal.position.journal, seq))


async def test_events_are_numbered_from_one_chained_and_survive_a_restart(tmp_path: Path) -> None:
    async with journal_in(tmp_path) as (journal, _):
        await journal.append(GRANT)
        await journal.append(DENIAL)
        first = journal.position
    async with journal_in(tmp_path, at_ms=T + 5_000) as (journal, _):
        assert journal.position == first
        await journal.append(GRANT)
        events = await chain(journal)
    assert [event.kind for event in events] == ["access_granted", "access_denied", "access_granted"]
    assert events[2].stamp.time_ms >= T + 5_000
    assert events[2].stamp.is_time_trusted


async def test_what_is_recorded_alongside_an_event_shares_its_fate(tmp_path: Path) -> None:
    def count(connection: sqlite3.Connection) -> None:
        connection.execute("UPDATE state SET command_counter = 12")

    def fail(connection: sqlite3.Connection) -> None:
        count(connection)
        raise JournalFull("not now")

    def counter(connection: sqlite3.Connection) -> int:
        return connection.execute("SELECT command_counter FROM state").fetchone()[0]

    async with journal_in(tmp_path) as (journal, store):
        with pytest.raises(JournalFull):
            await journal.append(GRANT, alongside=fail)
        assert (await store.read(counter), journal.position.head) == (0, 0)
        assert await chain(journal) == []
        await journal.append(GRANT, alongside=count)
        assert (await store.read(counter), journal.position.head) == (12, 1)


async def test_many_at_once_leave_no_gap(tmp_path: Path) -> None:
    async with journal_in(tmp_path) as (journal, _):
        await asyncio.gather(*(journal.append(GRANT) for _ in range(50)))
        assert len(await chain(journal)) == 50


async def test_a_batch_holds_at_most_100_events_and_64_kilobytes(tmp_path: Path) -> None:
    long = Occurrence(EventKind.MESSAGE_REFUSED, detail="x" * 200)
    async with journal_in(tmp_path) as (journal, store):
        for _ in range(205):
            await journal.append(DENIAL)
        batch = await journal.next_batch(0)
        assert batch is not None
        assert (batch.first_seq, len(batch.lines), batch.oldest_seq) == (1, 100, 1)
        batch = await journal.next_batch(200)
        assert batch is not None
        assert (batch.first_seq, len(batch.lines)) == (201, 5)
        assert await journal.next_batch(205) is None
        await journal.append(long)
        await store.write(lambda c: c.execute("UPDATE event SET line = zeroblob(1900)"))
        batch = await journal.next_batch(0)
        assert batch is not None
        assert len(encode_batch(batch)) <= 64 * 1024
        assert len(batch.lines) == 34


async def test_when_slots_are_scarce_denials_are_only_counted_and_grants_go_on(
    tmp_path: Path,
) -> None:
    async with journal_in(tmp_path, slots=Slots(spacious=3, most=5, alarms=0)) as (journal, _):
        for _ in range(6):
            await journal.append(DENIAL)
        assert journal.position.head == 3
        await journal.append(GRANT)
        await journal.append(GRANT)
        with pytest.raises(JournalFull):
            await journal.append(GRANT)
        await journal.append(Occurrence(EventKind.ACCESS_WITHDRAWN, point=FRONT))
        assert journal.position.head == 6
    async with journal_in(tmp_path, slots=Slots(spacious=3, most=5, alarms=0)) as (journal, _):
        await acknowledge(journal, 6)
        await journal.append(GRANT)
        kinds = [(event.kind, event.detail) for event in await chain(journal)][-2:]
        assert kinds == [
            (
                "events_unrecorded",
                "3 events were only counted, 0 of them alarms: slots were scarce",
            ),
            ("access_granted", None),
        ]


FORCED = Occurrence(EventKind.DOOR_FORCED, point=FRONT)
SCARCE = Slots(spacious=3, most=8, alarms=2)


async def test_denied_taps_leave_slots_for_alarms_and_for_grants(tmp_path: Path) -> None:
    async with journal_in(tmp_path, slots=SCARCE) as (journal, _):
        for _ in range(50):
            await journal.append(DENIAL)
        for _ in range(3):
            await journal.append(GRANT)
        with pytest.raises(JournalFull):
            await journal.append(GRANT)
        await journal.append(FORCED)
        await journal.append(Occurrence(EventKind.TAMPER_BEGAN, point=FRONT))
        assert journal.position.head == 8
        assert (journal.position.unrecorded, journal.position.alarms_unrecorded) == (47, 0)


async def test_alarms_leave_slots_for_grants_however_many_there_are(tmp_path: Path) -> None:
    async with journal_in(tmp_path, slots=SCARCE) as (journal, _):
        for _ in range(9):
            await journal.append(FORCED)
        assert journal.position.head == 5
        for _ in range(3):
            await journal.append(GRANT)
        with pytest.raises(JournalFull):
            await journal.append(GRANT)


async def test_what_was_only_counted_is_told_as_soon_as_there_are_slots(tmp_path: Path) -> None:
    async with journal_in(tmp_path, slots=SCARCE) as (journal, _):
        for _ in range(9):
            await journal.append(FORCED)
        await journal.append(DENIAL)
    async with journal_in(tmp_path, slots=SCARCE) as (journal, _):
        await acknowledge(journal, 1)
        assert journal.position.unrecorded == 5, "there is no slot to say so yet"
        await acknowledge(journal, 5)
        assert journal.position.unrecorded == 0
        told = (await chain(journal))[5:]
        assert [(event.kind, event.reason, event.detail) for event in told] == [
            (
                "events_unrecorded",
                "journal_full",
                "5 events were only counted, 4 of them alarms: slots were scarce",
            )
        ]
        await acknowledge(journal, 6)
        for _ in range(9):
            await journal.append(FORCED)
        assert journal.position.head == 6 + 5, "alarms have their slots again"


async def test_a_door_that_was_opened_already_is_recorded_without_a_slot(tmp_path: Path) -> None:
    async with journal_in(tmp_path, slots=Slots(spacious=0, most=0, alarms=0)) as (journal, _):
        instant = timekeeper().now()
        opened = Occurrence(EventKind.ACCESS_GRANTED, point=FRONT, tap=TapId("0c" * 16))
        await journal.settle(opened, instant, since_seq=0)
        refused = CommandId("6ba7b810-9dad-41d1-80b4-00c04fd430c8")
        await journal.settle(
            Occurrence(EventKind.COMMAND_REFUSED, command=refused), instant, since_seq=0
        )
        assert [event.kind for event in await chain(journal)] == ["access_granted"]
        assert journal.position.unrecorded == 1


async def test_a_self_test_that_can_not_be_recorded_moves_no_relay(tmp_path: Path) -> None:
    async with journal_in(tmp_path, slots=Slots(spacious=0, most=0, alarms=0)) as (journal, _):
        with pytest.raises(JournalFull):
            await journal.append(Occurrence(EventKind.SELF_TESTED, point=FRONT))


async def test_no_door_stands_open_unrecorded_when_slots_are_scarce(tmp_path: Path) -> None:
    async with journal_in(tmp_path, slots=Slots(spacious=0, most=1, alarms=0)) as (journal, _):
        await journal.append(Occurrence(EventKind.UNLOCK_BEGAN, point=FRONT))
        with pytest.raises(JournalFull):
            await journal.append(Occurrence(EventKind.UNLOCK_BEGAN, point=FRONT))
        await journal.append(Occurrence(EventKind.UNLOCK_ENDED, point=FRONT))
        assert [event.kind for event in await chain(journal)] == ["unlock_began", "unlock_ended"]


async def test_a_revocation_is_applied_also_when_its_event_is_only_counted(tmp_path: Path) -> None:
    done: list[bool] = []
    async with journal_in(tmp_path, slots=Slots(spacious=0, most=0, alarms=0)) as (journal, _):
        applied = Occurrence(EventKind.SNAPSHOT_APPLIED)
        await journal.append(applied, alongside=lambda _c: done.append(True))
    assert done == [True]


async def test_the_real_limits_hold_and_old_acknowledged_events_go(tmp_path: Path) -> None:
    async with journal_in(tmp_path, at_ms=T + KEPT_MS_MIN + 1) as (journal, store):
        rows = ((seq, T + (seq > 4_000) * 60_000) for seq in range(1, 105_001))
        await store.write(
            lambda c: c.executemany("INSERT INTO event VALUES (?, ?, x'00', x'00')", rows)
        )
        await journal.append(DENIAL)
        assert journal.position.head == 105_000  # counted
        await journal.append(GRANT)
        assert journal.position.head == 105_001
        await store.write(
            lambda c: c.executemany(
                "INSERT INTO event VALUES (?, ?, x'00', x'00')",
                ((seq, T + 60_000) for seq in range(105_002, 108_001)),
            )
        )
        with pytest.raises(JournalFull):
            await journal.append(GRANT)
        await journal.prune()
        assert await remaining(store) == (1, 108_000)

        await acknowledge(journal, 2_000)
        assert await remaining(store) == (1, 108_000)
        await journal.append(GRANT)
        await journal.prune()
        assert await remaining(store) == (2_001, 108_001)  # the rest is not acknowledged
        await acknowledge(journal, 108_001)  # and tells what was only counted
        await journal.prune()
        assert await remaining(store) == (4_001, 108_002)  # the rest is younger than 30 days
        await acknowledge(journal, 0)
        batch = await journal.next_batch(0)
        assert batch is not None
        assert (batch.first_seq, batch.oldest_seq) == (4_001, 4_001)


async def test_the_newest_events_are_kept_however_old_they_are(tmp_path: Path) -> None:
    async with journal_in(tmp_path, at_ms=T + 10 * KEPT_MS_MIN) as (journal, store):
        rows = ((seq, T) for seq in range(1, KEPT_EVENTS_MIN + 1_501))
        await store.write(
            lambda c: c.executemany("INSERT INTO event VALUES (?, ?, x'00', x'00')", rows)
        )
        await store.write(lambda c: c.execute("UPDATE state SET acknowledged = 101500"))
        await journal.prune()
        assert await remaining(store) == (1_501, 101_500)


async def remaining(store: Store) -> tuple[int, int]:
    return await store.read(lambda c: c.execute("SELECT min(seq), max(seq) FROM event").fetchone())


async def test_what_was_answered_too_late_is_settled_with_its_own_time(tmp_path: Path) -> None:
    granted, denied, never = TapId("0c" * 16), TapId("0d" * 16), TapId("0e" * 16)
    opened = CommandId("6ba7b810-9dad-41d1-80b4-00c04fd430c8")
    async with journal_in(tmp_path) as (journal, _):
        instant = timekeeper(T - 7_000).now()
        await journal.append(Occurrence(EventKind.ACCESS_GRANTED, tap=granted))
        await journal.append(Occurrence(EventKind.ACCESS_DENIED, tap=denied))
        await journal.append(Occurrence(EventKind.COMMAND_EXECUTED, command=opened))
        for tap in (granted, denied, never):
            refusal = Occurrence(EventKind.ACCESS_DENIED, tap=tap, reason=Reason.STORAGE_SLOW)
            await journal.settle(refusal, instant, since_seq=0)
        refusal = Occurrence(EventKind.COMMAND_REFUSED, command=opened)
        await journal.settle(refusal, instant, since_seq=0)
        events = (await chain(journal))[3:]
    assert [(event.kind, event.tap or event.command) for event in events] == [
        ("access_withdrawn", granted),
        ("access_denied", never),
        ("access_withdrawn", opened),
    ]
    assert {event.stamp.time_ms for event in events} == {T - 7_000}


async def test_a_store_that_is_closed_or_gone_raises_a_storage_fault(tmp_path: Path) -> None:
    async with journal_in(tmp_path) as (journal, store):
        await store.write(lambda c: c.execute("DROP TABLE event"))
        with pytest.raises(StorageFault):
            await journal.append(GRANT)
