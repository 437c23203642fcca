"""Badges: who awards which, and what is written of it."""

import asyncio

import pytest

from console.badges import awarding
from console.badges.badge import Given, Kind, Refused, may_award
from console.badges.queries import awards, descriptions
from console.database import Connection, Database
from tests.support import makerspace
from tests.support.makerspace import SYSTEM


def test_a_badge_without_a_certification_circle_is_awarded_by_anybody() -> None:
    assert may_award(Kind(1, certification_circle_id=None), frozenset())


def test_a_badge_with_one_is_awarded_by_its_members() -> None:
    laser = Kind(1, certification_circle_id=6)
    assert may_award(laser, {5, 6})
    assert not may_award(laser, {5})


async def award(
    database: Database, title: str, *, by: int, recipient: str | None = None
) -> Refused | None:
    async with database.writing() as conn:
        return await awarding.award(conn, title=title, recipient=recipient, awarder_id=by)


async def test_an_award_says_who_and_whom_and_is_an_event(
    database: Database, connection: Connection
) -> None:
    ola = await makerspace.account(connection, username="ola")
    kari = await makerspace.account(connection, username="Kari")
    assert await award(database, "Solderer", by=ola, recipient="kARI") is None
    (badge,) = await awards(connection)
    (description,) = await descriptions(connection)
    assert (badge.account_id, badge.account_username) == (kari, "Kari")
    assert (badge.awarded_by_id, badge.awarded_by_username) == (ola, "ola")
    assert (badge.created_by, badge.updated_by) == ("ola", "ola")
    assert badge.description_id == description.id
    assert (description.title, description.created_by) == ("Solderer", "ola")
    assert description.certification_circle_id is None
    cursor = await connection.execute(
        "select created_by, domain, name, int1, int2, created_at from event"
    )
    assert await cursor.fetchall() == [
        (ola, "badge", "awarded", badge.id, description.id, badge.created_at)
    ]


async def test_titles_are_exact_and_each_is_made_once(
    database: Database, connection: Connection
) -> None:
    ola = await makerspace.account(connection)
    for title in ("Solderer", "solderer", " Solderer", "Solderer"):
        assert await award(database, title, by=ola) is None
    titles = [row.title for row in await descriptions(connection)]
    assert titles == ["Solderer", "solderer", " Solderer"]
    assert len(await awards(connection, accounts=[ola])) == 4


async def test_of_several_with_one_title_the_oldest_is_meant(
    database: Database, connection: Connection
) -> None:
    ola = await makerspace.account(connection)
    oldest, _ = await description(connection, "Cook"), await description(connection, "Cook")
    assert await award(database, "Cook", by=ola) is None
    assert [badge.description_id for badge in await awards(connection)] == [oldest]


async def test_two_who_award_something_new_at_once_make_one_description(
    database: Database, connection: Connection
) -> None:
    people = [await makerspace.account(connection) for _ in range(6)]
    outcomes = await asyncio.gather(*(award(database, "Welder", by=one) for one in people))
    assert outcomes == [None] * 6
    assert [row.title for row in await descriptions(connection)] == ["Welder"]
    assert len(await awards(connection)) == 6


async def test_only_certifiers_award_what_has_a_certification_circle(
    database: Database, connection: Connection
) -> None:
    ola, kari = await makerspace.account(connection), await makerspace.account(connection)
    await makerspace.circle_member(connection, account=ola, circle="laser-cutter-admin")
    await description(connection, "laser", circle=6)
    assert await award(database, "laser", by=kari) is Refused.NOT_A_CERTIFIER
    assert await awards(connection) == []
    assert await award(database, "laser", by=ola) is None


async def test_an_unknown_recipient_gets_nothing_and_no_title_is_made(
    database: Database, connection: Connection
) -> None:
    ola = await makerspace.account(connection)
    outcome = await award(database, "Solderer", by=ola, recipient="nobody")
    assert outcome is Refused.NO_SUCH_RECIPIENT
    assert (await awards(connection), await descriptions(connection)) == ([], [])


async def test_the_program_gives_badges_whoever_may_award_them(
    database: Database, connection: Connection
) -> None:
    ola = await makerspace.account(connection, username="ola")
    await description(connection, "laser", circle=6)
    async with database.writing() as conn:
        await awarding.give(conn, title="laser", given=Given(to=ola, by=None, author=ola))
    (badge,) = await awards(connection)
    assert (badge.awarded_by_id, badge.awarded_by_username) == (None, None)
    assert badge.created_by == "ola"


@pytest.mark.parametrize("newest", [None, 2])
async def test_badges_are_chosen_by_person_or_id_or_time(
    database: Database, connection: Connection, newest: int | None
) -> None:
    ola, kari = await makerspace.account(connection), await makerspace.account(connection)
    for person in (ola, kari, ola):
        await award(database, "Solderer", by=person)
    ids = [badge.id for badge in await awards(connection)]
    assert ids == sorted(ids)
    first, second, third = ids
    if newest is None:
        assert [badge.id for badge in await awards(connection, accounts=[ola])] == [first, third]
        assert [badge.id for badge in await awards(connection, ids=[second])] == [second]
        assert await awards(connection, accounts=[]) == []
    else:
        assert [badge.id for badge in await awards(connection, newest=2)] == [third, second]


async def description(connection: Connection, title: str, *, circle: int | None = None) -> int:
    cursor = await connection.execute(
        """
        insert into badge_description (created_at, created_by, updated_at, updated_by, title,
          certification_circle)
        values (now(), %(author)s, now(), %(author)s, %(title)s, %(circle)s)
        returning id
        """,
        {"author": SYSTEM, "title": title, "circle": circle},
    )
    row = await cursor.fetchone()
    assert row is not None
    return row[0]
