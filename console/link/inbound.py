"""Everything that controllers say to the console: who says it, whether to believe it, what follows.

A message is believed if it is signed with the key of the controller that its topic names. One that
isn't, and every message of a controller that is unknown, not enrolled or in quarantine, is dropped
with a line in the log. A message that gets lost here is sent again, or replaced by a newer one.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Protocol

import psycopg
import structlog
from msgspec import Struct

from console.controllers import queries as controllers
from console.controllers.reports import take_in
from console.database import Database
from console.errors import BrokerUnavailable, DatabaseUnavailable
from console.events import journal_queries
from console.events.ingest import Forked, Ingester, Stored, TooManyJournals
from console.events.storing import CommandResult
from console.link.outbound import Outbound
from console.rights import snapshot_queries as snapshots
from console.rights.facts import Controller
from console.rights.publish import Publisher
from sync.envelope import CONSOLE, Kind, open_
from sync.errors import WireError
from sync.events import decode_batch
from sync.ids import ControllerId, Epoch, JournalId, Nonce, Serial
from sync.messages import Ack, Beacon, Report, Version, decode_hello, decode_report, decode_request
from sync.topics import Leaf, parse

log = structlog.get_logger()

REQUEST_PAUSE = timedelta(seconds=1)
"""Between two answers to a controller's requests; one that behaves asks every 10 s at most."""

KINDS = {
    Leaf.HELLO: Kind.HELLO,
    Leaf.EVENTS: Kind.EVENTS,
    Leaf.REPORT: Kind.REPORT,
    Leaf.REQUEST: Kind.REQUEST,
}


class Waiting(Protocol):
    """Who waits for controllers' answers: `console.controllers.orders.Orders`."""

    def reported(self, controller: ControllerId, report: Report) -> None:
        """A controller's newest report."""
        ...

    def answered(self, result: CommandResult) -> None:
        """What became of a command."""
        ...


class _Sender(Struct, frozen=True):
    controller: Controller
    public_key: bytes


class Inbound:
    """Hears messages one after the other; `hear` is the link's `on_message`."""

    def __init__(
        self,
        database: Database,
        outbound: Outbound,
        *,
        prefix: str,
        ingester: Ingester,
        publisher: Publisher,
        waiting: Waiting,
        now: Callable[[], datetime],
    ) -> None:
        """`prefix` starts every topic; `now`: the present moment, aware."""
        self._database = database
        self._outbound = outbound
        self._prefix = prefix
        self._ingester = ingester
        self._publisher = publisher
        self._waiting = waiting
        self._now = now
        self._asked_at: dict[ControllerId, datetime] = {}

    async def hear(self, topic: str, data: bytes, is_retained: bool) -> None:
        """Takes one message in. Never raises for what the message or its sender is."""
        found = parse(self._prefix, topic)
        if found is None or found.leaf not in KINDS:
            return
        if is_retained:
            log.warning("message.refused", controller=found.controller, reason="retained")
            return
        try:
            sender = await self._sender(found.controller)
            if sender is None:
                return
            kind = KINDS[found.leaf]
            payload = open_(data, kind, CONSOLE, public_key=sender.public_key)
            with suppress(BrokerUnavailable):
                await self._obey(sender.controller, kind, payload)
        except WireError as error:
            log.warning(
                "message.refused",
                controller=found.controller,
                leaf=found.leaf.value,
                reason=error.name,
                text=str(error),
            )
        except DatabaseUnavailable:
            log.warning("message.postponed", controller=found.controller, leaf=found.leaf.value)
        except psycopg.OperationalError as error:
            # A lock or a time limit: the controller sends it again.
            log.warning(
                "message.postponed", controller=found.controller, error=type(error).__name__
            )

    async def _sender(self, controller: ControllerId) -> _Sender | None:
        async with self._database.reading() as conn:
            row = await controllers.controller(conn, controller=controller)
        if row is None or row.public_key is None or row.entry_key is None:
            reason = "unknown" if row is None else "not enrolled"
        elif row.quarantined_at is not None:
            reason = "in quarantine"
        else:
            return _Sender(Controller(controller, row.entry_key), row.public_key)
        log.warning("message.ignored", controller=controller, reason=reason)
        return None

    async def _obey(self, controller: Controller, kind: Kind, payload: bytes) -> None:
        match kind:
            case Kind.EVENTS:
                await self._events(controller, payload)
            case Kind.REPORT:
                await self._report(controller.id, decode_report(payload))
            case Kind.HELLO:
                hello = decode_hello(payload)
                log.info("controller.hello", controller=controller.id, software=hello.software)
                # First the keys: without them it can't verify what follows.
                await self._bring_up_to_date(controller.id, hello.applied)
                await self._beacon(controller.id, hello.nonce)
                await self._acknowledge_again(controller.id, hello.journal)
            case Kind.REQUEST:
                decode_request(payload)
                await self._send_again(controller.id)
            case _:
                raise AssertionError(f"nobody hears {kind}")

    async def _send_again(self, controller: ControllerId) -> None:
        """A snapshot may be megabytes, so not for each of many requests."""
        now = self._now()
        asked_at = self._asked_at.get(controller)
        if asked_at is None or now - asked_at >= REQUEST_PAUSE:
            self._asked_at[controller] = now
            await self._publisher.send(controller)

    async def _events(self, controller: Controller, payload: bytes) -> None:
        batch = decode_batch(payload)
        match await self._ingester.ingest(controller, batch):
            case Stored(acknowledged, new, results):
                for result in results:
                    self._waiting.answered(result)
                if new:
                    log.info("events.stored", controller=controller.id, new=new, seq=acknowledged)
                await self._outbound.acknowledgement(
                    controller.id, Ack(batch.journal, acknowledged)
                )
            case TooManyJournals():
                log.error("journal.refused", controller=controller.id)
            case Forked():
                pass  # logged where it was found; there is nothing to say to it

    async def _report(self, controller: ControllerId, report: Report) -> None:
        async with self._database.writing() as conn:
            taken = await take_in(conn, controller, report, at=self._now())
        if not taken.is_news:
            log.warning("report.replayed", controller=controller)
            return
        self._waiting.reported(controller, report)
        newest = await self._beacon(controller, report.nonce)
        if taken.is_change and _is_ahead(report.applied, newest):
            # It has applied what we never published: the database was restored from a backup.
            self._publisher.hint()

    async def _beacon(self, controller: ControllerId, nonce: Nonce) -> Version:
        async with self._database.reading() as conn:
            version = (await snapshots.versions(conn, controller=controller)).get(controller)
        newest = Version(
            Epoch(version.epoch if version else 0),
            Serial(version.serial if version else 0),
            version.digest if version else None,
        )
        time_ms = int(self._now().astimezone(UTC).timestamp() * 1000)
        await self._outbound.beacon(controller, Beacon(nonce, time_ms, newest.epoch, newest.serial))
        return newest

    async def _acknowledge_again(self, controller: ControllerId, journal: JournalId) -> None:
        """Says where the journal goes on; the last acknowledgement may have got lost."""
        async with self._database.reading() as conn:
            seq = await journal_queries.acknowledged(conn, controller=controller, journal=journal)
        if seq is not None:
            await self._outbound.acknowledgement(controller, Ack(journal, seq))

    async def _bring_up_to_date(self, controller: ControllerId, applied: Version) -> None:
        """The broker retains the snapshot, but may have forgotten it."""
        async with self._database.reading() as conn:
            newest = await snapshots.latest(conn, controller=controller)
        if newest is None or newest.digest != applied.digest:
            await self._publisher.send(controller)


def _is_ahead(applied: Version, newest: Version) -> bool:
    return (applied.epoch, applied.serial) >= (newest.epoch, newest.serial) and (
        applied.digest != newest.digest
    )
