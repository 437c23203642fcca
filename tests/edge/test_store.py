"""The store: durable, in a thread of its own, set aside when damaged, well again when it can be."""

import asyncio
import os
import resource
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from edge.disk import machine
from edge.errors import JournalFull, StorageFault
from edge.store import PENDING_MAX, SCHEMA_VERSION, STORE_NAME, Store, open_store
from tests.support.signer import OWNER


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store, set_aside = await open_store(tmp_path, OWNER)
    assert set_aside is None
    yield store
    await store.close()


def set_clock(ms: int, connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE state SET clock_ms = ?", (ms,))


def journal(connection: sqlite3.Connection) -> str:
    return connection.execute("SELECT journal FROM state").fetchone()[0]


def clock(connection: sqlite3.Connection) -> int:
    return connection.execute("SELECT clock_ms FROM state").fetchone()[0]


async def test_a_new_store_uses_wal_with_full_sync_and_belongs_to_its_user_alone(
    store: Store, tmp_path: Path
) -> None:
    def pragmas(connection: sqlite3.Connection) -> list[object]:
        names = ("journal_mode", "synchronous", "user_version")
        return [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names]

    assert await store.read(pragmas) == ["wal", 2, SCHEMA_VERSION]
    assert (tmp_path / STORE_NAME).stat().st_mode & 0o777 == 0o600
    assert not list(tmp_path.glob("*.new*"))


async def test_what_was_written_is_there_after_a_restart_and_the_journal_id_stays(
    tmp_path: Path,
) -> None:
    store, _ = await open_store(tmp_path, OWNER)
    await store.write(lambda c: set_clock(7, c))
    first = await store.read(journal)
    await store.close()
    again, set_aside = await open_store(tmp_path, OWNER)
    assert set_aside is None
    assert await again.read(clock) == 7
    assert await again.read(journal) == first
    await again.close()


async def test_a_transaction_that_raises_leaves_nothing_behind(store: Store) -> None:
    def fail(connection: sqlite3.Connection) -> None:
        set_clock(9, connection)
        raise JournalFull("no slot")

    with pytest.raises(JournalFull):
        await store.write(fail)
    assert await store.read(clock) == 0
    assert store.fault is None

    def break_down(connection: sqlite3.Connection) -> None:
        set_clock(9, connection)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.write(break_down)
    assert await store.read(clock) == 0


async def test_a_disk_that_stands_still_holds_up_neither_the_loop_nor_memory(store: Store) -> None:
    goes_on = threading.Event()
    stalled = [asyncio.ensure_future(store.write(lambda _c: int(goes_on.wait())))]
    stalled += [asyncio.ensure_future(store.read(clock)) for _ in range(PENDING_MAX - 1)]
    await asyncio.sleep(0)
    with pytest.raises(StorageFault, match="stands still"):
        await store.read(clock)
    goes_on.set()
    await asyncio.gather(*stalled)
    assert await store.read(clock) == 0


async def test_a_disk_that_takes_no_more_is_a_fault_until_it_does_again(store: Store) -> None:
    await store.write(lambda c: set_clock(1, c))
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        with pytest.raises(StorageFault):
            await store.write(lambda c: set_clock(2, c))
        fault = store.fault
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert fault is not None
    assert await store.read(clock) == 1
    await store.write(lambda c: set_clock(3, c))
    assert store.fault is None
    assert await store.read(clock) == 3


async def test_a_disk_that_gives_something_else_back_is_at_fault_until_a_probe_succeeds(
    tmp_path: Path,
) -> None:
    lies = True

    def forget(path: Path) -> None:
        """As a worn out card: what was synced isn't what is read."""
        content = path.read_bytes()
        if lies:
            path.write_bytes(content.replace(b"a canary", b"a carnar"))

    store, _ = await open_store(tmp_path, OWNER, disk=replace(machine(), forget=forget))
    with pytest.raises(StorageFault, match="reads back differently: replace the SD card"):
        await store.probe(b"a canary 1")
    await store.write(lambda c: set_clock(3, c))
    assert store.fault is not None, "that a write succeeds says nothing"
    lies = False
    await store.probe(b"a canary 2")
    assert store.fault is None
    await store.close()


async def test_a_probe_that_can_not_be_read_back_is_a_fault(tmp_path: Path) -> None:
    def forget(_path: Path) -> None:
        raise OSError(5, "Input/output error")

    store, _ = await open_store(tmp_path, OWNER, disk=replace(machine(), forget=forget))
    with pytest.raises(StorageFault, match=r"can't be read back: .*Input/output error"):
        await store.probe(b"a canary")
    assert store.fault is not None
    await store.close()


async def test_a_probe_leaves_the_locks_of_the_store_in_force(store: Store, tmp_path: Path) -> None:
    """Another program that closes the store last would otherwise take its WAL away."""
    await store.probe(b"a canary")
    other = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT * FROM state')"
    )
    path = tmp_path / STORE_NAME
    subprocess.run([sys.executable, "-c", other + ".fetchall(); c.close()", str(path)], check=True)
    assert Path(f"{path}-wal").exists()
    await store.write(lambda c: set_clock(4, c))
    assert await store.read(clock) == 4


@pytest.mark.parametrize("damage", ["garbage", "empty", "middle"])
async def test_a_damaged_store_is_set_aside_and_a_new_journal_begins(
    damage: str, tmp_path: Path
) -> None:
    store, _ = await open_store(tmp_path, OWNER)
    await store.write(
        lambda c: c.executemany(
            "INSERT INTO event VALUES (?, 0, x'00', ?)",
            [(n, os.urandom(500)) for n in range(200)],
        )
    )
    first = await store.read(journal)
    await store.close()
    path = tmp_path / STORE_NAME
    data = bytearray(path.read_bytes())
    if damage == "garbage":
        data[:] = os.urandom(len(data))
    elif damage == "empty":
        data.clear()
    else:
        for start in range(8_192, len(data), 4_096):
            data[start : start + 64] = bytes(64)
    path.write_bytes(data)

    store, set_aside = await open_store(tmp_path, OWNER)
    assert set_aside is not None
    assert set_aside.read_bytes() == data
    assert await store.read(journal) != first
    await store.close()
    path.write_bytes(b"damaged once more")
    store, second = await open_store(tmp_path, OWNER)
    assert second not in {None, set_aside}
    await store.close()


async def test_an_old_wal_is_no_part_of_a_new_store(tmp_path: Path) -> None:
    store, _ = await open_store(tmp_path, OWNER)
    await store.write(partial(set_clock, 7))
    wal = tmp_path / f"{STORE_NAME}-wal"
    left = wal.read_bytes()
    first = await store.read(journal)
    await store.close()
    (tmp_path / STORE_NAME).unlink()
    wal.write_bytes(left)  # the rest went with a power cut, or by somebody's hand

    fresh, set_aside = await open_store(tmp_path, OWNER)
    assert set_aside is None
    assert await fresh.read(journal) != first
    assert await fresh.read(clock) == 0
    assert (tmp_path / f"{STORE_NAME}.damaged-1-wal").read_bytes() == left
    await fresh.close()


async def test_a_store_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    store, _ = await open_store(tmp_path, OWNER)
    await store.close()
    connection = sqlite3.connect(tmp_path / STORE_NAME)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    with pytest.raises(StorageFault, match="newer"):
        await open_store(tmp_path, OWNER)
    assert [p.name for p in tmp_path.iterdir()] == [STORE_NAME]


async def test_a_folder_that_is_missing_is_a_fault_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(StorageFault, match="nowhere"):
        await open_store(tmp_path / "nowhere", OWNER)


async def test_the_store_of_another_controller_is_set_aside(tmp_path: Path) -> None:
    store, _ = await open_store(tmp_path, OWNER)
    await store.close()
    store, set_aside = await open_store(tmp_path, "back-pi")
    assert set_aside is not None
    await store.close()
    store, set_aside = await open_store(tmp_path, "back-pi")
    assert set_aside is None
    await store.close()


async def test_nothing_counts_as_written_to_a_file_that_is_gone(
    store: Store, tmp_path: Path
) -> None:
    await store.write(partial(set_clock, 7))
    for path in tmp_path.glob(f"{STORE_NAME}*"):
        path.rename(path.with_name(f"away-{path.name}"))
    with pytest.raises(StorageFault):
        await store.write(partial(set_clock, 8))
    assert store.fault is not None
    for path in tmp_path.glob("away-*"):
        path.rename(path.with_name(path.name.removeprefix("away-")))
    await store.write(partial(set_clock, 9))
    assert store.fault is None
    assert await store.read(clock) == 9


NEW_IN_3 = ("alarms", "alarms_unrecorded", "canary")


@pytest.mark.parametrize("version", [1, 2])
async def test_a_store_of_an_earlier_version_is_brought_up_to_date_and_keeps_what_it_holds(
    tmp_path: Path, version: int
) -> None:
    store, _ = await open_store(tmp_path, OWNER)
    await store.close()
    with closing(sqlite3.connect(tmp_path / STORE_NAME, isolation_level=None)) as connection:
        connection.execute("UPDATE state SET command_counter = 7")
        for column in NEW_IN_3:
            connection.execute(f"ALTER TABLE state DROP COLUMN {column}")
        if version == 1:
            connection.execute("ALTER TABLE state DROP COLUMN age_ms")
            connection.execute("DROP TABLE hold")
        else:
            connection.execute("UPDATE state SET age_ms = 0")
        connection.execute(f"PRAGMA user_version = {version}")
    store, set_aside = await open_store(tmp_path, OWNER)
    assert set_aside is None
    row = await store.read(
        lambda connection: connection.execute(
            "SELECT command_counter, age_ms, alarms, (SELECT count(*) FROM hold) FROM state"
        ).fetchone()
    )
    assert row == (7, 0, 0, 0)
    await store.close()
