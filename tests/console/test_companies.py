"""Companies: who is employed where, and what is written when something is saved."""

import asyncio
from datetime import datetime

import pytest

from console.companies import keeping, queries
from console.companies.company import Draft, Flaw, Refused
from console.database import Connection, Database
from tests.support import makerspace
from tests.support.makerspace import SYSTEM

MISSING = 999999


def draft(name: str = "Acme", *, contact: int = SYSTEM, is_active: bool = True) -> Draft:
    return Draft(name=name, contact_id=contact, is_active=is_active)


async def save(
    database: Database, of: Draft, *, company: int | None = None, actor: int = SYSTEM
) -> int | Flaw:
    async with database.writing() as conn:
        return await keeping.save(conn, of, company_id=company, actor_id=actor)


async def made(database: Database, of: Draft) -> int:
    saved = await save(database, of)
    assert isinstance(saved, int)
    return saved


async def authorship(connection: Connection, company: int) -> tuple[int, datetime, int, datetime]:
    cursor = await connection.execute(
        "select created_by, created_at, updated_by, updated_at from company where id = %s",
        [company],
    )
    row = await cursor.fetchone()
    assert row is not None
    return row


async def count(connection: Connection, statement: bytes) -> int:
    cursor = await connection.execute(statement)
    row = await cursor.fetchone()
    assert row is not None
    return row[0]


async def test_a_new_company_is_its_makers_and_a_change_keeps_that(
    database: Database, connection: Connection
) -> None:
    ola = await makerspace.account(connection, username="ola")
    company = await made(database, draft())
    before = await authorship(connection, company)
    assert await save(database, draft(is_active=False), company=company, actor=ola) == company
    after = await authorship(connection, company)
    assert after[:3] == (SYSTEM, before[1], ola)
    assert after[3] > before[3]
    (row,) = await queries.companies(connection)
    assert (row.name, row.is_active, row.contact_id) == ("Acme", False, SYSTEM)
    assert (row.created_by, row.updated_by) == ("system", "ola")


async def test_saving_what_is_so_already_writes_nothing(
    database: Database, connection: Connection
) -> None:
    ola = await makerspace.account(connection, username="ola")
    company = await made(database, draft())
    before = await authorship(connection, company)
    versions = b"select count(*) from company_version"
    assert await count(connection, versions) == 1
    assert await save(database, draft(), company=company, actor=ola) == company
    assert await authorship(connection, company) == before
    assert await count(connection, versions) == 1


async def test_a_name_belongs_to_one_company(database: Database, connection: Connection) -> None:
    acme = await made(database, draft("Acme"))
    other = await made(database, draft("Other"))
    assert await save(database, draft("Acme")) is Flaw.NAME_TAKEN
    assert await save(database, draft("Acme"), company=other) is Flaw.NAME_TAKEN
    assert await save(database, draft("acme"), company=acme) == acme
    assert [row.name for row in await queries.companies(connection)] == ["acme", "Other"]


async def test_of_two_who_make_the_same_company_at_once_one_is_told(database: Database) -> None:
    outcomes = await asyncio.gather(*(save(database, draft()) for _ in range(5)))
    assert outcomes.count(Flaw.NAME_TAKEN) == 4


async def test_somebody_must_be_there_to_turn_to(database: Database) -> None:
    assert await save(database, draft(contact=MISSING)) is Flaw.NO_SUCH_CONTACT
    assert await save(database, draft(), company=MISSING) is Flaw.NO_SUCH_COMPANY


async def test_somebody_is_employed_once_and_dismissed_once(
    database: Database, connection: Connection
) -> None:
    kari = await makerspace.account(connection, username="kari")
    company = await made(database, draft())

    async def employ() -> Refused | None:
        async with database.writing() as conn:
            return await keeping.employ(conn, company_id=company, account_id=kari, actor_id=SYSTEM)

    async def dismiss() -> Refused | None:
        async with database.writing() as conn:
            return await keeping.dismiss(conn, company_id=company, account_id=kari)

    assert await dismiss() is Refused.NOT_EMPLOYED
    outcomes = await asyncio.gather(employ(), employ(), employ())
    assert outcomes.count(None) == 1
    assert outcomes.count(Refused.ALREADY_EMPLOYED) == 2
    (row,) = await queries.employees(connection, company_id=company)
    assert (row.account_id, row.account_username, row.created_by) == (kari, "kari", "system")
    assert await dismiss() is None
    assert await queries.employees(connection, company_id=company) == []


@pytest.mark.parametrize("operation", ["employ", "dismiss"])
async def test_nobody_works_for_nothing_or_is_nobody(
    database: Database, connection: Connection, operation: str
) -> None:
    company = await made(database, draft())
    for of, account, refused in (
        (MISSING, SYSTEM, Refused.NO_SUCH_COMPANY),
        (company, MISSING, Refused.NO_SUCH_ACCOUNT),
    ):
        async with database.writing() as conn:
            if operation == "employ":
                outcome = await keeping.employ(
                    conn, company_id=of, account_id=account, actor_id=SYSTEM
                )
            else:
                outcome = await keeping.dismiss(conn, company_id=of, account_id=account)
        assert outcome is refused
    assert await queries.employees(connection, company_id=company) == []
