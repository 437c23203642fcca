"""What can't be recorded now: kept, bounded, counted, and recorded as soon as that is possible."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from edge.announcer import WAITING_MAX, Announcer
from edge.clock import Timekeeper
from edge.journal import Journal, open_journal
from edge.provision import provision
from edge.recorder import DEADLINE_SECONDS, OPENINGS_TOLD, UNSETTLED_MAX, Recorder
from edge.store import Store, open_store
from sync.events import Event, EventKind, Occurrence, decode_event
from sync.ids import BootId, Entry, MemberRef, TapId
from sync.rights import Reason
from tests.support.signer import FRONT, FRONT_PI, OWNER
from tests.support.waiting import eventually

T = 1_790_000_000_000
FORCED = Occurrence(EventKind.DOOR_FORCED, point=FRONT)


@dataclass
class Desk:
    store: Store
    journal: Journal
    recorder: Recorder

    async def fail(self) -> None:
        await self.store.write(lambda c: c.execute("ALTER TABLE event RENAME TO elsewhere"))

    async def heal(self) -> None:
        await self.store.write(lambda c: c.execute("ALTER TABLE elsewhere RENAME TO event"))
        await self.recorder.settle(20)

    def told(self) -> list[dict[str, object]]:
        """The openings in a report."""
        return cast("list[dict[str, object]]", self.recorder.openings()["openings"])

    async def events(self) -> list[Event]:
        found: list[Event] = []
        while (batch := await self.journal.next_batch(len(found))) is not None:
            found += [decode_event(line) for line in batch.lines]
        return found


@asynccontextmanager
async def desk(folder: Path) -> AsyncGenerator[Desk]:
    provision(folder, OWNER)
    store, _ = await open_store(folder, OWNER)
    timekeeper = Timekeeper(BootId("cd" * 16))
    timekeeper.hear_beacon(T)
    journal = await open_journal(store, timekeeper, FRONT_PI)
    try:
        yield Desk(store, journal, Recorder(journal, timekeeper))
    finally:
        await store.close()


def denial(number: int) -> Occurrence:
    tap = TapId(f"{number:032x}")
    return Occurrence(EventKind.ACCESS_DENIED, point=FRONT, tap=tap, reason=Reason.STORAGE_FAULT)


def opening(number: int) -> Occurrence:
    return Occurrence(
        EventKind.ACCESS_GRANTED,
        point=FRONT,
        tap=TapId(f"{number:032x}"),
        entry=Entry(b"\xe1" * 16),
        member=MemberRef(b"\xa1" * 8),
        reason=Reason.ALLOWED,
    )


async def test_a_grant_that_was_written_while_the_machine_stood_still_is_withdrawn(
    tmp_path: Path,
) -> None:
    async with desk(tmp_path) as here:
        loop = asyncio.get_running_loop()

        def stand_still(_connection: sqlite3.Connection) -> None:
            loop.call_soon_threadsafe(time.sleep, 2 * DEADLINE_SECONDS)

        reason = await here.recorder.record(opening(1), alongside=stand_still)
        assert reason is Reason.STORAGE_SLOW
        await here.recorder.settle(20)
        granted, withdrawn = await here.events()
        assert (granted.kind, withdrawn.kind) == (
            EventKind.ACCESS_GRANTED,
            EventKind.ACCESS_WITHDRAWN,
        )
        assert granted.tap == withdrawn.tap


async def test_an_alarm_that_was_written_too_late_is_told_once(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:

        def be_slow(_connection: sqlite3.Connection) -> None:
            time.sleep(2 * DEADLINE_SECONDS)

        for _ in range(2):
            reason = await here.recorder.record(FORCED, alongside=be_slow)
            assert reason is Reason.STORAGE_SLOW
        await here.recorder.settle(20)
        assert [event.kind for event in await here.events()] == ["door_forced"] * 2


async def test_each_break_glass_opening_is_told_until_it_is_recorded(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        await here.fail()
        here.recorder.keep(opening(1))
        here.recorder.keep(opening(2))
        assert here.recorder.openings()["unrecorded"] == 2
        first, second = here.told()
        assert first["tap"] != second["tap"]
        assert first == {
            "point": "front",
            "tap": f"{1:032x}",
            "entry": "e1" * 16,
            "member": "a1" * 8,
            "time_ms": first["time_ms"],
            "clock": "trusted",
            "reason": "allowed",
        }
        await here.heal()
        assert here.recorder.openings() == {"unrecorded": 0, "openings": []}
        recorded = await here.events()
        assert [(event.kind, event.tap) for event in recorded] == [
            ("access_granted", f"{1:032x}"),
            ("access_granted", f"{2:032x}"),
        ]
        assert recorded[0].detail == "with a break-glass card, while nothing could be recorded"
        assert recorded[0].stamp.time_ms == first["time_ms"], "when it happened, not when it healed"


async def test_no_number_of_denials_pushes_an_opening_out(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        await here.fail()
        here.recorder.keep(opening(1))
        await here.recorder.record(FORCED)
        for number in range(UNSETTLED_MAX + 20):
            await here.recorder.record(denial(1_000 + number))
        assert here.recorder.unrecorded == 1 + UNSETTLED_MAX + 21
        await here.heal()
        kinds = [event.kind for event in await here.events()]
        assert kinds[:2] == ["access_granted", "door_forced"]
        assert kinds.count("access_denied") == UNSETTLED_MAX - 1
        last = (await here.events())[-1]
        assert (last.kind, last.reason, last.detail) == (
            "events_unrecorded",
            "storage_fault",
            "21 events were only counted: nothing could be recorded for too long",
        )
        assert here.recorder.unrecorded == 0


async def test_an_opening_whose_relay_did_not_move_is_told_and_taken_back(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        await here.fail()
        here.recorder.keep(opening(1))
        here.recorder.withdraw(opening(1), Reason.RELAY_FAULT)
        [told] = here.told()
        assert told["reason"] == "relay_fault"
        await here.heal()
        assert [event.kind for event in await here.events()] == [
            "access_granted",
            "access_withdrawn",
        ]


async def test_a_report_tells_the_newest_and_how_many_there_are(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        for number in range(OPENINGS_TOLD + 3):
            here.recorder.keep(opening(number))
        assert here.recorder.openings()["unrecorded"] == OPENINGS_TOLD + 3
        taps = [one["tap"] for one in here.told()]
        assert taps == [f"{number:032x}" for number in range(3, OPENINGS_TOLD + 3)]


async def test_what_happens_before_there_is_a_store_is_counted_if_it_is_too_much(
    tmp_path: Path,
) -> None:
    announcer = Announcer()
    for _ in range(WAITING_MAX + 5):
        announcer.tell(FORCED)
    async with desk(tmp_path) as here:
        running = asyncio.ensure_future(announcer.run(here.recorder))
        settling = asyncio.ensure_future(here.recorder.run())

        async def all_there() -> bool:
            return len(await here.events()) == WAITING_MAX + 1

        await eventually(all_there, seconds=60)
        running.cancel()
        settling.cancel()
        counted = [one for one in await here.events() if one.kind == "events_unrecorded"]
        assert [one.detail for one in counted] == [
            "5 events were only counted: nothing could be recorded for too long"
        ]
