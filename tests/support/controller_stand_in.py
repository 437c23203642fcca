"""The controller's side of the protocol, played with the functions of sync/: a journal, and MQTT.

It does what it is told, also what no controller should do. It moves no relay and keeps nothing.
"""

import asyncio
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from aiomqtt import Client, ProtocolVersion

from sync.bundle import Bundle
from sync.commands import Command, decode_command
from sync.credential import entry, member_ref
from sync.envelope import CONSOLE, Kind, open_, seal
from sync.events import (
    Batch,
    EventKind,
    Occurrence,
    Stamp,
    encode_batch,
    encode_event,
    event_hash,
    genesis,
)
from sync.ids import (
    AccountRef,
    BootId,
    ControllerId,
    JournalId,
    Nonce,
    PointKey,
    SiteDigest,
    TapId,
)
from sync.keyset import Keyset, decode_keyset
from sync.messages import (
    NO_VERSION,
    Ack,
    Beacon,
    Hello,
    Report,
    Request,
    Version,
    decode_ack,
    decode_beacon,
    encode_hello,
    encode_report,
    encode_request,
)
from sync.rights import Reason
from sync.sealing import seal as seal_digest
from sync.snapshot import Snapshot, decode_snapshot, digest
from sync.topics import RETAINED, Leaf, everything_down, parse, topic

NOON_MS = 1_790_000_000_000


@dataclass
class JournalStandIn:
    """A controller's journal: what was recorded, in order."""

    controller: ControllerId
    entry_key: bytes
    sealing_public_key: bytes = b""
    journal: JournalId = field(default_factory=lambda: JournalId(secrets.token_hex(16)))
    boot: BootId = field(default_factory=lambda: BootId(secrets.token_hex(16)))
    lines: list[bytes] = field(default_factory=list[bytes])
    time_ms: int = NOON_MS

    def record(self, occurrence: Occurrence, *, trusted: bool = True) -> bytes:
        """Adds an event, one second after the one before."""
        self.time_ms += 1000
        previous = event_hash(self.lines[-1]) if self.lines else self.genesis
        stamp = Stamp(
            seq=len(self.lines) + 1,
            boot=self.boot,
            mono_ms=1000 * len(self.lines),
            time_ms=self.time_ms,
            is_time_trusted=trusted,
            wall_ms=self.time_ms,
            previous=previous,
        )
        self.lines.append(encode_event(occurrence, stamp))
        return self.lines[-1]

    @property
    def genesis(self) -> bytes:
        return genesis(self.controller, self.journal)

    def started(self) -> bytes:
        """An event that concerns nobody."""
        return self.record(Occurrence(EventKind.CONTROLLER_STARTED))

    def granted(
        self, account: int, digest: bytes, *, door: str = "front", trusted: bool = True
    ) -> TapId:
        """A card of this account's opened the door."""
        tap = TapId(secrets.token_hex(16))
        occurrence = Occurrence(
            EventKind.ACCESS_GRANTED,
            point=PointKey(door),
            tap=tap,
            entry=entry(self.entry_key, SiteDigest(digest)),
            member=member_ref(self.entry_key, AccountRef(account)),
            assurance=0,
            reason=Reason.ALLOWED,
        )
        self.record(occurrence, trusted=trusted)
        return tap

    def denied(self, digest: bytes, *, door: str = "front") -> None:
        """A card without an entry was refused."""
        sealed = seal_digest(
            SiteDigest(digest), self.sealing_public_key, ephemeral_seed=secrets.token_bytes(32)
        )
        self.record(
            Occurrence(
                EventKind.ACCESS_DENIED,
                point=PointKey(door),
                tap=TapId(secrets.token_hex(16)),
                sealed=sealed,
                assurance=0,
                reason=Reason.UNKNOWN_CARD,
            )
        )

    def batch(self, first: int = 1, last: int | None = None, *, oldest: int = 1) -> Batch:
        """The events from `first` to `last`, by default to the end."""
        return Batch(self.journal, first, oldest, tuple(self.lines[first - 1 : last]))


class ControllerStandIn:
    """An enrolled controller on the broker. `heard` counts what came down, by kind."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.id = bundle.controller
        self.journal = JournalStandIn(self.id, bundle.entry_key, bundle.sealing_public_key)
        self.nonce = Nonce(secrets.token_hex(16))
        self.mono_ms = 0
        self.command_counter = 0
        self.applied: Version = NO_VERSION
        self.keyset: Keyset | None = None
        self.snapshots: list[Snapshot] = []
        self.beacons: list[Beacon] = []
        self.acks: list[Ack] = []
        self.commands: list[Command] = []
        self.state: dict[str, Any] = {"points": {"front": {"relay": "off", "state": "locked"}}}
        self.obeys = True
        self.refuses: str | None = None
        self._client: Client | None = None

    @asynccontextmanager
    async def connected(self) -> AsyncGenerator["ControllerStandIn"]:
        """On the broker of the bundle, subscribed, having said hello and reported."""
        url = urlsplit(self.bundle.broker_url)
        async with Client(
            url.hostname or "",
            url.port or 1883,
            username=self.bundle.broker_username,
            password=self.bundle.broker_password,
            identifier=self.id,
            protocol=ProtocolVersion.V311,
        ) as client:
            self._client = client
            await client.subscribe(everything_down(self.bundle.prefix, self.id), qos=1)
            reading = asyncio.create_task(self._read(client))
            try:
                await self.hello()
                await self.report()
                yield self
            finally:
                reading.cancel()
                self._client = None

    async def hello(self) -> None:
        await self.say(
            Leaf.HELLO,
            Kind.HELLO,
            encode_hello(
                Hello(
                    self.journal.boot, self.journal.journal, self.applied, self.nonce, "0.0.0-test"
                )
            ),
        )

    async def report(self, *, renew: bool = True) -> bytes:
        """The reported state, with a new nonce."""
        if renew:
            self.nonce = Nonce(secrets.token_hex(16))
        self.mono_ms += 100
        return await self.say(
            Leaf.REPORT,
            Kind.REPORT,
            encode_report(
                Report(
                    boot=self.journal.boot,
                    journal=self.journal.journal,
                    mono_ms=self.mono_ms,
                    nonce=self.nonce,
                    applied=self.applied,
                    command_counter=self.command_counter,
                    state=self.state,
                )
            ),
        )

    async def request(self) -> None:
        payload = encode_request(Request(self.journal.boot, self.applied))
        await self.say(Leaf.REQUEST, Kind.REQUEST, payload)

    async def send(self, first: int = 1, last: int | None = None, *, oldest: int = 1) -> None:
        """Sends a batch of the journal."""
        batch = self.journal.batch(first, last, oldest=oldest)
        await self.say(Leaf.EVENTS, Kind.EVENTS, encode_batch(batch))

    async def say(self, leaf: Leaf, kind: Kind, payload: bytes, *, seed: bytes = b"") -> bytes:
        """Signs and publishes; gives the envelope."""
        envelope = seal(kind, CONSOLE, payload, seed=seed or self.bundle.private_key)
        await self.publish(leaf, envelope)
        return envelope

    async def publish(self, leaf: Leaf, data: bytes) -> None:
        assert self._client is not None, "not connected"
        await self._client.publish(
            topic(self.bundle.prefix, self.id, leaf), data, qos=1, retain=leaf in RETAINED
        )

    async def _read(self, client: Client) -> None:
        async for message in client.messages:
            found = parse(self.bundle.prefix, message.topic.value)
            assert found is not None
            assert isinstance(message.payload, bytes)
            await self._take(found.leaf, message.payload)

    async def _take(self, leaf: Leaf, data: bytes) -> None:
        if leaf is Leaf.KEYS:
            root = self.bundle.root_public_key
            self.keyset = decode_keyset(open_(data, Kind.KEYSET, self.id, public_key=root))
            return
        if self.keyset is None:
            return  # nothing can be verified
        keys = self.keyset
        match leaf:
            case Leaf.SNAPSHOT:
                payload = open_(data, Kind.SNAPSHOT, self.id, public_key=keys.snapshot_key)
                snapshot = decode_snapshot(payload, self.id)
                if snapshot.serial > self.applied.serial:
                    self.snapshots.append(snapshot)
                    self.applied = Version(snapshot.epoch, snapshot.serial, digest(payload))
            case Leaf.BEACON:
                beacon = open_(data, Kind.BEACON, self.id, public_key=keys.beacon_key)
                self.beacons.append(decode_beacon(beacon))
            case Leaf.ACK:
                ack = open_(data, Kind.ACK, self.id, public_key=keys.beacon_key)
                self.acks.append(decode_ack(ack))
            case Leaf.COMMAND:
                command = open_(data, Kind.COMMAND, self.id, public_key=keys.command_key)
                await self._answer(decode_command(command))
            case _:
                raise AssertionError(f"nothing else comes down: {leaf}")

    async def _answer(self, command: Command) -> None:
        self.commands.append(command)
        if not self.obeys:
            return
        self.command_counter = command.counter
        refusal = self.refuses
        if refusal is None and command.challenge != self.nonce:
            refusal = "stale: on its way for too long"
        kind = EventKind.COMMAND_EXECUTED if refusal is None else EventKind.COMMAND_REFUSED
        self.journal.record(
            Occurrence(
                kind,
                point=command.point,
                member=command.actor,
                command=command.id,
                detail=refusal,
            )
        )
        await self.report()
        await self.send(len(self.journal.lines))
