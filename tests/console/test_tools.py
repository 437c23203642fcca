"""Tools: who takes and returns them, also at the same time, and what the tool is told."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import pytest
from msgspec.structs import replace

from console.database import Connection, Database
from console.rights.access import Answer
from console.rights.publish import unix_ms
from console.tools.checkout import Checkouts
from console.tools.tool import (
    HasIt,
    Holder,
    NeedsBetterCard,
    NobodyHasIt,
    NoMember,
    NoSuchTool,
    NotInCircle,
    Returns,
    SomebodyElseHasIt,
    Takes,
    Tool,
    is_name,
    returning,
    taking,
    topic,
)
from console.web.keys import NoBroker
from sync.rights import Decision, Reason
from tests.support import makerspace
from tests.support.authors import SOMEBODY
from tests.support.old_hardware import OldBroker, old_broker

KARI, OLA = Holder(1, "kari", None), Holder(2, "ola", None)
YES = Answer(Decision(Reason.ALLOWED), is_employed=False, is_in_circle=True, window=None)
NOT_PAYING = Answer(Decision(Reason.EXPIRED), is_employed=False, is_in_circle=True, window=None)
OUTSIDE = Answer(Decision(Reason.NO_RIGHT), is_employed=True, is_in_circle=False, window=None)


def tool(holder: Holder | None = None) -> Tool:
    return Tool(7, "lathe", "metal", holder)


def test_whoever_may_use_a_tool_takes_it_also_from_somebody_else():
    assert taking(tool(), YES, actor=1) == Takes(None)
    assert taking(tool(OLA), YES, actor=1) == Takes(OLA)


def test_the_circle_comes_before_the_membership_and_that_before_who_has_it():
    assert taking(tool(KARI), OUTSIDE, actor=1) == NotInCircle("metal")
    assert taking(tool(KARI), NOT_PAYING, actor=1) == NoMember()
    assert taking(tool(KARI), YES, actor=1) == HasIt()


def test_a_tool_for_better_cards_is_not_taken_without_one():
    answer = replace(YES, decision=Decision(Reason.ASSURANCE_TOO_LOW))
    assert taking(tool(), answer, actor=1) == NeedsBetterCard()


def test_a_tool_is_given_back_by_who_has_it_who_may_use_it_and_admins():
    assert returning(tool(KARI), OUTSIDE, actor=1, is_admin=False) == Returns()
    assert returning(tool(KARI), YES, actor=2, is_admin=False) == Returns()
    assert returning(tool(KARI), OUTSIDE, actor=2, is_admin=True) == Returns()
    refused = SomebodyElseHasIt(tool(KARI), KARI)
    for answer in (OUTSIDE, NOT_PAYING):
        assert returning(tool(KARI), answer, actor=2, is_admin=False) == refused
    assert returning(tool(), YES, actor=1, is_admin=True) == NobodyHasIt()


@pytest.mark.parametrize("name", ["lathe", "a/b", "Drill press", "", "æøå", "x" * 50])
def test_a_name_that_can_stand_in_a_topic(name: str):
    assert is_name(name)
    assert topic("p/tool", name, "lock") == f"p/tool/{name}/lock"


@pytest.mark.parametrize("name", ["a+b", "#", "a\0b", "a\nb", "\ud800", "\uffff", "\x7f", "x" * 51])
def test_a_name_that_would_break_the_topic_or_the_connection_gives_none(name: str):
    assert not is_name(name)
    assert topic("p/tool", name, "lock") is None


@dataclass
class Workshop:
    """Kari, Ola and Emil pay and are in circle `door`, which the lathe is for; Eva is nothing."""

    database: Database
    connection: Connection
    people: dict[str, int]
    lathe: int

    def checkouts(self, broker: Any = None) -> Checkouts:
        return Checkouts(
            self.database, broker or NoBroker(), prefix="public/p2k16-dev/tool", now_ms=unix_ms
        )

    async def sql(self, statement: LiteralString, *values: object) -> list[tuple[Any, ...]]:
        cursor = await self.connection.execute(statement, values)
        return await cursor.fetchall() if cursor.description else []

    async def holders(self) -> list[int]:
        rows = await self.sql("select account from tool_checkout order by id")
        return [row[0] for row in rows]

    async def events(self) -> list[tuple[str, int]]:
        rows = await self.sql(
            "select name, created_by from event where domain = 'tool' and text1 = 'lathe'"
            " order by id"
        )
        return [(row[0], row[1]) for row in rows]


@pytest.fixture
async def workshop(database: Database, connection: Connection) -> Workshop:
    people: dict[str, int] = {}
    for name in ("kari", "ola", "emil", "eva"):
        people[name] = await makerspace.account(connection, username=name)
        if name != "eva":
            await makerspace.payment(connection, account=people[name])
            await makerspace.circle_member(connection, account=people[name])
    cursor = await connection.execute(
        "insert into tool_description"
        " (created_at, created_by, updated_at, updated_by, name, circle)"
        " values (now(), 3, now(), 3, 'lathe', 2) returning id"
    )
    row = await cursor.fetchone()
    assert row is not None
    return Workshop(database, connection, people, row[0])


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncGenerator[OldBroker]:
    async with old_broker(tmp_path) as broker:
        yield broker


async def test_the_tool_hears_of_a_take_over_as_lock_and_unlock(
    workshop: Workshop, broker: OldBroker
):
    checkouts = workshop.checkouts(broker.link)
    kari, ola = workshop.people["kari"], workshop.people["ola"]
    lathe = workshop.lathe
    assert await checkouts.check_out(lathe, actor=kari, by=SOMEBODY) == Takes(None)
    taken = await checkouts.check_out(lathe, actor=ola, by=SOMEBODY)
    assert isinstance(taken, Takes)
    assert await checkouts.check_in(lathe, actor=ola, is_admin=False, by=SOMEBODY) == Returns()
    prefix = "public/p2k16-dev/tool/lathe"
    assert await broker.heard(4) == [
        (f"{prefix}/unlock", b"true"),
        (f"{prefix}/lock", b"true"),
        (f"{prefix}/unlock", b"true"),
        (f"{prefix}/lock", b"true"),
    ]
    assert await workshop.events() == [
        ("checkout", kari), ("checkin", ola), ("checkout", ola), ("checkin", ola)
    ]  # fmt: skip


async def test_the_tool_is_told_after_the_commit_and_never_of_what_was_refused(
    workshop: Workshop,
):
    seen: list[tuple[str, list[int]]] = []

    class Watching:
        async def publish(
            self, topic: str, payload: bytes, *, retain: bool = False, qos: int = 1
        ) -> None:
            assert (payload, retain, qos) == (b"true", False, 0)
            seen.append((topic, await workshop.holders()))

    checkouts = workshop.checkouts(Watching())
    eva, kari, ola = (workshop.people[name] for name in ("eva", "kari", "ola"))
    assert isinstance(
        await checkouts.check_out(workshop.lathe, actor=eva, by=SOMEBODY), NotInCircle
    )
    await checkouts.check_out(workshop.lathe, actor=kari, by=SOMEBODY)
    assert await checkouts.check_out(workshop.lathe, actor=kari, by=SOMEBODY) == HasIt()
    assert await checkouts.check_out(999, actor=kari, by=SOMEBODY) == NoSuchTool()
    prefix = "public/p2k16-dev/tool/lathe"
    assert seen == [(f"{prefix}/unlock", [kari])]
    seen.clear()
    taken = await checkouts.check_out(workshop.lathe, actor=ola, by=SOMEBODY)
    assert isinstance(taken, Takes)
    assert seen == [(f"{prefix}/lock", [ola]), (f"{prefix}/unlock", [ola])], "taken over"


async def test_without_a_broker_a_tool_is_taken_all_the_same(workshop: Workshop):
    kari = workshop.people["kari"]
    await workshop.checkouts().check_out(workshop.lathe, actor=kari, by=SOMEBODY)
    assert await workshop.holders() == [kari]


async def test_a_broker_that_hangs_holds_nobody_up_for_long(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("console.tools.checkout.PUBLISH_SECONDS", 0.1)

    class Hanging:
        async def publish(
            self, topic: str, payload: bytes, *, retain: bool = False, qos: int = 1
        ) -> None:
            await asyncio.sleep(60)

    kari = workshop.people["kari"]
    async with asyncio.timeout(3):
        await workshop.checkouts(Hanging()).check_out(workshop.lathe, actor=kari, by=SOMEBODY)
    assert await workshop.holders() == [kari]


async def test_of_an_old_name_with_wildcards_nothing_is_published(
    workshop: Workshop, broker: OldBroker
):
    await workshop.sql("update tool_description set name = 'lathe/#'")
    checkouts = workshop.checkouts(broker.link)
    for name in ("kari", "ola"):
        await checkouts.check_out(workshop.lathe, actor=workshop.people[name], by=SOMEBODY)
    assert await broker.heard(0) == []
    assert await workshop.holders() == [workshop.people["ola"]]


async def test_of_many_who_take_one_tool_at_once_one_has_it_in_the_end(workshop: Workshop):
    # Two consoles, so that only the database stands between them.
    rooms = [workshop.checkouts(), workshop.checkouts()]
    people = [workshop.people[name] for name in ("kari", "ola", "emil")]
    takings = [
        room.check_out(workshop.lathe, actor=person, by=SOMEBODY)
        for room in rooms
        for person in people
    ]
    await asyncio.gather(*takings)
    (holder,) = await workshop.holders()
    events = await workshop.events()
    assert events[-1] == ("checkout", holder)
    names = [name for name, _ in events]
    assert names.count("checkout") == names.count("checkin") + 1


async def test_of_two_who_return_it_at_once_one_is_told_that_nobody_has_it(workshop: Workshop):
    kari = workshop.people["kari"]
    rooms = [workshop.checkouts(), workshop.checkouts()]
    await rooms[0].check_out(workshop.lathe, actor=kari, by=SOMEBODY)
    returnings = [
        room.check_in(workshop.lathe, actor=kari, is_admin=False, by=SOMEBODY) for room in rooms
    ]
    results = await asyncio.gather(*returnings)
    assert {type(result) for result in results} == {Returns, NobodyHasIt}
    assert await workshop.holders() == []


async def test_two_checkouts_of_one_tool_that_the_old_web_app_left_end_together(
    workshop: Workshop,
):
    kari, ola = workshop.people["kari"], workshop.people["ola"]
    for person in (kari, ola):
        await workshop.sql(
            "insert into tool_checkout (created_at, created_by, updated_at, updated_by,"
            " tool_description, account) values (now(), %s, now(), %s, %s, %s)",
            person, person, workshop.lathe, person,
        )  # fmt: skip
    taken = await workshop.checkouts().check_out(workshop.lathe, actor=kari, by=SOMEBODY)
    assert isinstance(taken, Takes)
    assert taken.from_whom is not None
    assert taken.from_whom.account_id == ola
    assert await workshop.holders() == [kari]
