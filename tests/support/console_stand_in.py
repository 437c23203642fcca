"""The console's side of the protocol over a real broker, played with made-up keys.

It answers as a console would, for as long as it is told to; and it sends whatever a test wants.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from aiomqtt import Client, MqttError

from sync.envelope import CONSOLE, Kind, open_
from sync.events import Event, decode_batch, event_hash, genesis, read_chain
from sync.ids import BootId, Entry, JournalId, Nonce
from sync.messages import Hello, Report, decode_hello, decode_report, decode_request
from sync.rights import Right
from sync.signing import public_key
from sync.topics import Leaf, everything_up, parse, topic
from tests.support.signer import Signer
from tests.support.waiting import eventually

PREFIX = "p2k16"


@dataclass
class ConsoleStandIn:
    """What one controller said, and what it is told."""

    client: Client
    signer: Signer
    answers_nonces: bool = True
    acknowledges: bool = True
    newest_serial: int = 0
    """What beacons name as the newest snapshot."""
    beacon_time_ms: int | None = None
    """None: the machine's time."""

    hellos: list[Hello] = field(default_factory=list[Hello])
    reports: list[Report] = field(default_factory=list[Report])
    journals: list[JournalId] = field(default_factory=list[JournalId])
    """Of each message that names one. Who connects late misses the hello: no broker keeps it."""

    requests: int = 0
    presence: list[str] = field(default_factory=list[str])
    batches: int = 0
    events: dict[JournalId, list[Event]] = field(default_factory=dict[JournalId, list[Event]])
    hashes: dict[JournalId, bytes] = field(default_factory=dict[JournalId, bytes])

    # What it says.

    async def publish(self, leaf: Leaf, data: bytes, *, retain: bool = False) -> None:
        """Anything at all, as anybody might who can publish."""
        name = topic(PREFIX, self.signer.controller, leaf)
        await self.client.publish(name, data, qos=1, retain=retain)

    async def send_keys(self) -> None:
        await self.publish(Leaf.KEYS, self.signer.keyset(), retain=True)

    async def send_snapshot(
        self, serial: int = 1, rights: Mapping[Entry, Right] | None = None
    ) -> None:
        self.newest_serial = max(self.newest_serial, serial)
        await self.publish(Leaf.SNAPSHOT, self.signer.snapshot(serial, rights), retain=True)

    async def open_door(self, counter: int, **changes: Any) -> bytes:
        """A command as fresh as it can be; returns the bytes, to be sent again."""
        report = self.reports[-1]
        data = self.signer.command(report.boot, report.nonce, counter, **changes)
        await self.publish(Leaf.COMMAND, data)
        return data

    async def acknowledge(self, journal: JournalId, seq: int) -> None:
        await self.publish(Leaf.ACK, self.signer.ack(journal, seq))

    # What it has heard.

    @property
    def boot(self) -> BootId:
        return self.reports[-1].boot

    @property
    def nonce(self) -> Nonce:
        return self.reports[-1].nonce

    @property
    def journal(self) -> JournalId:
        return self.journals[-1]

    def state(self) -> dict[str, Any]:
        """The last reported state."""
        return dict(self.reports[-1].state) if self.reports else {}

    def lights(self, point: str) -> set[str]:
        """Every colour that the light has been reported to have."""
        states = [dict[str, Any](report.state) for report in self.reports]
        return {state["points"][point]["light"] for state in states}

    def all_events(self) -> list[Event]:
        """Of the present journal."""
        return self.events.get(self.journal, []) if self.journals else []

    def kinds(self, start: str = "") -> list[str]:
        return [event.kind for event in self.all_events() if event.kind.startswith(start)]

    async def wait_for_kind(self, kind: str, count: int = 1, *, seconds: float = 30) -> list[Event]:
        """The events of a kind, as soon as there are so many."""

        def enough() -> list[Event] | None:
            found = [event for event in self.all_events() if event.kind == kind]
            return found if len(found) >= count else None

        return await eventually(enough, seconds=seconds)

    async def wait_until_applied(self, serial: int, *, seconds: float = 30) -> None:
        await eventually(
            lambda: self.reports and self.reports[-1].applied.serial >= serial, seconds=seconds
        )

    async def listen(self) -> None:
        """Reads and answers, for ever."""
        async for message in self.client.messages:
            name = parse(PREFIX, message.topic.value)
            if name is None or name.controller != self.signer.controller:
                continue
            data = bytes(message.payload)
            match name.leaf:
                case Leaf.PRESENCE:
                    self.presence.append(data.decode())
                case Leaf.HELLO:
                    self.hellos.append(decode_hello(self._open(Kind.HELLO, data)))
                    self.journals.append(self.hellos[-1].journal)
                    await self._answer(self.hellos[-1].nonce)
                case Leaf.REPORT:
                    self.reports.append(decode_report(self._open(Kind.REPORT, data)))
                    self.journals.append(self.reports[-1].journal)
                    await self._answer(self.reports[-1].nonce)
                case Leaf.REQUEST:
                    decode_request(self._open(Kind.REQUEST, data))
                    self.requests += 1
                case Leaf.EVENTS:
                    await self._store(self._open(Kind.EVENTS, data))
                case _:
                    raise AssertionError(f"nobody may publish on {name.leaf}")

    def _open(self, kind: Kind, data: bytes) -> bytes:
        return open_(data, kind, CONSOLE, public_key=public_key(self.signer.controller_seed))

    async def _answer(self, nonce: Nonce) -> None:
        if self.answers_nonces:
            beacon = self.signer.beacon(
                nonce, serial=self.newest_serial, time_ms=self.beacon_time_ms
            )
            with suppress(Exception):
                await self.publish(Leaf.BEACON, beacon)

    async def _store(self, payload: bytes) -> None:
        batch = decode_batch(payload)
        self.batches += 1
        self.journals.append(batch.journal)
        stored = self.events.setdefault(batch.journal, [])
        previous = self.hashes.get(batch.journal, genesis(self.signer.controller, batch.journal))
        new = batch.lines[max(0, len(stored) + 1 - batch.first_seq) :]
        assert batch.first_seq <= len(stored) + 1, "a gap"
        if new:
            stored += read_chain(previous, len(stored) + 1, new)
            self.hashes[batch.journal] = event_hash(new[-1])
        if self.acknowledges:
            await self.acknowledge(batch.journal, len(stored))


@asynccontextmanager
async def console_at(
    port: int, signer: Signer, *, password: str, user: str = "console"
) -> AsyncGenerator[ConsoleStandIn]:
    """Connected, and listening to what goes up."""
    client = Client(
        "127.0.0.1",
        port,
        username=user,
        password=password,
        identifier=f"stand-in-{signer.controller}",
    )
    async with client:
        await client.subscribe(everything_up(PREFIX), qos=1)
        console = ConsoleStandIn(client, signer)
        listening = asyncio.create_task(console.listen())
        try:
            yield console
        finally:
            while not listening.done():  # aiomqtt may lose a cancellation
                listening.cancel()
                await asyncio.wait({listening}, timeout=0.1)
            if not listening.cancelled():
                with suppress(MqttError):  # a test that stopped the broker
                    listening.result()
