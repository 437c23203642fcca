"""One door of a controller inside the test's own process: real store, journal, guard and relay.

What happens on the wire and in the daemon's start is left to tests of the real daemon.
"""

import asyncio
import os
import sqlite3
import threading
from collections.abc import AsyncGenerator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from edge.clock import Timekeeper
from edge.cues import Lights
from edge.digests import Digests
from edge.doorway import Doorway
from edge.entrance import Entrance
from edge.journal import Journal, open_journal
from edge.listening import Listening
from edge.port import Port
from edge.provision import provision
from edge.readers.rdm6300 import Rdm6300Parser
from edge.readers.reader import OneWay
from edge.recorder import Recorder
from edge.relays import Relays
from edge.rights_cache import RightsCache, Trust, open_rights_cache
from edge.slots import Slots
from edge.store import Store, open_store
from edge.verdict import Parts
from sync.events import Event, decode_event
from sync.ids import BootId, Entry
from sync.rights import Right
from sync.signing import public_key
from tests.support.guard_trace import relay_states
from tests.support.serial_line import frame
from tests.support.signer import FRONT, FRONT_PI, OWNER, Signer
from tests.support.waiting import eventually

T = 1_790_000_000_000
SIGNER = Signer()


@dataclass
class Threshold:
    """What a test may touch."""

    store: Store
    journal: Journal
    rights: RightsCache
    recorder: Recorder
    relays: Relays
    doorway: Doorway
    entrance: Entrance
    listening: Listening
    timekeeper: Timekeeper
    trace: Path
    parts: Parts
    worker: ThreadPoolExecutor
    """Where cards are hashed."""

    serial: int = 0

    async def allow(self, rights: Mapping[Entry, Right] | None = None) -> None:
        """Puts a new snapshot in force; without `rights`, Kari may come in."""
        self.serial += 1
        await self.rights.offer_snapshot(SIGNER.snapshot(self.serial, rights), now_ms=T)

    def tap(self, card_hex: str) -> None:
        """Bytes of one frame, as the port hands them over."""
        self.hear(frame(card_hex))

    def hear(self, data: bytes) -> None:
        """Any bytes, as the port hands them over."""
        self.listening.hear(data)

    async def events(self) -> list[Event]:
        """All that is recorded of taps, oldest first."""
        batch = await self.journal.next_batch(0)
        events = [] if batch is None else [decode_event(line) for line in batch.lines]
        return [event for event in events if event.kind.startswith("access_")]

    async def wait_for_events(self, count: int, *, seconds: float = 20) -> list[Event]:
        async def enough() -> list[Event] | None:
            events = await self.events()
            return events if len(events) >= count else None

        return await eventually(enough, seconds=seconds)

    def relay(self) -> list[str]:
        """What the relay went through."""
        return relay_states(self.trace, FRONT)

    def stall(self) -> threading.Event:
        """Lets the disk stand still until the event is set."""
        goes_on, stands = threading.Event(), threading.Event()

        def work(_connection: sqlite3.Connection) -> None:
            stands.set()
            goes_on.wait()

        stalled = asyncio.ensure_future(self.store.write(work))
        stalled.add_done_callback(lambda task: task.cancelled() or task.exception())
        return goes_on


@asynccontextmanager
async def threshold(
    folder: Path, *, slots: Slots | None = None, unlock_seconds_max: int = 30
) -> AsyncGenerator[Threshold]:
    """Ready, with keys but without rights. Needs GPIOZERO_PIN_FACTORY=mock."""
    provision(folder, OWNER)
    store, _ = await open_store(folder, OWNER)
    timekeeper = Timekeeper(BootId("cd" * 16))
    timekeeper.start_at(T, 0)
    journal = await open_journal(store, timekeeper, FRONT_PI, slots=slots)
    recorder = Recorder(journal, timekeeper)
    with ThreadPoolExecutor(1) as worker:
        trust = Trust(FRONT_PI, public_key(SIGNER.root_seed))
        rights = await open_rights_cache(store, journal, trust, decoder=worker)
        await rights.offer_keyset(SIGNER.keyset(), now_ms=T)
        doorways: list[Doorway] = []
        relays = Relays(
            {FRONT: [17]},
            work_dir=folder / "guard",
            trace=folder / "trace",
            changed=lambda _point, is_on: doorways[0].relay_changed(is_on),
        )
        doorway = Doorway(FRONT, relays, Lights(), changed=lambda: None)
        doorways.append(doorway)
        parts = Parts(
            SIGNER.bundle(),
            Digests(SIGNER.site_salt, worker),
            rights,
            recorder,
            timekeeper,
            os.urandom,
        )
        entrance = Entrance(parts, doorway, unlock_seconds_max=unlock_seconds_max)
        listening = Listening(
            FRONT,
            OneWay(Rdm6300Parser()),
            plug=lambda it: Port("/nowhere", baud=9600, received=it.hear),
            read=entrance.read,
            record=recorder.record,
            changed=lambda: None,
        )
        running = [asyncio.create_task(run()) for run in (relays.run, entrance.run, recorder.run)]
        running.append(asyncio.create_task(listening.run()))
        doorway.serve()
        await eventually(lambda: doorway.fault is None)
        try:
            yield Threshold(
                store,
                journal,
                rights,
                recorder,
                relays,
                doorway,
                entrance,
                listening,
                timekeeper,
                folder / "trace",
                parts,
                worker,
            )
        finally:
            doorway.close()
            for task in running:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            await store.close()
