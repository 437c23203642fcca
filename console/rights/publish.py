"""Keeps what the controllers have been sent equal to what the database says.

Wanted versus published: on a hint, every minute, and when a paid period begins or ends (or a week,
for open hours), the rights are derived anew; only where they differ from what was published last is
there a new snapshot. So no page can forget to publish, a lost hint heals itself, and a repeated one
does no harm.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo

import structlog

from console.database import Database
from console.errors import BrokerUnavailable, DatabaseUnavailable
from console.link.outbound import Outbound, seal_snapshot
from console.rights import people_queries, queries, snapshot_queries, verdict_queries
from console.rights.derive import Content, content_digest, derive, numbered
from console.rights.facts import Controller
from console.rights.snapshot_queries import LatestVersion
from console.rights.verdict import Verdicts
from console.site_keys import SiteKeys
from sync.errors import TooLarge
from sync.ids import AccountRef, ControllerId, Epoch, Serial
from sync.snapshot import digest, encode_snapshot

log = structlog.get_logger()

DERIVE_SECONDS = 60.0
"""However quiet it is: a hint may have been lost."""
COALESCE_SECONDS = 0.02
"""One change of a page is several statements, each with its hint."""
BACK_OFF_SECONDS_MAX = 30.0
SERIALS_AHEAD_MAX = 1_000_000
"""A controller that claims to be further ahead isn't followed. Source: sync/README.md."""
KEPT_DAYS = 90
PRUNE_SECONDS = 24 * 3600.0
_EPOCH = datetime.fromtimestamp(0, UTC)


def unix_ms() -> int:
    """The clock of the operating system."""
    return time.time_ns() // 1_000_000


class Publisher:
    """Publishes while `run()` runs."""

    def __init__(
        self,
        database: Database,
        keys: SiteKeys,
        outbound: Outbound,
        *,
        zone: tzinfo,
        clock_ms: Callable[[], int] = unix_ms,
    ) -> None:
        """`zone`: in which a door's open hours are meant."""
        self._zone = zone
        self._database = database
        self._keys = keys
        self._outbound = outbound
        self._clock_ms = clock_ms
        self._hinted = asyncio.Event()
        self._sending: defaultdict[ControllerId, asyncio.Lock] = defaultdict(asyncio.Lock)

    def hint(self) -> None:
        """Something may have changed: derive anew, soon."""
        self._hinted.set()

    async def run(self) -> None:
        """Derives and publishes until it is cancelled."""
        failures = 0
        while True:
            self._hinted.clear()
            try:
                next_change_ms = await self.publish_changes()
                failures = 0
            except DatabaseUnavailable as error:
                failures += 1
                log.warning("rights.derivation_postponed", error=str(error), failures=failures)
                await asyncio.sleep(min(BACK_OFF_SECONDS_MAX, 0.25 * 2 ** min(failures, 8)))
                continue
            wait_seconds = DERIVE_SECONDS
            if next_change_ms is not None:
                until_change = (next_change_ms - self._clock_ms()) / 1000
                wait_seconds = min(DERIVE_SECONDS, max(0.0, until_change))
            try:
                async with asyncio.timeout(wait_seconds):
                    await self._hinted.wait()
                await asyncio.sleep(COALESCE_SECONDS)
            except TimeoutError:
                pass

    async def prune(self) -> None:
        """Deletes old snapshots and verdicts once a day, until it is cancelled."""
        while True:
            try:
                async with self._database.writing() as conn:
                    count = await snapshot_queries.prune_snapshots(conn, days=KEPT_DAYS)
                    verdicts = await verdict_queries.prune(conn, days=KEPT_DAYS)
                    await people_queries.index_payments(conn)
                if count or verdicts:
                    log.info("snapshots.pruned", count=count, verdicts=verdicts)
            except DatabaseUnavailable:
                log.info("snapshots.pruning_postponed")
            await asyncio.sleep(PRUNE_SECONDS)

    async def publish_changes(self) -> int | None:
        """Publishes to each controller whose rights have changed.

        Gives the Unix time in ms when something changes by the passing of time alone; None: never.
        Raises: DatabaseUnavailable.
        """
        now_ms = self._clock_ms()
        async with self._database.reading() as conn:
            facts = await queries.facts(conn, now_ms=now_ms)
            versions = await snapshot_queries.versions(conn)
        # Beside the loop: keyed hashes for thousands of cards take a tenth of a second.
        derived = await asyncio.to_thread(derive, facts, now_ms, self._zone)
        digests = await asyncio.to_thread(_digests, facts.controllers, derived.contents)
        for controller, wanted in digests.items():
            version = versions.get(controller)
            if version is not None and is_due(version, wanted, self._keys.keyset.epoch):
                content = derived.contents[controller]
                if await self._number(controller, content, wanted, now_ms):
                    await self._send_if_possible(controller)
        await self._keep_verdicts(derived.verdicts, now_ms)
        return derived.next_change_ms

    async def _keep_verdicts(self, verdicts: Mapping[AccountRef, Verdicts], now_ms: int) -> None:
        """Stores what has changed of why somebody may use a point, or may not.

        After the snapshots: nobody waits for it. If it fails it is made up for the next time.
        """
        wanted = await asyncio.to_thread(verdict_queries.rows, verdicts)
        async with self._database.reading() as conn:
            stored = await verdict_queries.digests(conn)
        changed: dict[AccountRef, verdict_queries.Row | None] = {
            account: row for account, row in wanted.items() if stored.get(account) != row.digest
        }
        changed |= dict.fromkeys(stored.keys() - wanted.keys())
        if changed or not stored:  # where nobody has anything, that is kept, too
            async with self._database.writing() as conn:
                await verdict_queries.store(conn, changed, at=_moment(now_ms))
        if changed:
            log.info("verdicts.kept", count=len(changed))

    async def send_everything(self) -> None:
        """Sends each controller the keyset and its newest snapshot again.

        Raises: BrokerUnavailable. Without a database it does nothing: the next hint comes with it.
        """
        try:
            async with self._database.reading() as conn:
                controllers = await queries.controllers(conn)
            for controller in controllers:
                await self.send(controller.id)
        except DatabaseUnavailable as error:
            log.warning("rights.sending_postponed", error=str(error))

    async def send(self, controller: ControllerId) -> None:
        """Sends the keyset and the newest snapshot.

        Raises: BrokerUnavailable, DatabaseUnavailable.
        """
        # One at a time, each reading what is newest: an older one must not overtake a newer one.
        async with self._sending[controller]:
            async with self._database.reading() as conn:
                newest = await snapshot_queries.latest(conn, controller=controller)
            await self._outbound.keyset(controller)
            if newest is not None:
                await self._outbound.snapshot(controller, newest.envelope)

    async def _send_if_possible(self, controller: ControllerId) -> None:
        try:
            await self.send(controller)
        except BrokerUnavailable as error:
            # It is stored, and sent as soon as there is a connection again.
            log.warning("snapshot.not_sent", controller=controller, error=str(error))

    async def _number(
        self, controller: ControllerId, content: Content, wanted: bytes, now_ms: int
    ) -> bool:
        """Signs the content under the next serial and stores it. False: it may not have one."""
        epoch = self._keys.keyset.epoch
        async with self._database.writing() as conn:
            if not await snapshot_queries.lock_controller(conn, controller=controller):
                return False
            last = (await snapshot_queries.versions(conn, controller=controller))[controller]
            serial = next_serial(last, epoch)
            snapshot = numbered(controller, content, epoch, serial, now_ms, last.digest)
            payload = await asyncio.to_thread(encode_snapshot, snapshot)
            await snapshot_queries.add_snapshot(
                conn,
                controller=controller,
                epoch=epoch,
                serial=serial,
                digest=digest(payload),
                content_digest=wanted,
                made_at=_moment(now_ms),
                envelope=seal_snapshot(self._keys, controller, payload),
            )
        log.info(
            "snapshot.published", controller=controller, serial=serial, cards=len(content.entries)
        )
        return True


def is_due(version: LatestVersion, wanted: bytes, epoch: Epoch) -> bool:
    """Whether a controller is to get a new snapshot, whose content would have the digest `wanted`.

    Also when it has applied one that we don't know: then the database was restored from a backup,
    and everything that we number as before would be refused.
    """
    if version.serial == 0 or version.epoch != epoch or version.content_digest != wanted:
        return True
    reported = _reported_serial(version, epoch)
    if reported == version.serial and version.digest is not None:
        return version.applied_digest != version.digest.hex()
    return reported > version.serial


def next_serial(version: LatestVersion, epoch: Epoch) -> Serial:
    """Above all that were published in this epoch, and above what the controller has applied."""
    published = version.serial if version.epoch == epoch else 0
    return Serial(max(published, _reported_serial(version, epoch)) + 1)


def _reported_serial(version: LatestVersion, epoch: Epoch) -> int:
    """What the controller has applied in this epoch; 0: nothing, or nothing credible."""
    serial = version.applied_serial or 0
    published = version.serial if version.epoch == epoch else 0
    if version.applied_epoch != epoch or serial > published + SERIALS_AHEAD_MAX:
        return 0
    return serial


def _moment(now_ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=now_ms)


def _digests(
    controllers: tuple[Controller, ...], contents: Mapping[ControllerId, Content]
) -> dict[ControllerId, bytes]:
    digests: dict[ControllerId, bytes] = {}
    for controller in controllers:
        try:
            digests[controller.id] = content_digest(controller, contents[controller.id])
        except TooLarge as error:
            log.error("snapshot.too_large", controller=controller.id, error=str(error))
    return digests
