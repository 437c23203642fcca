"""A store that SQLite calls sound and no controller can use: set aside, and a new one begins."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from edge.store import STORE_NAME, open_store
from tests.edge.conftest import SIGNER
from tests.support.edge_daemon import EdgeDaemon
from tests.support.signer import OWNER

UNUSABLE = {
    "no events": "DROP TABLE event",
    "no orders": "DROP TABLE hold",
    "no keysets": "DROP TABLE keyset",
    "no slots": "DROP TABLE slot",
    "no state": "DROP TABLE state",
    "no row": "DELETE FROM state",
    "no age": "ALTER TABLE state DROP COLUMN age_ms",
    "two rows": "INSERT INTO state SELECT 2, owner, journal, acknowledged, alarms, unrecorded,"
    " alarms_unrecorded, canary, active_slot, floor_epoch, floor_serial, floor_digest, applied_ms,"
    " command_counter, clock_ms, age_ms FROM state",
    "an order that there is not": "INSERT INTO hold VALUES ('front', 'xx')",
    "an order that is no text": "INSERT INTO hold VALUES ('front', CAST(x'ff' AS TEXT))",
    "a clock beyond all time": "UPDATE state SET clock_ms = 9223372036854775807",
    "an event beyond all time": "INSERT INTO event VALUES (1, 9223372036854775807, x'00', x'00')",
    "an age below nothing": "UPDATE state SET age_ms = -1",
    "a journal that is no text": "UPDATE state SET journal = CAST(x'ff' AS TEXT)",
    "rights beyond all size": "INSERT INTO slot VALUES ('a', 1, 1, x'00', zeroblob(9000000))",
}


def change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(statement)


@pytest.mark.parametrize("statement", UNUSABLE.values(), ids=UNUSABLE.keys())
async def test_what_can_not_be_read_at_a_start_is_set_aside_whole(
    statement: str, tmp_path: Path
) -> None:
    store, _ = await open_store(tmp_path, OWNER)
    await store.close()
    path = tmp_path / STORE_NAME
    change(path, statement)
    left = path.read_bytes()

    store, set_aside = await open_store(tmp_path, OWNER)
    await store.close()
    assert set_aside is not None
    assert set_aside.read_bytes() == left
    store, set_aside = await open_store(tmp_path, OWNER)
    await store.close()
    assert set_aside is None


async def test_an_order_that_stands_is_no_damage(tmp_path: Path) -> None:
    store, _ = await open_store(tmp_path, OWNER)
    await store.close()
    change(tmp_path / STORE_NAME, "INSERT INTO hold VALUES ('front', 'lockdown')")
    store, set_aside = await open_store(tmp_path, OWNER)
    await store.close()
    assert set_aside is None


@pytest.mark.parametrize("statement", ["DROP TABLE hold", "INSERT INTO hold VALUES ('front', 'x')"])
async def test_a_controller_starts_with_such_a_store_and_says_where_it_lies(
    statement: str, daemon: EdgeDaemon
) -> None:
    daemon.enrol(SIGNER.bundle("mqtt://127.0.0.1:1"))
    await daemon.start_and_wait()
    assert daemon.stop() == 0
    change(daemon.data_dir / STORE_NAME, statement)
    await daemon.start_and_wait()
    assert (daemon.data_dir / f"{STORE_NAME}.damaged-1").exists()
    assert f"{STORE_NAME}.damaged-1" in daemon.run("journal").stdout
