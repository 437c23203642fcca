"""The tables of the store: what edge/provision.py makes, and edge/soundness.py expects to find.

What they mean is said where they are used: edge/journal.py, edge/rights_cache.py,
edge/downlink.py. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

SCHEMA_VERSION = 3
"""Kept in the file as `user_version`."""


class Kind(StrEnum):
    """What a column holds. Source: sqlite.org/stricttables.html."""

    INTEGER = "INTEGER"
    TEXT = "TEXT"
    BLOB = "BLOB"


@dataclass(frozen=True, slots=True)
class Column:
    """`since`: the version that brought it. The first column of a table is its key."""

    name: str
    kind: Kind
    may_be_null: bool = False
    since: int = 1


TABLES: Mapping[str, tuple[Column, ...]] = {
    "event": (
        Column("seq", Kind.INTEGER),
        Column("time_ms", Kind.INTEGER),
        Column("hash", Kind.BLOB),
        Column("line", Kind.BLOB),
    ),
    "keyset": (Column("epoch", Kind.INTEGER), Column("envelope", Kind.BLOB)),
    "slot": (
        Column("name", Kind.TEXT),
        Column("epoch", Kind.INTEGER),
        Column("serial", Kind.INTEGER),
        Column("digest", Kind.BLOB),
        Column("envelope", Kind.BLOB),
    ),
    "state": (
        Column("only", Kind.INTEGER),  # one row
        Column("owner", Kind.TEXT),
        Column("journal", Kind.TEXT),
        Column("acknowledged", Kind.INTEGER),
        Column("alarms", Kind.INTEGER, since=3),
        Column("unrecorded", Kind.INTEGER),
        Column("alarms_unrecorded", Kind.INTEGER, since=3),
        Column("canary", Kind.BLOB, since=3),
        Column("active_slot", Kind.TEXT, may_be_null=True),
        Column("floor_epoch", Kind.INTEGER),
        Column("floor_serial", Kind.INTEGER),
        Column("floor_digest", Kind.BLOB, may_be_null=True),
        Column("applied_ms", Kind.INTEGER, may_be_null=True),
        Column("command_counter", Kind.INTEGER),
        Column("clock_ms", Kind.INTEGER),
        Column("age_ms", Kind.INTEGER, since=2),
    ),
    "hold": (Column("point", Kind.TEXT, since=2), Column("hold", Kind.TEXT, since=2)),
}


def tables_of(version: int) -> dict[str, tuple[Column, ...]]:
    """The tables that a store of this version has."""
    columns = {
        table: tuple(column for column in every if column.since <= version)
        for table, every in TABLES.items()
    }
    return {table: those for table, those in columns.items() if those}
