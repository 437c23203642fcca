"""Makes the controller's store, or brings an older one up to date: one run of a small program.

    python -P -m edge.provision DATA_DIR OWNER

A program of its own, so that the daemon never holds sqlite-utils in memory. Which tables there are
is said in edge/schema.py.
"""

import os
import secrets
import sqlite3
import sys
from pathlib import Path

from sqlite_utils import Database

from edge.clock import UNHEARD_MS
from edge.disk import Disk, machine
from edge.schema import SCHEMA_VERSION, TABLES
from edge.store import STORE_NAME


def main() -> int:
    """Provisions the folder named by the first argument. Returns the exit code."""
    os.umask(0o077)
    try:
        provision(Path(sys.argv[1]), sys.argv[2])
    except (OSError, sqlite3.Error) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def provision(data_dir: Path, owner: str, *, disk: Disk | None = None) -> None:
    """A missing store comes to be whole, or not at all; `owner`: whose it is (edge/store.py).

    One of an earlier version is brought up to date, in one transaction. Raises: OSError,
    sqlite3.Error.
    """
    disk = disk or machine()
    path = data_dir / STORE_NAME
    if path.exists():
        _upgrade(path, disk)
        return
    draft = data_dir / f"{STORE_NAME}.new"
    for ending in ("", "-wal", "-shm", "-journal"):
        disk.remove(Path(f"{draft}{ending}"))
    _create(draft, owner, disk)
    disk.sync(draft)
    disk.rename(draft, path)
    # Switching to WAL unlinks a rollback journal. Brought back by a power cut, it would undo the
    # switch and hide every table, so the folder is synced before the store is first used.
    disk.sync(data_dir)


def _create(path: Path, owner: str, disk: Disk) -> None:
    connection = disk.create(path)
    database = Database(connection)
    database.enable_wal()
    connection.execute("PRAGMA synchronous = FULL")
    with connection:
        for table in TABLES:
            _create_table(database, table)
        database.table("state").insert(
            {
                "only": 1,
                "owner": owner,
                "journal": secrets.token_hex(16),
                "acknowledged": 0,
                "alarms": 0,
                "unrecorded": 0,
                "alarms_unrecorded": 0,
                "canary": b"",
                "floor_epoch": 0,
                "floor_serial": 0,
                "command_counter": 0,
                "clock_ms": 0,
                "age_ms": UNHEARD_MS,
            }
        )
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.close()


def _create_table(database: Database, name: str) -> None:
    key, *others = TABLES[name]
    database.create_table(
        name,
        {column.name: column.kind.value for column in TABLES[name]},
        pk=key.name,
        not_null={column.name for column in others if not column.may_be_null},
        strict=True,
    )


def _upgrade(path: Path, disk: Disk) -> None:
    """From version 1, which knew neither the age of its rights nor orders that stand; or from 2,
    which knew neither slots for alarms nor a canary.

    The rights that it had in force a moment ago are taken as heard of then: a door must not shut
    because its software became newer.
    """
    connection = disk.connect(path)
    try:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN IMMEDIATE")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 1:
            connection.execute("ALTER TABLE state ADD COLUMN age_ms INTEGER NOT NULL DEFAULT 0")
            _create_table(Database(connection), "hold")
        if version in {1, 2}:
            for column in ("alarms", "alarms_unrecorded"):
                connection.execute(
                    f"ALTER TABLE state ADD COLUMN {column} INTEGER NOT NULL DEFAULT 0"
                )
            connection.execute("ALTER TABLE state ADD COLUMN canary BLOB NOT NULL DEFAULT x''")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
