"""Whether a store can be used: its version, pages, tables and owner, and what a start reads.

SQLite calls a file sound that lacks a table, or holds what no controller ever wrote. Both would end
every start at the same place, so they are looked for before anything is read in earnest. Writes
nothing; what becomes of a store that can't be used is decided in edge/store.py.
"""

import sqlite3

from edge.columns import TIME_MS_MAX
from edge.errors import StorageFault
from edge.post import Hold
from edge.schema import SCHEMA_VERSION, Kind, tables_of
from sync.bundle import Bundle
from sync.envelope import MESSAGE_BYTES_MAX
from sync.snapshot import POINTS_MAX
from sync.strict_json import U53

ENVELOPES_MAX = 16
"""There are two slots, and a keyset for each of them and for what comes next."""

EVENTS_READ = 100
"""Of so many of the newest events a start reads the time."""


def owner_of(bundle: Bundle) -> str:
    """Whose a store is: the controller, and the root key that it obeys."""
    return f"{bundle.controller} {bundle.root_public_key.hex()}"


def find_mistake(connection: sqlite3.Connection, owner: str | None) -> str | None:
    """What is wrong with the store; None: nothing. `owner` None: anybody's will do.

    Raises: StorageFault, sqlite3.Error.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version <= 0:
        return "never provisioned"
    if version > SCHEMA_VERSION:
        raise StorageFault("the store was written by a newer p2k16-edge: update this one")
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        return str(found)
    try:
        return (
            _wrong_table(connection, version)
            or _wrong_state(connection, version, owner)
            or _wrong_rows(connection, version)
        )
    except sqlite3.OperationalError as error:
        if hasattr(error, "sqlite_errorcode"):
            raise
        return str(error)  # Python's own: a text that is no UTF-8


def _wrong_table(connection: sqlite3.Connection, version: int) -> str | None:
    for table, columns in tables_of(version).items():
        rows = connection.execute(
            'SELECT name, type, pk > 0, pk > 0 OR "notnull" FROM pragma_table_info(?)', (table,)
        ).fetchall()
        if not rows:
            return f"there is no table {table}"
        key = columns[0]
        expected = {
            (one.name, one.kind.value, int(one is key), int(not one.may_be_null)) for one in columns
        }
        if set(rows) != expected:
            return f"the columns of the table {table} are not those that were made"
    return None


def _wrong_state(connection: sqlite3.Connection, version: int, owner: str | None) -> str | None:
    cursor = connection.execute("SELECT * FROM state LIMIT 2")
    names = [str(described[0]) for described in cursor.description]
    rows = cursor.fetchall()
    if len(rows) != 1:
        return "the table state has several rows" if rows else "the table state has no row"
    found = dict(zip(names, rows[0], strict=True))
    for column in tables_of(version)["state"]:
        value = found[column.name]
        most = TIME_MS_MAX if column.name.endswith("_ms") else U53
        if column.kind is Kind.INTEGER and value is not None and not 0 <= value <= most:
            return f"{column.name} is {value}"
    is_ours = owner is None or found["owner"] == owner
    return None if is_ours else "belongs to another controller or another console"


def _wrong_rows(connection: sqlite3.Connection, version: int) -> str | None:
    """In the tables that have any number of rows: only what a start reads, and never all of it."""
    head, least_ms, most_ms = connection.execute(
        "SELECT coalesce(max(seq), 0), coalesce(min(time_ms), 0), coalesce(max(time_ms), 0)"
        " FROM (SELECT seq, time_ms FROM event ORDER BY seq DESC LIMIT ?)",
        (EVENTS_READ,),
    ).fetchone()
    if not 0 <= head < U53 or least_ms < 0 or most_ms > TIME_MS_MAX:
        return f"the newest events have the number {head} and times up to {most_ms}"
    for table, sizes in (
        ("slot", "SELECT length(envelope) FROM slot LIMIT ?"),
        ("keyset", "SELECT length(envelope) FROM keyset LIMIT ?"),
    ):
        found = [size for (size,) in connection.execute(sizes, (ENVELOPES_MAX + 1,))]
        if len(found) > ENVELOPES_MAX or max(found, default=0) > MESSAGE_BYTES_MAX:
            return f"the table {table} holds more than was ever written"
    if "hold" not in tables_of(version):
        return None
    holds = connection.execute("SELECT point, hold FROM hold LIMIT ?", (POINTS_MAX + 1,)).fetchall()
    if len(holds) > POINTS_MAX:
        return "the table hold holds more than was ever written"
    unknown = [hold for _, hold in holds if hold not in set(Hold)]
    return f"there is no order {unknown[0][:40]!r}" if unknown else None
