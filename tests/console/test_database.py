"""The pool, on a real server: what it promises while that answers, hangs, dies and returns."""

import asyncio
import socket
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from console.database import Database, open_database
from console.errors import DatabaseUnavailable
from console.postgres.embedded import running_server
from sync.settings_table import SettingsError
from tests.support import makerspace
from tests.support.postgres import Postgres, console_settings, reachable_folder
from tests.support.postgres_probe import standing_still
from tests.support.waiting import eventually

NOWHERE = "postgresql://p2k16@/p2k16?host=/nonexistent"


@asynccontextmanager
async def opened(url: str) -> AsyncGenerator[Database]:
    async with open_database(console_settings(Path("/nonexistent"), database_url=url)) as database:
        yield database


async def count_accounts(database: Database) -> int:
    async with database.reading() as connection:
        cursor = await connection.execute("select count(*) from account")
        row = await cursor.fetchone()
        assert row is not None
        return row[0]


async def test_what_is_written_can_be_read(database: Database) -> None:
    async with database.writing() as connection:
        ada = await makerspace.account(connection, username="ada")
    async with database.reading() as connection:
        cursor = await connection.execute("select id from account where username = 'ada'")
        assert await cursor.fetchone() == (ada,)


async def test_a_write_that_fails_leaves_nothing_behind(database: Database) -> None:
    async def add_two_of_a_name() -> None:
        async with database.writing() as connection:
            await makerspace.account(connection, username="ada")
            await makerspace.account(connection, username="ada")

    with pytest.raises(psycopg.errors.UniqueViolation):
        await add_two_of_a_name()
    assert await count_accounts(database) == 1


async def test_times_are_in_utc_and_nothing_may_take_for_ever(database: Database) -> None:
    async with database.reading() as connection:
        cursor = await connection.execute(
            "select current_setting('timezone'), current_setting('statement_timeout')"
        )
        assert await cursor.fetchone() == ("UTC", "30s")
        assert connection.autocommit


async def test_the_habits_of_a_database_change_nothing(postgres: Postgres) -> None:
    with postgres.database() as url:
        name = conninfo_to_dict(url)["dbname"]
        for habit in (
            "datestyle = 'German'",
            "client_encoding = 'LATIN1'",
            "timezone = 'Asia/Tokyo'",
        ):
            postgres.run(f"alter database {name} set {habit}".encode())
        async with opened(url) as database, database.reading() as connection:
            cursor = await connection.execute("select timestamptz '2026-03-04 05:06+00', 'Łódź ☃'")
            assert await cursor.fetchone() == (datetime(2026, 3, 4, 5, 6, tzinfo=UTC), "Łódź ☃")


@pytest.mark.parametrize(
    ("written", "year"),
    [
        ("infinity", 9000),
        ("20000-01-01", 9000),
        ("9999-12-31 23:59:59.999999+00", 9000),
        ("-infinity", 1900),
        ("0044-03-15 BC", 1900),
        ("0001-01-01", 1900),
    ],
)
async def test_moments_that_no_page_could_show_are_cut(
    database: Database, written: str, year: int
) -> None:
    async with database.reading() as connection:
        cursor = await connection.execute("select %(written)s::timestamptz", {"written": written})
        assert await cursor.fetchone() == (datetime(year, 1, 1, tzinfo=UTC),)


async def test_a_connection_that_dies_in_use_is_unavailable_and_then_replaced(
    database: Database,
) -> None:
    with pytest.raises(DatabaseUnavailable):
        async with database.reading() as connection:
            await connection.execute("select pg_terminate_backend(pg_backend_pid())")
    assert await count_accounts(database) == 1


async def test_a_connection_that_died_in_the_pool_is_never_handed_out(database: Database) -> None:
    assert await asyncio.gather(*(count_accounts(database) for _ in range(50))) == [1] * 50
    async with await psycopg.AsyncConnection.connect(database.conninfo, autocommit=True) as other:
        await other.execute(
            """
            select pg_terminate_backend(pid, 1000) from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid()
            """
        )
    assert await asyncio.gather(*(count_accounts(database) for _ in range(50))) == [1] * 50


async def test_a_failed_statement_is_not_taken_for_an_outage(database: Database) -> None:
    async def lock_twice() -> None:
        async with database.writing() as first, database.writing() as second:
            await first.execute("lock table account")
            await second.execute("set local lock_timeout = '10ms'")
            await second.execute("lock table account")

    with pytest.raises(psycopg.errors.LockNotAvailable):
        await lock_twice()


async def test_more_readers_than_connections_wait_for_each_other(database: Database) -> None:
    assert await asyncio.gather(*(count_accounts(database) for _ in range(50))) == [1] * 50


async def test_without_a_server_a_request_fails_within_three_seconds() -> None:
    async with opened(NOWHERE) as database:
        began = time.monotonic()
        with pytest.raises(DatabaseUnavailable, match="/nonexistent"):
            await count_accounts(database)
        assert time.monotonic() - began < 3.2
        assert not await database.answers()


async def test_a_command_learns_at_once_that_there_is_no_server() -> None:
    settings = console_settings(Path("/nonexistent"), database_url=NOWHERE)
    began = time.monotonic()
    with pytest.raises(DatabaseUnavailable, match="doesn't answer") as caught:
        async with open_database(settings, must_answer=True):
            pass
    assert time.monotonic() - began < 1
    assert "\n" not in str(caught.value)


async def test_a_malformed_url_is_a_mistake_in_the_settings_and_is_not_repeated() -> None:
    with pytest.raises(SettingsError) as caught:
        async with opened("postgresql://p2k16:secret@host/p2k16?nonsense=1"):
            pass
    assert "[database] url" in str(caught.value)
    assert "secret" not in str(caught.value)


async def test_it_heals_when_the_server_comes_late_goes_and_comes_back() -> None:
    with reachable_folder() as folder:
        async with running_server(folder) as conninfo:
            pass
        async with opened(conninfo) as database:
            assert not await database.answers()
            for _ in range(2):
                async with running_server(folder):
                    await eventually(database.answers, seconds=30)
                assert not await database.answers()


async def test_a_server_that_hangs_is_unavailable_and_heals_when_it_goes_on() -> None:
    with reachable_folder() as folder:
        async with running_server(folder) as conninfo, opened(conninfo) as database:
            await eventually(database.answers)
            with standing_still(folder):
                began = time.monotonic()
                assert not await database.answers()
                assert time.monotonic() - began < 2.5
                began = time.monotonic()
                with pytest.raises(DatabaseUnavailable):
                    async with database.reading():
                        pass
                assert time.monotonic() - began < 3.5
            await eventually(database.answers, seconds=30)


async def test_the_number_of_a_socket_that_hangs_is_not_left_to_the_next_one() -> None:
    """While the loop still believes that somebody waits on it, nobody else can use it."""
    with reachable_folder() as folder:
        async with running_server(folder) as conninfo, opened(conninfo) as database:
            await eventually(database.answers)
            with standing_still(folder):
                asking = asyncio.create_task(database.answers())
                while not asking.done():
                    await _open_and_close()


async def _open_and_close() -> None:
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        loop.add_reader(ours, int)
        await asyncio.sleep(0)
        assert loop.remove_reader(ours)
