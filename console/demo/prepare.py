"""Makes the makerspace in a fresh database, before the console starts.

Decides the order: members, keys, controllers with a door or a tool, cards, and then the month that
has passed. Everything that a command of the console can do is done by that command's own functions.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec import Struct, field

from console.controllers.enrol import enrol
from console.database import Database
from console.demo import queries
from console.demo.history import Sent, batches, milliseconds
from console.demo.makerspace import Door, Person, Tool
from console.demo.month import DAYS, month_of_taps
from console.demo.queries import CardRow
from console.demo.seed import BOSS, card_rows, seed_members
from console.doors import queries as door_queries
from console.events.ingest import Ingester
from console.link.broker_url import BrokerUrl
from console.link.outbound import Outbound
from console.rights.facts import Controller
from console.rights.publish import Publisher
from console.site_keys import SiteKeys
from console.tools.attaching import Attachment, attach_tool
from sync.bundle import Bundle, decode_bundle
from sync.envelope import CONSOLE, Kind, open_
from sync.events import decode_batch
from sync.ids import ControllerId
from sync.signing import public_key
from sync.snapshot import Snapshot, decode_snapshot


class Premises(Struct, frozen=True):
    """The empty console that is to be filled. `now`: in the zone of the space."""

    database: Database
    keys: SiteKeys
    prefix: str
    now: datetime = field(default_factory=lambda: datetime.now().astimezone())


async def make_members(
    premises: Premises, people: Sequence[Person], *, password_hash: str
) -> list[CardRow]:
    """Accounts, circles, payments, companies, cards; gives the cards."""
    cards = await asyncio.to_thread(card_rows, people, premises.keys.site_salt, premises.now)
    async with premises.database.writing() as conn:
        await seed_members(conn, people, password_hash=password_hash, now=premises.now)
        await queries.insert_cards(conn, rows=cards, by=BOSS)
    return cards


async def make_point(
    premises: Premises, point: Door | Tool, *, broker_port: int, bundle: Path
) -> None:
    """A controller with its door or tool. `broker_port`: on this machine, as it finds it."""
    broker = BrokerUrl(host="127.0.0.1", port=broker_port, tls=False)
    await enrol(
        premises.database,
        premises.keys,
        controller=point.controller,
        broker=broker,
        prefix=premises.prefix,
        out=bundle,
    )
    match point:
        case Door():
            await _hang(premises, point)
        case Tool():
            async with premises.database.writing() as conn:
                await queries.insert_tool(conn, name=point.name, circle=point.circle)
            attachment = Attachment(point.name, point.key, point.controller)
            await attach_tool(premises.database, attachment)


async def _hang(premises: Premises, door: Door) -> None:
    async with premises.database.writing() as conn:
        circles = await door_queries.circle_ids(conn, names=door.circles)
        await door_queries.add_door(
            conn,
            key=door.key,
            name=door.name,
            controller=door.controller,
            open_seconds=door.open_seconds,
            circles=circles.values(),
        )


async def make_history(
    premises: Premises, people: Sequence[Person], cards: Sequence[CardRow], bundles: Sequence[bytes]
) -> None:
    """The taps of the last month, each controller's in a journal of its own.

    Verified and stored as everything that a controller sends; decided on what it had been sent.
    """
    since = premises.now - timedelta(days=DAYS + 1)
    await _publish_month(premises, cards, since)
    controllers = [decode_bundle(bundle) for bundle in bundles]
    rights = await _rights_sent(premises)
    taps = month_of_taps(people, premises.now)
    sent = await asyncio.to_thread(
        lambda: [
            one
            for bundle in controllers
            for one in batches(bundle, taps, rights[bundle.controller], cards, since)
        ]
    )
    by_name = {bundle.controller: bundle for bundle in controllers}
    for one in sorted(sent, key=lambda one: one.at):
        await _take_in(premises, by_name[one.controller], one)


async def _publish_month(premises: Premises, cards: Sequence[CardRow], since: datetime) -> None:
    """What the console published day by day, and as soon as a card was lost."""
    days = [since + timedelta(days=day) for day in range((premises.now - since).days + 1)]
    losses = [row.lost_at for row in cards if row.lost_at is not None and row.lost_at > since]
    at = since
    publisher = Publisher(
        premises.database,
        premises.keys,
        Outbound(_NobodyThere(), premises.prefix, premises.keys),
        zone=UTC,
        clock_ms=lambda: milliseconds(at),
    )
    for at in sorted([*days, *losses, premises.now]):
        async with premises.database.writing() as conn:
            await queries.as_lost_by(conn, rows=cards, at=at)
        await publisher.publish_changes()


async def _rights_sent(premises: Premises) -> Mapping[ControllerId, Sequence[Snapshot]]:
    async with premises.database.reading() as conn:
        stored = await queries.snapshots(conn)
    found = defaultdict[ControllerId, list[Snapshot]](list)
    for name, envelope in stored:
        controller, key = ControllerId(name), public_key(premises.keys.snapshot_seed)
        payload = open_(envelope, Kind.SNAPSHOT, controller, public_key=key)
        found[controller].append(decode_snapshot(payload, controller))
    return found


class _NobodyThere:
    """The way to controllers that are not switched on yet: they get the newest when they are."""

    async def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, qos: int = 1
    ) -> None:
        """Takes it, as a broker would."""


async def _take_in(premises: Premises, bundle: Bundle, sent: Sent) -> None:
    key = public_key(bundle.private_key)
    batch = decode_batch(open_(sent.envelope, Kind.EVENTS, CONSOLE, public_key=key))
    ingester = Ingester(premises.database, premises.keys, now=lambda: sent.at)
    await ingester.ingest(Controller(bundle.controller, bundle.entry_key), batch)
