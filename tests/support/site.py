"""A site with its keys: what the console's parts between database and controllers need."""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, LiteralString

import pytest

from console.controllers.enrol import enrol
from console.database import Connection, Database
from console.link.broker_url import parse_broker_url
from console.link.outbound import Outbound
from console.rights.facts import Controller
from console.rights.publish import Publisher, unix_ms
from console.site_keys import SiteKeys, create_site_keys
from sync.bundle import Bundle, decode_bundle
from sync.credential import entry
from sync.envelope import Kind, open_
from sync.ids import ControllerId, SiteDigest
from sync.snapshot import Snapshot, decode_snapshot
from tests.support import makerspace


def new_site_keys(folder: Path) -> SiteKeys:
    """Fresh keys, which belong to no database yet."""
    now_ms = int(datetime.now(UTC).timestamp() * 1000)
    return create_site_keys(folder, now_ms=now_ms, notice=lambda _: None)


async def enrolled(
    database: Database,
    keys: SiteKeys,
    folder: Path,
    *,
    name: str = "front-pi",
    broker_url: str = "mqtt://127.0.0.1:1883",
    replace: bool = False,
) -> Bundle:
    """Enrols a controller; gives what its bundle says."""
    out = folder / f"{name}-{secrets.token_hex(4)}.json"
    await enrol(
        database,
        keys,
        controller=ControllerId(name),
        broker=parse_broker_url(broker_url),
        prefix="p2k16",
        out=out,
        replace=replace,
    )
    return decode_bundle(await asyncio.to_thread(out.read_bytes))


def as_facts(bundle: Bundle) -> Controller:
    """The controller as the rights and the ingest know it."""
    return Controller(bundle.controller, bundle.entry_key)


@dataclass
class SentMessages:
    """A broker that only remembers what was published."""

    messages: list[tuple[str, bytes, bool]] = field(default_factory=list[tuple[str, bytes, bool]])

    async def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, qos: int = 1
    ) -> None:
        assert qos == 1
        self.messages.append((topic, payload, retain))


CONTROLLER = ControllerId("front-pi")
DIGEST = b"\x07" * 16


@dataclass
class RightsSite:
    """Kari pays, is in circle door, and has a card; the door has an enrolled controller."""

    database: Database
    connection: Connection
    keys: SiteKeys
    bundle: Bundle
    kari: int
    broker: SentMessages = field(default_factory=SentMessages)

    def publisher(self, clock_ms: Callable[[], int] = unix_ms) -> Publisher:
        outbound = Outbound(self.broker, "p2k16", self.keys)
        return Publisher(self.database, self.keys, outbound, zone=UTC, clock_ms=clock_ms)

    def snapshots(self) -> list[Snapshot]:
        """What was sent to the controller, verified."""
        key = self.keys.keyset.snapshot_key
        return [
            decode_snapshot(open_(data, Kind.SNAPSHOT, CONTROLLER, public_key=key), CONTROLLER)
            for topic, data, retained in self.broker.messages
            if topic.endswith("/down/snapshot") and retained
        ]

    def lets_kari_in(self) -> bool:
        """Whether the newest snapshot has Kari's card."""
        newest = self.snapshots()[-1]
        return entry(self.bundle.entry_key, SiteDigest(DIGEST)) in newest.entries

    async def change(self, statement: LiteralString, *values: object) -> None:
        await self.connection.execute(statement, values)

    async def rows(self, statement: LiteralString) -> list[tuple[Any, ...]]:
        return await (await self.connection.execute(statement)).fetchall()


@pytest.fixture
async def rights_site(database: Database, connection: Connection, tmp_path: Path) -> RightsSite:
    keys = new_site_keys(tmp_path)
    bundle = await enrolled(database, keys, tmp_path)
    await makerspace.door(connection)
    kari = await makerspace.account(connection, username="kari")
    await makerspace.circle_member(connection, account=kari)
    await makerspace.payment(connection, account=kari)
    await makerspace.card(connection, account=kari, site_digest=DIGEST)
    return RightsSite(database, connection, keys, bundle, kari)
