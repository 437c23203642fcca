"""Doors that the old door controller moves, or a topic: what is asked, and what is written down."""

import asyncio
import base64
import html
import logging
import re
from collections.abc import AsyncGenerator
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
import structlog

from console.database import Connection, Database
from console.doors.commands import NewDoor, add_door
from console.doors.dlock import Dlock, Failure
from console.doors.opening import Failed, NoSuchDoor, NotAllowed, Opened
from console.errors import BadRequest, Busy
from console.events.recent import recent_days
from console.rights import queries as rights
from console.rights.access import who_may_open
from console.rights.derive import derive
from console.rights.facts import Controller
from console.rights.publish import unix_ms
from console.settings import LegacySettings
from console.web.routing import Who
from sync.ids import AccountRef, ControllerId, PointKey
from tests.support import console_app, makerspace
from tests.support.authors import SOMEBODY
from tests.support.old_hardware import (
    PASSWORD,
    USER,
    door_controller,
    old_broker,
    old_site,
    quick_dlock,
)
from tests.support.old_house import (
    BACK,
    FRONT,
    GATE,
    House,
    any_door,
    make_doors,
    old_house,
    paying,
)
from tests.support.waiting import eventually


@pytest.fixture
async def house(database: Database, connection: Connection) -> AsyncGenerator[House]:
    async with old_house(database, connection) as house:
        yield house


async def test_the_door_controller_is_asked_as_it_was_by_the_old_web_app(house: House):
    assert isinstance(await house.open(FRONT), Opened)
    pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    assert house.controller.asked == [
        ("POST", "/doors/front/unlock?duration=10", f"Basic {pair}", b"")
    ]


async def test_an_opening_is_written_as_the_old_web_app_wrote_it_and_the_first_gives_a_badge(
    house: House,
):
    for _ in range(2):
        assert isinstance(await house.open(FRONT), Opened)
    assert await house.events() == [
        ("badge", "awarded", None, house.kari),
        ("door", "open", "front", house.kari),
        ("door", "open", "front", house.kari),
    ]
    assert await house.commands() == [("front", "open", house.kari, "executed")] * 2


async def test_who_asks_is_written_down_before_the_door_is_asked(house: House):
    loop = asyncio.get_running_loop()
    seen: list[asyncio.Task[list[tuple[Any, ...]]]] = []
    house.controller.on_asked = lambda: seen.append(loop.create_task(house.commands()))
    await house.open(FRONT)
    assert await seen[0] == [("front", "open", house.kari, None)]


async def test_what_was_under_way_when_the_program_ended_stays_visible(
    database: Database, connection: Connection
):
    await make_doors(database)
    kari = await paying(connection)
    await console_app.admin(connection, "ola")
    async with (
        door_controller() as controller,
        old_site(database, connection, controller=controller) as site,
    ):
        controller.statuses = [-1]
        dlock = Dlock(controller.legacy)
        opening = asyncio.create_task(
            any_door(database, dlock).open([FRONT], actor=AccountRef(kari), by=SOMEBODY)
        )
        await eventually(lambda: controller.asked)
        opening.cancel()
        await asyncio.wait([opening])
        await dlock.close()
        browser = await site.browser("ola")
        page = words(await (await browser.get("/doors/front")).text())
    assert (
        "Kari Nordmann asked to open it from the console It is not known whether it was done."
        in page
    )
    cursor = await connection.execute("select count(*) from event")
    assert await cursor.fetchone() == (0,)


async def test_the_same_door_twice_is_opened_twice(house: House):
    await house.open(FRONT, FRONT)
    assert len(house.controller.asked) == 2
    assert [event[0] for event in await house.events()] == ["badge", "door", "door"]


async def test_the_rule_is_asked_for_all_doors_before_any_is_opened(house: House):
    attic = await makerspace.circle(house.connection, name="attic")
    await house.sql("update access.door_circle set circle = %s where door = 'back'", attic)
    assert isinstance(await house.open(FRONT, BACK), NotAllowed)
    assert await house.open(FRONT, PointKey("cellar")) == NoSuchDoor()
    await house.sql("delete from stripe_payment")
    assert isinstance(await house.open(FRONT), NotAllowed)
    assert house.controller.asked == []
    assert await house.commands() == []
    assert await house.events() == []


FAILURES = [
    ([500, 200], 2, Opened),
    ([503, 503], 2, Failed("The old door controller answered 503.", is_late=False)),
    ([404, 200], 1, Failed("The old door controller answered 404.", is_late=False)),
    ([401, 200], 1, Failed("The old door controller answered 401.", is_late=False)),
    ([302, 200], 1, Failed("The old door controller answered 302.", is_late=False)),
    ([-2, 200], 2, Opened),
    (
        [-2, -2],
        2,
        Failed("The old door controller hung up, so the door may have opened.", is_late=True),
    ),
    ([-1, 200], 2, Opened),
]


@pytest.mark.parametrize(("statuses", "asked", "outcome"), FAILURES)
async def test_a_fault_is_tried_again_and_a_refusal_is_not(
    house: House, statuses: list[int], asked: int, outcome: Any
):
    house.controller.statuses = list(statuses)
    became = await house.open(FRONT)
    assert became == outcome if isinstance(outcome, Failed) else isinstance(became, Opened)
    assert len(house.controller.asked) == asked


async def test_a_failure_is_written_down_without_anything_of_the_old_web_apps(house: House):
    house.controller.statuses = [-1, -1]
    became = await house.open(FRONT)
    assert isinstance(became, Failed)
    assert became.is_late
    assert "did not answer within" in became.words
    ((_, _, _, result),) = await house.commands()
    assert result.startswith("failed: did not answer within")
    assert await house.events() == []


async def test_of_several_doors_those_before_the_failure_count_as_opened(house: House):
    house.controller.statuses = [200, 500, 500]
    tried = await house.doors.open([FRONT, BACK, FRONT], actor=AccountRef(house.kari), by=SOMEBODY)
    assert (tried.door, tried.opened) == (BACK, (FRONT,))
    assert [event[2] for event in await house.events()] == [None, "front"]


async def test_all_tries_together_have_an_end(house: House):
    house.controller.statuses = [-1] * 9
    began = asyncio.get_running_loop().time()
    async with quick_dlock(house.controller, retries=5, budget_seconds=0.5) as dlock:
        failure = await dlock.unlock(FRONT, seconds=5)
    assert isinstance(failure, Failure)
    assert asyncio.get_running_loop().time() - began < 1
    assert len(house.controller.asked) == 2


async def test_without_anybody_there_it_says_so(house: House):
    house.controller.url = "http://127.0.0.1:1/"
    async with quick_dlock(house.controller) as dlock:
        assert await dlock.unlock(FRONT, seconds=5) == Failure("can't be reached")
    failure = await Dlock(LegacySettings()).unlock(FRONT, seconds=5)
    assert failure is not None
    assert "dlock_url" in failure.words


async def test_the_password_is_in_no_log_no_row_and_no_answer(
    house: House, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    outcomes: list[str] = []
    with structlog.testing.capture_logs() as logged:
        for statuses in ([500, 500], [-2, -2], [-1, -1], [401], [200]):
            house.controller.statuses = statuses
            outcomes.append(repr(await house.open(FRONT)))
    told = f"{outcomes} {logged} {caplog.text} {await house.commands()} {house.controller.legacy}"
    assert "old_door.failed" in told
    assert PASSWORD not in told
    assert pair not in told


async def test_a_topic_gets_the_seconds_and_the_broker_must_have_it(
    database: Database, connection: Connection, tmp_path: Path
):
    await make_doors(database)
    actor = AccountRef(await paying(connection))
    async with old_broker(tmp_path) as broker:
        doors = any_door(database, Dlock(LegacySettings()), broker.link)
        tried = await doors.open([GATE], actor=actor, by=SOMEBODY)
        assert isinstance(tried.outcome, Opened)
        assert await broker.heard(1) == [("public/p2k16-dev/gate/open", b"7")]
        broker.broker.stop_now()
        tried = await doors.open([GATE], actor=actor, by=SOMEBODY)
        assert tried.outcome == Failed("The MQTT broker can't be reached.", is_late=False)
    cursor = await connection.execute("select text1 from event where domain = 'door'")
    assert await cursor.fetchall() == [("gate",)]


async def test_many_first_openings_at_once_give_one_badge(house: House):
    outcomes = await asyncio.gather(*(house.open(FRONT) for _ in range(10)))
    assert all(isinstance(outcome, Opened) for outcome in outcomes)
    events = [event[0] for event in await house.events()]
    assert sorted(events) == ["badge"] + ["door"] * 10


async def test_a_door_of_a_controller_that_cant_be_asked_is_not_claimed_to_open(house: House):
    await makerspace.controller(house.connection)
    await makerspace.door(house.connection, key="side")
    with pytest.raises(Busy):
        await house.open(PointKey("side"))


async def test_such_a_door_is_weighed_as_any_other_and_stands_in_no_snapshot(house: House):
    await makerspace.controller(house.connection)
    async with house.database.reading() as conn:
        who = await who_may_open(conn, door_key=FRONT, now_ms=unix_ms(), most=9)
        facts = await rights.facts(conn, now_ms=unix_ms())
    assert [person.account for person in who] == [house.kari]
    assert {door.key for door in facts.doors} == {FRONT, BACK, GATE}
    controllers = (Controller(ControllerId("front-pi"), bytes(32)),)
    without_cards = rights.Facts(controllers, facts.doors, facts.people, ())
    contents = derive(without_cards, unix_ms(), UTC).contents
    assert contents[ControllerId("front-pi")].points == {}


def words(page: str) -> str:
    return " ".join(html.unescape(re.sub("<[^>]*>", "", page)).split())


async def test_the_button_opens_it_and_the_pages_show_it_as_it_is(
    database: Database, connection: Connection
):
    await make_doors(database)
    await paying(connection)
    await console_app.admin(connection, "ola")
    async with (
        door_controller() as controller,
        old_site(database, connection, controller=controller) as site,
    ):
        browser = await site.browser("kari")
        opened = await browser.post("/doors/front/openings")
        assert opened.status == 200
        assert "Opened after" in words(await opened.text())
        controller.statuses = [404]
        failed = await browser.post("/doors/front/openings")
        assert failed.status == 422
        assert "The old door controller answered 404." in words(await failed.text())
        front = words(await (await browser.get("/")).text())
        ola = await site.browser("ola")
        page = words(await (await ola.get("/doors/front")).text())
        doors = words(await (await ola.get("/doors")).text())
    assert "Opened through the old door controller opened just now" in front
    assert "Kari Nordmann opened The front from the console" in front
    assert "Kari Nordmann opened it from the console" in page
    assert "Kari Nordmann could not open it from the console What opens it answered 404." in page
    assert "the old door controller: it reports nothing, and takes no cards" in page
    assert "Opened through MQTT" in doors
    for nothing_known in ("Locked", "rights published", "Up to date", "never heard"):
        assert nothing_known not in page + doors


async def test_an_admin_and_a_member_see_the_same_opening_in_the_list(house: House):
    await house.open(FRONT)
    house.controller.statuses = [404]
    await house.open(FRONT)
    for audience in (Who.MEMBER, Who.ADMIN):
        async with house.database.reading() as conn:
            days = await recent_days(conn, audience)
        assert [(line.who, line.did) for day in days for line in day.lines] == [
            ("Kari Nordmann", "opened The front from the console")
        ]


@pytest.mark.parametrize(
    ("door", "wrong"),
    [
        (NewDoor("a", "x", [], 5), ["--controller"]),
        (NewDoor("a", "x", [], 5, controller="A!", topic="t"), ["--controller", "--topic"]),
        (NewDoor("A", "", ["moon"], 0, driver="mqtt"),
         ["KEY", "--name", "--open-seconds", "--topic", "moon"]),
        (NewDoor("a", "x", [], 5, driver="mqtt", topic="a/#"), ["--topic"]),
        (NewDoor("a", "x", [], 5, driver="mqtt", topic="a\nb"), ["--topic"]),
        (NewDoor("a", "x", [], 5, driver="mqtt", topic="x" * 101), ["--topic"]),
        (NewDoor("a", "x", [], 5, driver="dlock", controller="pi", topic="t"),
         ["--controller", "--topic"]),
        (NewDoor("a", "x", [], 5, driver="rope"), ["--driver"]),
    ],
)  # fmt: skip
async def test_a_door_with_mistakes_is_refused_with_all_of_them(
    database: Database, connection: Connection, door: NewDoor, wrong: list[str]
):
    with pytest.raises(BadRequest) as refused:
        await add_door(database, door)
    told = str(refused.value)
    assert all(one in told for one in wrong), told
    assert told.count("; ") == len(wrong) - 1, told
    cursor = await connection.execute("select count(*) from access.door")
    assert await cursor.fetchone() == (0,)
