"""The rights in force: one immutable value, and the two slots on disk that it is read from.

A new snapshot is written into the inactive slot; slot, floor and time of application change in one
transaction; only then does the value change, whole, so that a tap sees entirely old or entirely new
rights. Each slot keeps the envelope as it was received and is verified again at every start, up to
the root key. Whether a snapshot may be applied is decided in edge/accept.py.
"""

import asyncio
import sqlite3
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import structlog

from edge.accept import Offer, judge_snapshot
from edge.journal import Journal
from edge.store import Store
from edge.together import whole
from sync.envelope import Kind, open_
from sync.errors import BadSignature, RolledBack, WireError
from sync.events import EventKind, Occurrence
from sync.ids import ControllerId, Entry, Epoch, PointKey, Serial
from sync.keyset import Keyset, check_successor, decode_keyset
from sync.messages import NO_VERSION, Version
from sync.rights import Point, Right
from sync.snapshot import decode_snapshot, digest

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Rights:
    """What one snapshot says. Never changed, only replaced."""

    version: Version
    points: Mapping[PointKey, Point] = field(repr=False)
    entries: Mapping[Entry, Right] = field(repr=False)


NO_RIGHTS = Rights(NO_VERSION, {}, {})
"""Before the first snapshot, and when none on disk can be believed: everybody is denied."""


@dataclass(frozen=True, slots=True)
class Trust:
    """Who this controller is, and whose word it takes."""

    controller: ControllerId
    root_public_key: bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """What the store holds: epochs and envelopes. The active slot, and the newest keyset, first."""

    floor: Version
    slots: tuple[tuple[Epoch, bytes], ...]
    keysets: tuple[tuple[Epoch, bytes], ...]


@dataclass(frozen=True, slots=True)
class Believed:
    """What of it could be verified. `keyset_floor`: no keyset of an older epoch is ever taken."""

    keyset: Keyset | None
    keyset_floor: Epoch
    floor: Version
    rights: Rights


class RightsCache:
    """Built by `open_rights_cache`."""

    def __init__(
        self,
        store: Store,
        journal: Journal,
        trust: Trust,
        believed: Believed,
        *,
        decoder: ThreadPoolExecutor,
    ) -> None:
        """`decoder`: a thread, but not the store's: no tap shall wait for a large snapshot."""
        self._store = store
        self._journal = journal
        self._trust = trust
        self._keyset = believed.keyset
        self._keyset_floor = believed.keyset_floor
        self._floor = believed.floor
        self._active = believed.rights
        self._decoder = decoder
        self._offering = asyncio.Lock()

    def active(self) -> Rights:
        """The rights in force now."""
        return self._active

    @property
    def are_lost(self) -> bool:
        """Whether rights were in force once, and none of what is on disk can be believed."""
        return self._active is NO_RIGHTS and self._floor != NO_VERSION

    @property
    def keyset(self) -> Keyset | None:
        """The online keys; None before the first ones came."""
        return self._keyset

    async def offer_keyset(self, envelope: bytes, *, now_ms: int) -> bool:
        """Takes a keyset over if it may follow the present one; True: there are new keys now.

        Raises: WireError, StorageFault.
        """
        offered = _open_keyset(envelope, self._trust)
        check_successor(self._keyset, offered, now_ms=now_ms)
        if offered.epoch < self._keyset_floor:
            raise RolledBack(f"keyset epoch {offered.epoch} is older than {self._keyset_floor}")
        if offered == self._keyset:
            return False

        def work(connection: sqlite3.Connection) -> None:
            # Those of the slots stay: the slots are verified with them at the next start.
            connection.execute("DELETE FROM keyset WHERE epoch NOT IN (SELECT epoch FROM slot)")
            connection.execute(
                "INSERT OR REPLACE INTO keyset (epoch, envelope) VALUES (?, ?)",
                (offered.epoch, envelope),
            )

        await self._store.write(work)
        self._keyset, self._keyset_floor = offered, offered.epoch
        log.info("keyset.accepted", epoch=offered.epoch)
        return True

    async def offer_snapshot(self, envelope: bytes, *, now_ms: int) -> Offer:
        """Applies a snapshot if it may be. Raises: WireError, StorageFault.

        One after the other, and each of them to its end, also when the connection that brought it
        breaks meanwhile: memory and disk must not part.
        """
        return await whole(self._offer_snapshot(envelope, now_ms))

    async def _offer_snapshot(self, envelope: bytes, now_ms: int) -> Offer:
        async with self._offering:
            return await self._judge_snapshot(envelope, now_ms)

    async def _judge_snapshot(self, envelope: bytes, now_ms: int) -> Offer:
        keyset = self._keyset
        if keyset is None:
            raise BadSignature("there is no keyset yet that could verify the snapshot")
        offered = await asyncio.get_running_loop().run_in_executor(
            self._decoder, _open_snapshot, envelope, self._trust, keyset
        )
        offer = judge_snapshot(
            floor=self._floor,
            active=self._active.version,
            offered=offered.version,
            epoch=keyset.epoch,
        )
        if offer is Offer.APPLY:
            await self._apply(offered, envelope, now_ms)
        return offer

    async def _apply(self, rights: Rights, envelope: bytes, now_ms: int) -> None:
        version = rights.version

        def swap(connection: sqlite3.Connection) -> None:
            active, *floor = connection.execute(
                "SELECT active_slot, floor_epoch, floor_serial FROM state"
            ).fetchone()
            if [version.epoch, version.serial] < floor:
                # A commit that was answered with an error may be there all the same.
                raise RolledBack(f"serial {version.serial}: the disk has a newer one")
            inactive = "b" if active == "a" else "a"
            connection.execute(
                "INSERT OR REPLACE INTO slot (name, epoch, serial, digest, envelope)"
                " VALUES (?, ?, ?, ?, ?)",
                (inactive, version.epoch, version.serial, version.digest, envelope),
            )
            connection.execute(
                "UPDATE state SET active_slot = ?, floor_epoch = ?, floor_serial = ?,"
                " floor_digest = ?, applied_ms = ?",
                (inactive, version.epoch, version.serial, version.digest, now_ms),
            )

        await self._journal.append(
            Occurrence(EventKind.SNAPSHOT_APPLIED, epoch=version.epoch, serial=version.serial),
            alongside=swap,
        )
        self._floor, self._active = version, rights
        log.info(
            "snapshot.applied",
            epoch=version.epoch,
            serial=version.serial,
            entries=len(rights.entries),
        )


async def open_rights_cache(
    store: Store, journal: Journal, trust: Trust, *, decoder: ThreadPoolExecutor
) -> RightsCache:
    """The cache with what the store holds and can be believed. Raises: StorageFault."""
    kept = await store.read(_kept)
    believed = await asyncio.get_running_loop().run_in_executor(decoder, _believe, kept, trust)
    return RightsCache(store, journal, trust, believed, decoder=decoder)


def _kept(connection: sqlite3.Connection) -> Kept:
    active, epoch, serial, floor_digest = connection.execute(
        "SELECT active_slot, floor_epoch, floor_serial, floor_digest FROM state"
    ).fetchone()
    slots = connection.execute(
        "SELECT epoch, envelope FROM slot ORDER BY name IS NOT ?", (active,)
    ).fetchall()
    keysets = connection.execute("SELECT epoch, envelope FROM keyset ORDER BY epoch DESC")
    return Kept(Version(Epoch(epoch), Serial(serial), floor_digest), tuple(slots), tuple(keysets))


def _believe(kept: Kept, trust: Trust) -> Believed:
    """Verifies everything again: an SD card can lose bits, and a file be put in another's place.

    A slot below the floor is never used, even if nothing else is left: it may let somebody in whose
    right was taken away.
    """
    keysets: dict[Epoch, Keyset] = {}
    for epoch, envelope in kept.keysets:
        try:
            keysets[epoch] = _open_keyset(envelope, trust)
        except WireError as error:
            log.error("keyset.found_damaged", epoch=epoch, reason=error.name, error=str(error))
    keyset_floor = max((epoch for epoch, _ in kept.keysets), default=Epoch(0))
    keyset = keysets.get(keyset_floor)
    for epoch, envelope in kept.slots:
        try:
            if epoch not in keysets:
                raise BadSignature(f"the keyset of epoch {epoch} is missing")
            rights = _open_snapshot(envelope, trust, keysets[epoch])
            if rights.version != kept.floor:
                raise RolledBack("the slot doesn't hold what was applied last")
        except WireError as error:
            log.error("slot.found_damaged", reason=error.name, error=str(error))
        else:
            return Believed(keyset, keyset_floor, kept.floor, rights)
    return Believed(keyset, keyset_floor, kept.floor, NO_RIGHTS)


def _open_keyset(envelope: bytes, trust: Trust) -> Keyset:
    payload = open_(envelope, Kind.KEYSET, trust.controller, public_key=trust.root_public_key)
    return decode_keyset(payload)


def _open_snapshot(envelope: bytes, trust: Trust, keyset: Keyset) -> Rights:
    payload = open_(envelope, Kind.SNAPSHOT, trust.controller, public_key=keyset.snapshot_key)
    snapshot = decode_snapshot(payload, trust.controller)
    version = Version(snapshot.epoch, snapshot.serial, digest(payload))
    return Rights(version, snapshot.points, snapshot.entries)
