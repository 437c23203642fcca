"""The `*_version` tables: what is in them, whether it hangs together, and who else writes them.

`WebApp` writes as SQLAlchemy-Continuum 1.3.11 does for the web app, statement for statement.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import class_row, scalar_row
from psycopg.types.json import Jsonb

VERSIONED = (
    "account",
    "account_badge",
    "badge_description",
    "circle",
    "circle_member",
    "company",
    "company_employee",
    "membership",
    "stripe_customer",
    "stripe_payment",
    "tool_checkout",
    "tool_description",
)

INSERT, UPDATE, DELETE = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Version:
    """A version row. `content`: the columns of its table."""

    id: int
    transaction: int
    ended_by: int | None
    kind: int
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Transaction:
    """A row of "transaction"."""

    id: int
    issued_at: str
    remote_addr: str | None


def versions(connection: psycopg.Connection, table: str, of: int | None = None) -> list[Version]:
    """All versions of a table, or of one row, by row and transaction."""
    with connection.cursor(row_factory=class_row(Version)) as cursor:
        return cursor.execute(
            sql.SQL(
                """
                select id, transaction_id as transaction, end_transaction_id as ended_by,
                  operation_type as kind,
                  to_jsonb(v) - array['transaction_id', 'end_transaction_id', 'operation_type']
                    as content
                from {} v where %(id)s::bigint is null or id = %(id)s
                order by id, transaction_id
                """
            ).format(_versions_of(table)),
            {"id": of},
        ).fetchall()


def rows(connection: psycopg.Connection, table: str) -> dict[int, dict[str, Any]]:
    """All rows of a table, by id."""
    with connection.cursor(row_factory=scalar_row) as cursor:
        found = cursor.execute(
            sql.SQL("select to_jsonb(t) from public.{} t").format(sql.Identifier(table))
        ).fetchall()
    return {row["id"]: row for row in found}


def transactions(connection: psycopg.Connection) -> list[Transaction]:
    """All rows of "transaction", in order."""
    with connection.cursor(row_factory=class_row(Transaction)) as cursor:
        return cursor.execute(
            'select id, issued_at, remote_addr from public."transaction" order by id'
        ).fetchall()


def faults(connection: psycopg.Connection) -> list[str]:
    """Whatever is wrong with any row's history; a row that was never changed needs none."""
    return [
        f"{table} {row_id}: {fault}"
        for table in VERSIONED
        for row_id, fault in _faults_of_table(connection, table)
    ]


def _faults_of_table(connection: psycopg.Connection, table: str) -> list[tuple[int, str]]:
    now = rows(connection, table)
    chains: dict[int, list[Version]] = {}
    for version in versions(connection, table):
        chains.setdefault(version.id, []).append(version)
    found: list[tuple[int, str]] = []
    for row_id, chain in chains.items():
        for one, following in pairwise(chain):
            if one.transaction >= following.transaction:
                found.append((row_id, f"two versions in {one.transaction}"))
            if one.ended_by != following.transaction:
                found.append((row_id, f"{one.transaction} ends with {one.ended_by}, not the next"))
            if (one.kind == DELETE) != (following.kind == INSERT):
                found.append((row_id, f"{following.kind} follows {one.kind}"))
        last = chain[-1]
        if last.ended_by is not None:
            found.append((row_id, f"the last one, {last.transaction}, has an end"))
        if last.kind == DELETE and row_id in now:
            found.append((row_id, "its last version is a deletion, but it is there"))
        if last.kind != DELETE and _as_version(table, now.get(row_id)) != last.content:
            found.append((row_id, "its last version is not what it is"))
    return found


def _as_version(table: str, row: dict[str, Any] | None) -> dict[str, Any] | None:
    if table == "circle" and row is not None and row["description"] is None:
        return row | {"description": ""}
    return row


def _versions_of(table: str) -> sql.Identifier:
    return sql.Identifier("public", f"{table}_version")


class WebApp:
    """The old web app, on a connection in autocommit mode with its rights."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection
        self._number: int | None = None

    @contextmanager
    def transaction(self) -> Generator[None]:
        """What it does for one request; the number is taken at the first change."""
        self._number = None
        with self.connection.transaction():
            yield

    def insert(self, table: str, row: Mapping[str, Any]) -> int:
        """Adds a row, which gets an id unless it has one."""
        number = self._numbered()
        if "id" not in row:
            row = {**row, "id": self._scalar(sql.SQL("select nextval('id_seq')"))}
        columns = sql.SQL(", ").join(map(sql.Identifier, row))
        values = sql.SQL(", ").join(map(sql.Placeholder, row))
        statement = sql.SQL("insert into {} ({}) values ({}) returning to_jsonb({})")
        name = sql.Identifier(table)
        added = self._scalar(statement.format(name, columns, values, name), row)
        self._version(table, added, INSERT, number)
        return int(added["id"])

    def update(self, table: str, row_id: int, values: Mapping[str, Any]) -> None:
        """Changes a row."""
        number = self._numbered()
        name = sql.Identifier(table)
        changes = sql.SQL(", ").join(
            sql.SQL("{} = {}").format(sql.Identifier(column), sql.Placeholder(column))
            for column in values
        )
        statement = sql.SQL("update {} set {} where id = %(id)s returning to_jsonb({})")
        changed = self._scalar(statement.format(name, changes, name), {**values, "id": row_id})
        self._version(table, changed, UPDATE, number)

    def delete(self, table: str, row_id: int) -> None:
        """Deletes a row."""
        number = self._numbered()
        name = sql.Identifier(table)
        statement = sql.SQL("delete from {} where id = %(id)s returning to_jsonb({})")
        gone = self._scalar(statement.format(name, name), {"id": row_id})
        self._version(table, gone, DELETE, number)

    def _numbered(self) -> int:
        if self._number is None:
            self._number = int(self._scalar(sql.SQL("select nextval('transaction_id_seq')")))
            self.connection.execute(
                'insert into "transaction" (id, issued_at, remote_addr) values (%s, %s, %s)',
                [self._number, f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}", "10.0.0.99"],
            )
        return self._number

    def _version(self, table: str, row: dict[str, Any], kind: int, number: int) -> None:
        name = _versions_of(table)
        own = {"id": row["id"], "number": number}
        self.connection.execute(
            sql.SQL("delete from {} where id = %(id)s and transaction_id = %(number)s").format(
                name
            ),
            own,
        )
        self.connection.execute(
            sql.SQL("insert into {} select * from jsonb_populate_record(null::{}, %s)").format(
                name, name
            ),
            [Jsonb({**row, "transaction_id": number, "operation_type": kind})],
        )
        self.connection.execute(
            sql.SQL(
                """
                update {} set end_transaction_id = %(number)s
                where id = %(id)s and transaction_id = (select max(transaction_id) from {}
                  where id = %(id)s and transaction_id < %(number)s)
                """
            ).format(name, name),
            own,
        )

    def _scalar(
        self, query: sql.SQL | sql.Composed, values: Mapping[str, Any] | None = None
    ) -> Any:
        with self.connection.cursor(row_factory=scalar_row) as cursor:
            return cursor.execute(query, values).fetchone()
