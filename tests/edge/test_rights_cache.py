"""The rights in force: swapped whole, never rolled back, verified again at every start."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from edge.accept import Offer
from edge.clock import Timekeeper
from edge.errors import StorageFault
from edge.journal import open_journal
from edge.provision import provision
from edge.rights_cache import NO_RIGHTS, RightsCache, Trust, open_rights_cache
from edge.store import Store, open_store
from sync.errors import (
    BadSignature,
    Malformed,
    RolledBack,
    Stale,
    TooLarge,
    UnknownKind,
    WireError,
    WrongAudience,
)
from sync.ids import BootId, ControllerId
from sync.messages import NO_VERSION
from sync.signing import public_key
from tests.support.signer import FRONT_PI, KARIS_CARD, OLAS_CARD, OWNER, Signer
from tests.support.waiting import eventually

T = 1_790_000_000_000
SIGNER = Signer()


@asynccontextmanager
async def cache_in(folder: Path) -> AsyncGenerator[tuple[RightsCache, Store]]:
    provision(folder, OWNER)
    store, _ = await open_store(folder, OWNER)
    with ThreadPoolExecutor(1) as decoder:
        journal = await open_journal(store, Timekeeper(BootId("cd" * 16)), FRONT_PI)
        trust = Trust(FRONT_PI, public_key(SIGNER.root_seed))
        try:
            yield await open_rights_cache(store, journal, trust, decoder=decoder), store
        finally:
            await store.close()


@pytest.fixture
async def cache(tmp_path: Path) -> AsyncGenerator[RightsCache]:
    """With the first keyset."""
    async with cache_in(tmp_path) as (cache, _):
        await cache.offer_keyset(SIGNER.keyset(), now_ms=T)
        yield cache


async def offer(cache: RightsCache, envelope: bytes) -> Offer:
    return await cache.offer_snapshot(envelope, now_ms=T)


def serial(cache: RightsCache) -> int:
    return cache.active().version.serial


async def test_before_the_first_snapshot_there_are_no_rights(cache: RightsCache) -> None:
    assert cache.active() is NO_RIGHTS
    assert cache.active().version == NO_VERSION


async def test_a_snapshot_is_applied_whole_and_recorded(cache: RightsCache) -> None:
    before = cache.active()
    assert await offer(cache, SIGNER.snapshot(1)) is Offer.APPLY
    after = cache.active()
    assert SIGNER.entry(KARIS_CARD) in after.entries
    assert before.entries == {}
    assert await offer(cache, SIGNER.snapshot(2, {})) is Offer.APPLY
    assert SIGNER.entry(KARIS_CARD) in after.entries, "a tap under way sees the old rights whole"
    assert cache.active().entries == {}


async def test_what_was_applied_is_in_force_after_a_restart_and_so_is_the_floor(
    tmp_path: Path,
) -> None:
    async with cache_in(tmp_path) as (cache, _):
        await cache.offer_keyset(SIGNER.keyset(), now_ms=T)
        for number in (1, 2, 3):
            await offer(cache, SIGNER.snapshot(number))
        before = cache.active()
    for _ in range(2):
        async with cache_in(tmp_path) as (cache, _store):
            assert cache.active() == before
            assert await offer(cache, SIGNER.snapshot(3)) is Offer.ALREADY_APPLIED
            for rolled_back in (SIGNER.snapshot(2), SIGNER.snapshot(3, {})):
                with pytest.raises(RolledBack):
                    await offer(cache, rolled_back)
            assert cache.active() == before


def flipped(envelope: bytes, at: int) -> bytes:
    return envelope[:at] + bytes([envelope[at] ^ 1]) + envelope[at + 1 :]


FOREIGN = replace(SIGNER, controller=ControllerId("back-pi"))
STRANGER = replace(SIGNER, snapshot_seed=b"\x09" * 32)

REFUSED: dict[str, tuple[type[WireError], Callable[[], bytes]]] = {
    "older": (RolledBack, lambda: SIGNER.snapshot(4)),
    "same serial, other rights": (RolledBack, lambda: SIGNER.snapshot(5, {})),
    "far ahead": (RolledBack, lambda: SIGNER.snapshot(1_000_006)),
    "altered": (BadSignature, lambda: flipped(SIGNER.snapshot(6), 200)),
    "unsigned": (BadSignature, lambda: SIGNER.snapshot(6)[:-64] + bytes(64)),
    "signed by a stranger": (BadSignature, lambda: STRANGER.snapshot(6)),
    "signed by the beacon key": (
        BadSignature,
        lambda: replace(SIGNER, snapshot_seed=SIGNER.beacon_seed).snapshot(6),
    ),
    "for another controller": (WrongAudience, lambda: FOREIGN.snapshot(6)),
    "of an epoch to come": (
        RolledBack,
        lambda: replace(SIGNER, epoch=type(SIGNER.epoch)(2)).snapshot(6),
    ),
    "oversized": (TooLarge, lambda: SIGNER.snapshot(6) + bytes(5 * 1024 * 1024)),
    "cut off": (Malformed, lambda: SIGNER.snapshot(6)[:-1]),
    "no envelope": (Malformed, lambda: b"\x00" * 100),
    "another kind": (UnknownKind, SIGNER.keyset),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_what_must_not_be_believed_is_refused_also_after_a_restart(
    what: str, tmp_path: Path
) -> None:
    error, make = REFUSED[what]
    async with cache_in(tmp_path) as (cache, _):
        await cache.offer_keyset(SIGNER.keyset(), now_ms=T)
        await offer(cache, SIGNER.snapshot(5))
        before = cache.active()
        with pytest.raises(error):
            await offer(cache, make())
        assert cache.active() is before
    async with cache_in(tmp_path) as (cache, _):
        assert cache.active() == before
        with pytest.raises(error):
            await offer(cache, make())
        assert cache.active() == before


async def test_without_a_keyset_no_snapshot_is_believed(tmp_path: Path) -> None:
    async with cache_in(tmp_path) as (cache, _):
        with pytest.raises(BadSignature):
            await offer(cache, SIGNER.snapshot(1))


async def test_a_keyset_delivered_again_changes_nothing(cache: RightsCache) -> None:
    before = cache.keyset
    assert not await cache.offer_keyset(SIGNER.keyset(), now_ms=T)
    assert cache.keyset is before


async def test_new_keys_leave_the_rights_in_force_and_refuse_snapshots_of_the_old_ones(
    tmp_path: Path,
) -> None:
    rotated = SIGNER.rotated()
    async with cache_in(tmp_path) as (cache, _):
        await cache.offer_keyset(SIGNER.keyset(), now_ms=T)
        await offer(cache, SIGNER.snapshot(5))
        assert await cache.offer_keyset(rotated.keyset(), now_ms=T)
        with pytest.raises(BadSignature):
            await offer(cache, SIGNER.snapshot(6))
    async with cache_in(tmp_path) as (cache, _):
        assert serial(cache) == 5, "verified with the keys that it came with"
        with pytest.raises(RolledBack):
            await cache.offer_keyset(SIGNER.keyset(), now_ms=T)
        assert await offer(cache, rotated.snapshot(1)) is Offer.APPLY
    async with cache_in(tmp_path) as (cache, store):
        assert (cache.active().version.epoch, serial(cache)) == (2, 1)
        assert await store.read(lambda c: c.execute("SELECT count(*) FROM keyset").fetchone()) <= (
            2,
        )


@pytest.mark.parametrize(
    ("error", "envelope"),
    [
        (BadSignature, replace(SIGNER, root_seed=b"\x08" * 32).rotated().keyset()),
        (WrongAudience, FOREIGN.rotated().keyset()),
        (RolledBack, replace(SIGNER, beacon_seed=b"\x08" * 32).keyset()),
        (Stale, SIGNER.rotated().keyset(not_after_ms=T - 1)),
    ],
)
async def test_a_keyset_that_must_not_be_believed_is_refused(
    error: type[WireError], envelope: bytes, cache: RightsCache
) -> None:
    with pytest.raises(error):
        await cache.offer_keyset(envelope, now_ms=T)
    assert cache.keyset is not None
    assert cache.keyset.epoch == 1


async def damaged(folder: Path, statement: str) -> None:
    connection = sqlite3.connect(folder / "edge.sqlite")
    connection.execute(statement)
    connection.commit()
    connection.close()


async def test_a_damaged_slot_denies_everybody_until_its_snapshot_comes_again(
    tmp_path: Path,
) -> None:
    async with cache_in(tmp_path) as (cache, _):
        await cache.offer_keyset(SIGNER.keyset(), now_ms=T)
        await offer(cache, SIGNER.snapshot(1, {SIGNER.entry(OLAS_CARD): SIGNER.right()}))
        await offer(cache, SIGNER.snapshot(2))
    await damaged(tmp_path, "UPDATE slot SET envelope = zeroblob(300) WHERE serial = 2")
    async with cache_in(tmp_path) as (cache, _):
        assert cache.active() is NO_RIGHTS, "the older slot would let Ola in again"
        with pytest.raises(RolledBack):
            await offer(cache, SIGNER.snapshot(1, {SIGNER.entry(OLAS_CARD): SIGNER.right()}))
        assert await offer(cache, SIGNER.snapshot(2)) is Offer.APPLY
        assert serial(cache) == 2
    async with cache_in(tmp_path) as (cache, _):
        assert serial(cache) == 2


async def test_the_other_slot_serves_if_it_holds_the_same_snapshot(tmp_path: Path) -> None:
    await test_a_damaged_slot_denies_everybody_until_its_snapshot_comes_again(tmp_path)
    await damaged(tmp_path, "UPDATE slot SET envelope = x'00' WHERE name = 'b'")
    async with cache_in(tmp_path) as (cache, _):
        assert serial(cache) == 2


async def test_a_slot_put_back_by_hand_is_refused(tmp_path: Path) -> None:
    async with cache_in(tmp_path) as (cache, _):
        await cache.offer_keyset(SIGNER.keyset(), now_ms=T)
        await offer(cache, SIGNER.snapshot(1))
        await offer(cache, SIGNER.snapshot(2, {}))
    await damaged(tmp_path, "UPDATE state SET active_slot = 'a'")
    async with cache_in(tmp_path) as (cache, _):
        assert serial(cache) == 2
    await damaged(tmp_path, "DELETE FROM slot WHERE serial = 2")
    async with cache_in(tmp_path) as (cache, _):
        assert cache.active() is NO_RIGHTS


async def test_a_damaged_keyset_is_replaced_by_its_like_and_by_no_older_one(tmp_path: Path) -> None:
    rotated = SIGNER.rotated()
    async with cache_in(tmp_path) as (cache, _):
        await cache.offer_keyset(SIGNER.keyset(), now_ms=T)
        await offer(cache, SIGNER.snapshot(1))
        await cache.offer_keyset(rotated.keyset(), now_ms=T)
    await damaged(tmp_path, "UPDATE keyset SET envelope = x'00' WHERE epoch = 2")
    async with cache_in(tmp_path) as (cache, _):
        assert cache.keyset is None
        with pytest.raises(RolledBack):
            await cache.offer_keyset(SIGNER.keyset(), now_ms=T)
        assert await cache.offer_keyset(rotated.keyset(), now_ms=T)


async def test_what_can_not_be_stored_is_not_applied(tmp_path: Path) -> None:
    async with cache_in(tmp_path) as (cache, store):
        await cache.offer_keyset(SIGNER.keyset(), now_ms=T)
        await store.write(lambda c: c.execute("ALTER TABLE slot RENAME TO elsewhere"))
        with pytest.raises(StorageFault):
            await offer(cache, SIGNER.snapshot(1))
        assert cache.active() is NO_RIGHTS
        await store.write(lambda c: c.execute("ALTER TABLE elsewhere RENAME TO slot"))
        assert await offer(cache, SIGNER.snapshot(1)) is Offer.APPLY


async def test_rights_come_into_force_also_when_the_connection_that_brought_them_breaks(
    tmp_path: Path,
) -> None:
    async with cache_in(tmp_path) as (cache, store):
        await cache.offer_keyset(SIGNER.keyset(), now_ms=T)
        may_go_on = threading.Event()
        busy = asyncio.ensure_future(store.write(lambda _connection: may_go_on.wait(10)))
        offering = asyncio.ensure_future(offer(cache, SIGNER.snapshot(5)))
        await asyncio.sleep(0)
        offering.cancel()
        await asyncio.wait({offering})
        may_go_on.set()
        await busy
        await eventually(lambda: cache.active().version.serial == 5)
        with pytest.raises(RolledBack):
            await offer(cache, SIGNER.snapshot(4))


async def test_the_floor_on_the_disk_holds_also_if_its_commit_was_answered_with_an_error(
    tmp_path: Path,
) -> None:
    async with cache_in(tmp_path) as (cache, store):
        await cache.offer_keyset(SIGNER.keyset(), now_ms=T)
        await offer(cache, SIGNER.snapshot(4))
        await store.write(lambda c: c.execute("UPDATE state SET floor_serial = 6"))
        with pytest.raises(RolledBack):
            await offer(cache, SIGNER.snapshot(5))
        await offer(cache, SIGNER.snapshot(6))
        assert cache.active().version.serial == 6
