"""A fresh database is the web app's, table for table: schema.json was read from one of that app."""

import json
from collections.abc import Generator
from pathlib import Path
from typing import cast

import pytest
from psycopg import sql
from psycopg.rows import dict_row

from console.migrate import Found, migrate
from console.postgres.embedded import running_server
from tests.legacy.catalogue import Catalogue, Connection, read_catalogue
from tests.support.postgres import reachable_folder

EXPECTED: Catalogue = json.loads((Path(__file__).parent / "schema.json").read_text())

WITH_PASSWORD = {1, 2}
"""Ids of `super` and `foo`: nobody who can log in is seeded."""


@pytest.fixture
def fresh(database_url: str) -> Generator[Connection]:
    with Connection.connect(database_url, row_factory=dict_row) as connection:
        yield connection


def expected_tables() -> dict[str, Catalogue]:
    tables = cast("dict[str, Catalogue]", EXPECTED["tables"])
    for table in tables.values():
        table.pop("row_count", None)
    return tables


def test_it_has_the_same_tables(fresh: Connection) -> None:
    assert set(read_catalogue(fresh)["tables"]) == set(expected_tables())


@pytest.mark.parametrize("name", sorted(expected_tables()))
def test_a_table_is_the_same(name: str, fresh: Connection) -> None:
    assert read_catalogue(fresh)["tables"][name] == expected_tables()[name]


def test_the_sequences_are_the_same(fresh: Connection) -> None:
    assert read_catalogue(fresh)["sequences"] == EXPECTED["sequences"]


def test_accounts_are_seeded_but_none_that_could_log_in(
    fresh: Connection,
) -> None:
    seeded = fresh.execute(
        """
        select id, username, email, name, phone, system, membership_number,
          password is not null as has_password
        from account order by id
        """
    ).fetchall()
    expected = [row for row in EXPECTED["seed_rows"]["account"] if not row["has_password"]]
    assert seeded == expected
    assert [row["username"] for row in seeded] == ["system"]


def test_circles_are_seeded_with_the_same_ids_but_made_by_the_system(
    fresh: Connection,
) -> None:
    when = ("created_at", "updated_at")
    seeded = [
        {key: value for key, value in row.items() if key not in when}
        for row in fresh.execute("select * from circle order by id").fetchall()
    ]
    expected = [
        {key: value for key, value in row.items() if key not in when}
        | {"created_by": 3, "updated_by": 3}
        for row in EXPECTED["seed_rows"]["circle"]
    ]
    assert seeded == expected


def test_no_other_row_is_seeded(fresh: Connection) -> None:
    assert {row["account"] for row in EXPECTED["seed_rows"]["circle_member"]} == WITH_PASSWORD
    seeded = {
        name
        for name in expected_tables()
        if fresh.execute(sql.SQL("select from {}").format(sql.Identifier(name))).fetchone()
        is not None
    }
    assert seeded == {"account", "circle"}


async def test_it_is_the_same_on_the_packaged_postgresql() -> None:
    with reachable_folder(in_memory=True) as folder:
        async with running_server(folder, installed_in=Path("/nonexistent")) as conninfo:
            result = await migrate(conninfo)
            assert result.found is Found.FRESH
            with Connection.connect(conninfo, row_factory=dict_row) as connection:
                found = read_catalogue(connection)
    assert found["tables"] == expected_tables()
    assert found["sequences"] == EXPECTED["sequences"]
