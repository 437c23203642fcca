"""Making and removing circles and adding to them, while others do the same."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from typing import TypeVar

import psycopg

from console.circles import keeping, membership
from console.circles.circle import (
    Hindrance,
    Kept,
    ManagementStyle,
    NoSuchCircle,
    Reason,
    Reference,
    Referrer,
    Refused,
)
from console.circles.draft import Draft, Flaw
from console.database import Connection, Database
from tests.support import makerspace
from tests.support.makerspace import SYSTEM
from tests.support.waiting import eventually

T = TypeVar("T")


@asynccontextmanager
async def old_app(database: Database) -> AsyncGenerator[Connection]:
    """A transaction of the old web app, which commits at the end and takes no lock of ours."""
    async with await psycopg.AsyncConnection.connect(database.conninfo) as conn:
        yield conn


async def held_up(connection: Connection, doing: Coroutine[None, None, T]) -> asyncio.Task[T]:
    """Starts something, and returns when it waits for somebody else's lock."""

    async def waits() -> bool:
        cursor = await connection.execute(
            "select from pg_stat_activity"
            " where datname = current_database() and wait_event_type = 'Lock'"
        )
        return cursor.rowcount > 0

    task = asyncio.create_task(doing)
    await eventually(waits)
    return task


def draft(name: str, *, admin_circle: str | None = None, first: str | None = None) -> Draft:
    return Draft(
        name=name,
        description="",
        style=ManagementStyle.SELF_ADMIN if admin_circle is None else ManagementStyle.ADMIN_CIRCLE,
        needs_comment=False,
        admin_circle=admin_circle,
        first_member=first,
    )


async def create(database: Database, of: Draft) -> int | Flaw:
    async with database.writing() as conn:
        return await keeping.create(conn, of, actor_id=SYSTEM)


async def remove(database: Database, circle: int, actor: int) -> Kept | NoSuchCircle | None:
    async with database.writing() as conn:
        return await keeping.remove(conn, circle_id=circle, actor_id=actor)


async def brewer(connection: Connection) -> tuple[int, int]:
    """Kari, alone in the circle `brewers`, which manages itself; gives both ids."""
    kari = await makerspace.account(connection, username="kari")
    circle = await makerspace.circle(connection, name="brewers")
    await makerspace.circle_member(connection, account=kari, circle=circle)
    return kari, circle


async def test_of_those_who_make_the_same_circle_at_once_all_but_one_are_told(
    database: Database,
) -> None:
    wood = draft("wood", admin_circle="admin")
    outcomes = await asyncio.gather(*(create(database, wood) for _ in range(5)))
    assert outcomes.count(Flaw.NAME_TAKEN) == 4


async def test_the_one_asked_for_is_first_in_a_circle_whatever_else_was_given(
    database: Database, connection: Connection
) -> None:
    kari, _ = await brewer(connection)
    made = await create(database, draft("cooks", first="KARI"))
    cursor = await connection.execute("select account from circle_member where circle = %s", [made])
    assert await cursor.fetchall() == [(kari,)]


async def test_somebody_whom_the_old_app_adds_at_the_same_moment_is_added_once(
    database: Database, connection: Connection
) -> None:
    kari, circle = await brewer(connection)
    ola = await makerspace.account(connection, username="ola")

    async def add() -> Refused | NoSuchCircle | None:
        async with database.writing() as conn:
            return await membership.add(
                conn, circle_id=circle, account_id=ola, comment="", actor_id=kari
            )

    async with old_app(database) as other:
        await makerspace.circle_member(other, account=ola, circle=circle)
        adding = await held_up(connection, add())
    outcome = await adding
    assert isinstance(outcome, Refused)
    assert outcome.reason is Reason.ALREADY_IN
    cursor = await connection.execute(
        "select count(*) from circle_member where circle = %s", [circle]
    )
    assert await cursor.fetchone() == (2,)


async def test_a_circle_that_the_old_app_refers_to_at_the_same_moment_stays(
    database: Database, connection: Connection
) -> None:
    kari, circle = await brewer(connection)
    async with old_app(database) as other:
        await makerspace.circle(other, name="cooks", admin_circle=circle)
        removing = await held_up(connection, remove(database, circle, kari))
    outcome = await removing
    assert isinstance(outcome, Kept)
    assert outcome.hindrance is Hindrance.REFERRED_TO
    assert outcome.references == [Reference(Referrer.CIRCLE, "cooks")]


async def test_a_circle_is_not_removed_from_under_one_that_is_being_made(
    database: Database, connection: Connection
) -> None:
    kari, circle = await brewer(connection)
    async with database.writing() as conn:
        made = await keeping.create(conn, draft("cooks", admin_circle="brewers"), actor_id=kari)
        assert isinstance(made, int)
        removing = await held_up(connection, remove(database, circle, kari))
    assert isinstance(await removing, Kept)


async def test_a_circle_that_goes_at_the_same_moment_manages_no_new_one(
    database: Database, connection: Connection
) -> None:
    circle = await makerspace.circle(connection, name="brewers")
    async with old_app(database) as other:
        await other.execute("delete from circle where id = %s", [circle])
        making = await held_up(connection, create(database, draft("cooks", admin_circle="brewers")))
    assert await making is Flaw.ADMIN_CIRCLE_UNKNOWN


async def test_of_two_who_remove_a_circle_at_once_one_finds_it_gone(
    database: Database, connection: Connection
) -> None:
    kari, circle = await brewer(connection)
    outcomes = await asyncio.gather(*(remove(database, circle, kari) for _ in range(2)))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["NoSuchCircle", "NoneType"]


async def test_a_removed_circle_leaves_its_versions(
    database: Database, connection: Connection
) -> None:
    kari, circle = await brewer(connection)
    assert await remove(database, circle, kari) is None
    for statement in (
        b"select operation_type, end_transaction_id from circle_version where id = %s",
        b"select operation_type, end_transaction_id from circle_member_version where circle = %s",
    ):
        cursor = await connection.execute(statement, [circle])
        assert await cursor.fetchall() == [(2, None)]
