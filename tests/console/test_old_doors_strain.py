"""Doors of the old web app's hardware when things change, hang or break in the middle."""

import asyncio
import time
from collections.abc import AsyncGenerator

import psycopg
import pytest
import structlog
from psycopg.conninfo import conninfo_to_dict

from console.database import Connection, Database
from console.doors.dlock import Dlock
from console.doors.opening import Failed, NoSuchDoor, NotAllowed, Opened
from console.errors import Busy, DatabaseUnavailable
from sync.ids import AccountRef
from tests.support.authors import SOMEBODY
from tests.support.old_house import BACK, FRONT, House, any_door, old_house
from tests.support.postgres import Postgres
from tests.support.waiting import eventually


@pytest.fixture
async def house(database: Database, connection: Connection) -> AsyncGenerator[House]:
    async with old_house(database, connection) as house:
        yield house


def at_first_call(house: House, statement: bytes) -> None:
    """Changes the database while the first door is being opened."""

    def change() -> None:
        house.controller.on_asked = lambda: None
        with psycopg.connect(house.database.conninfo, autocommit=True) as connection:
            connection.execute(statement)

    house.controller.on_asked = change


def name(house: House) -> str:
    return str(conninfo_to_dict(house.database.conninfo)["dbname"])


def shut(house: House, postgres: Postgres) -> None:
    """The database lets nobody in, and throws everybody out."""
    house.controller.on_asked = lambda: None
    postgres.run(f"alter database {name(house)} allow_connections false".encode())
    sessions = f"from pg_stat_activity where datname = '{name(house)}'"
    postgres.run(f"select pg_terminate_backend(pid) {sessions}".encode())


def open_again(house: House, postgres: Postgres) -> None:
    postgres.run(f"alter database {name(house)} allow_connections true".encode())


async def test_a_right_that_goes_while_one_door_opens_opens_no_further_door(house: House):
    at_first_call(house, b"delete from stripe_payment")
    tried = await house.doors.open([FRONT, BACK], actor=AccountRef(house.kari), by=SOMEBODY)
    assert isinstance(tried.outcome, NotAllowed)
    assert (tried.door, tried.opened) == (BACK, (FRONT,))
    assert [row[0] for row in await house.commands()] == ["front"]
    assert len(house.controller.asked) == 1


async def test_a_door_is_opened_as_it_is_when_its_turn_comes(house: House):
    at_first_call(house, b"update access.door set open_seconds = 3 where key = 'back'")
    assert isinstance(await house.open(FRONT, BACK), Opened)
    assert house.controller.asked[1][1] == "/doors/back/unlock?duration=3"
    at_first_call(house, b"delete from access.door where key = 'back'")
    assert await house.open(FRONT, BACK) == NoSuchDoor()


async def test_a_hundred_at_a_slow_door_hold_up_no_other_door_and_end_soon(
    house: House,
):
    house.controller.silent = {"front"}
    dlock = Dlock(house.controller.legacy, try_seconds=2)
    doors = any_door(house.database, dlock)
    actor = AccountRef(house.kari)
    crowd = [asyncio.create_task(doors.open([FRONT], actor=actor, by=SOMEBODY)) for _ in range(150)]
    try:
        await eventually(lambda: house.controller.asked)
        for _ in range(5):
            began = time.monotonic()
            tried = await doors.open([BACK], actor=actor, by=SOMEBODY)
            assert isinstance(tried.outcome, Opened)
            assert time.monotonic() - began < 2, "as long as the slow one's try"
        async with house.database.reading() as conn, asyncio.timeout(1):
            await conn.execute("select 1")
        async with asyncio.timeout(12):
            done = await asyncio.gather(*crowd, return_exceptions=True)
    finally:
        await dlock.close()
    asked = sum(1 for one in house.controller.asked if "front" in one[1])
    results = await house.sql("select result from access.command where point = 'front'")
    # Nobody is said to have been asked for in vain: each row is a door that really was asked.
    assert all(row[0].startswith("failed: did not answer") for row in results)
    assert asked == 2 * len(results)
    refused = {type(one) for one in done if isinstance(one, BaseException)}
    assert refused <= {Busy}


async def test_a_first_try_that_may_have_opened_it_is_not_forgotten(house: House):
    for last in (404, 503):
        house.controller.statuses = [-1, last]
        became = await house.open(FRONT)
        assert isinstance(became, Failed)
        assert became.is_late
        assert "may have opened" in became.words


async def test_an_opening_is_written_down_though_the_database_was_away_meanwhile(
    house: House, postgres: Postgres
):
    house.controller.on_asked = lambda: shut(house, postgres)
    opening = asyncio.create_task(house.open(FRONT))
    await eventually(lambda: house.controller.asked)
    # Longer than anybody else waits for a connection.
    await asyncio.sleep(4)
    assert not opening.done()
    open_again(house, postgres)
    assert isinstance(await opening, Opened)
    async with await psycopg.AsyncConnection.connect(house.database.conninfo) as connection:
        cursor = await connection.execute("select result from access.command")
        assert await cursor.fetchall() == [("executed",)]
        cursor = await connection.execute("select text1 from event where domain = 'door'")
        assert await cursor.fetchall() == [("front",)]


async def test_a_database_that_stays_away_is_told_and_the_log_says_that_the_door_opened(
    house: House, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("console.doors.old_door.WRITE_SECONDS", 0.5)
    house.controller.on_asked = lambda: shut(house, postgres)
    with structlog.testing.capture_logs() as logged, pytest.raises(DatabaseUnavailable):
        await house.open(FRONT)
    told = [one["event"] for one in logged]
    assert told[-2:] == ["old_door.opened", "old_door.not_written_down"]
    open_again(house, postgres)
