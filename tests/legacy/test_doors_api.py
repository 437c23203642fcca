"""`POST /service/door/open`: what an old client sends and gets, whatever moves the doors."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any, LiteralString

import pytest

from console.controllers.orders import Orders
from console.database import Connection, Database
from console.doors.commands import NewDoor, add_door
from console.events.storing import CommandResult
from console.link.outbound import Outbound
from console.rights.publish import unix_ms
from sync.ids import Nonce
from sync.messages import NO_VERSION, Report
from tests.support import console_app, makerspace
from tests.support.console_app import Client, Site
from tests.support.controller_stand_in import JournalStandIn
from tests.support.old_hardware import DoorController, door_controller, old_site
from tests.support.site import RightsSite
from tests.support.waiting import eventually

PATH = "/service/door/open"
NO = "kari does not have an active membership, or lacks door circle membership"


@dataclass
class House:
    """Kari pays and is in circle door; `front` and `back` are the door controller's."""

    site: Site
    controller: DoorController
    browser: Client
    kari: int

    async def open(self, body: object) -> tuple[int, Any]:
        answer = await self.browser.post(PATH, json=body)
        error = answer.content_type == "application/vnd.error+json"
        assert error == (answer.status >= 400)
        told: Any = await answer.json()
        return answer.status, told["message"] if error else told

    async def rows(self, statement: LiteralString) -> list[tuple[Any, ...]]:
        return await (await self.site.connection.execute(statement)).fetchall()


@pytest.fixture
async def house(database: Database, connection: Connection) -> AsyncGenerator[House]:
    for key in ("front", "back"):
        await add_door(database, NewDoor(key, f"The {key}", ["door"], 10, driver="dlock"))
    kari = await console_app.member(connection, "kari")
    await makerspace.payment(connection, account=kari)
    await makerspace.circle_member(connection, account=kari)
    async with (
        door_controller() as controller,
        old_site(database, connection, controller=controller) as site,
    ):
        yield House(site, controller, await site.browser("kari"), kari)


async def test_doors_open_in_the_order_in_which_they_are_named_each_as_often(house: House):
    assert await house.open({"doors": ["front", "back", "front"]}) == (200, {})
    assert [asked[1] for asked in house.controller.asked] == [
        "/doors/front/unlock?duration=10",
        "/doors/back/unlock?duration=10",
        "/doors/front/unlock?duration=10",
    ]


async def test_the_first_opening_leaves_the_rows_that_the_old_web_app_left(house: House):
    await house.open({"doors": ["front"]})
    events = await house.rows(
        "select id, created_by, domain, name, int1, int2, text1 from event order by id"
    )
    ((award, given, by),) = await house.rows(
        "select id, account, awarded_by from account_badge where created_by = updated_by"
    )
    ((description,),) = await house.rows(
        "select id from badge_description where title = 'first-door-opening'"
    )
    assert (given, by) == (house.kari, makerspace.SYSTEM)
    assert [event[1:] for event in events] == [
        (house.kari, "badge", "awarded", award, description, None),
        (house.kari, "door", "open", None, None, "front"),
    ]
    assert award < events[0][0]
    ((address,),) = await house.rows(
        'select t.remote_addr from "transaction" t'
        " join account_badge_version v on v.transaction_id = t.id"
    )
    assert address == "127.0.0.1"


async def test_an_unknown_door_is_said_before_anything_else_and_nothing_opens(house: House):
    await house.rows("with gone as (delete from stripe_payment returning 1) select * from gone")
    assert await house.open({"doors": ["front", "cellar"]}) == (400, "Unknown door: cellar")
    assert await house.open({"doors": ["front"]}) == (400, NO)
    assert house.controller.asked == []
    assert await house.rows("select id from event") == []
    assert await house.rows("select id from access.command") == []


async def test_whoever_may_not_open_all_opens_none(house: House):
    await house.rows(
        "with gone as (delete from access.door_circle where door = 'back' returning 1)"
        " select * from gone"
    )
    assert await house.open({"doors": ["front", "back"]}) == (400, NO)
    assert house.controller.asked == []


@pytest.mark.parametrize(
    ("statuses", "status", "words"),
    [
        ([500, 500], 502, "front: The old door controller answered 500."),
        ([404], 502, "front: The old door controller answered 404."),
        ([200, 500, 500], 502,
         "back: The old door controller answered 500. Opened before it: front."),
    ],
)  # fmt: skip
async def test_a_door_that_did_not_open_is_named_with_the_reason(
    house: House, statuses: list[int], status: int, words: str
):
    house.controller.statuses = list(statuses)
    assert await house.open({"doors": ["front", "back"]}) == (status, words)
    opened = [row[0] for row in await house.rows("select text1 from event where domain = 'door'")]
    assert opened == (["front"] if len(statuses) == 3 else [])


async def test_silence_of_the_door_controller_is_a_gateway_timeout(house: House):
    house.controller.statuses = [-1, -1]
    status, words = await house.open({"doors": ["front"]})
    assert status == 504
    assert words == (
        "front: The old door controller did not answer within 3 s, so the door may have opened."
    )
    assert await house.rows("select id from event") == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        None,
        {"doors": "front"},
        {"doors": None},
        {"doors": [5]},
        {"doors": []},
        {"doors": ["front"] * 101},
    ],
)
async def test_a_body_that_names_no_doors_is_refused_without_effect(house: House, body: object):
    status, words = await house.open(body)
    assert status == 400
    assert words
    assert house.controller.asked == []
    assert await house.rows("select id from event") == []


async def test_many_doors_open_as_few_do(house: House):
    assert await house.open({"doors": ["front", "back"] * 10}) == (200, {})
    assert len(house.controller.asked) == 20


async def test_odd_keys_are_unknown_doors(house: House):
    for key in ("../front", "front/../x", "FRONT", "", "front?duration=999", "x" * 200):
        assert await house.open({"doors": [key]}) == (400, f"Unknown door: {key}")
    for key in ("\0", "\ud800"):
        assert await house.open({"doors": ["front", key]}) == (400, "Unknown door: \ufffd")
    words = f"Unknown door: {'x' * 200}…"
    assert await house.open({"doors": ["front", "x" * 60_000]}) == (400, words)
    assert house.controller.asked == []


async def test_a_door_of_ours_that_cant_be_asked_is_no_opening(house: House):
    await makerspace.controller(house.site.connection)
    await makerspace.door(house.site.connection, key="side")
    status, words = await house.open({"doors": ["side"]})
    assert status == 503
    assert words


CONTROLLER_ANSWERS = [
    (None, 200, None),
    ("relay_fault", 502, "front: The controller refused: its relay did not move."),
    ("silence", 504, "front: No answer from the controller for 1 s: use your card."),
]


@pytest.mark.parametrize(("refusal", "status", "words"), CONTROLLER_ANSWERS)
async def test_a_door_of_ours_opens_when_its_controller_says_so_and_only_then(
    rights_site: RightsSite,
    monkeypatch: pytest.MonkeyPatch,
    refusal: str | None,
    status: int,
    words: str | None,
):
    monkeypatch.setattr("console.controllers.orders.WAIT_SECONDS", 1)
    site = rights_site
    orders = Orders(site.database, Outbound(site.broker, "p2k16", site.keys), now_ms=unix_ms)
    journal = JournalStandIn(site.bundle.controller, site.bundle.entry_key)
    report = Report(journal.boot, journal.journal, 1, Nonce("aa" * 16), NO_VERSION, 0, {})
    orders.reported(site.bundle.controller, report)

    async def command() -> str | None:
        rows = await site.rows("select id::text from access.command")
        return rows[0][0] if rows else None

    async with old_site(site.database, site.connection, orders=orders) as served:
        browser = await served.browser("kari")
        asking = asyncio.create_task(browser.post(PATH, json={"doors": ["front"]}))
        sent = await eventually(command)
        if refusal != "silence":
            orders.answered(CommandResult(sent, refusal))
        answer = await asking
        told = await answer.json()
    assert answer.status == status
    assert told == {} if words is None else told["message"].startswith(words)
    # What it writes down is what the controller tells, once: nothing comes of the request itself.
    assert await site.rows("select id from event") == []


async def test_nobody_and_get_are_kept_out(house: House):
    stranger = await house.site.browser()
    assert (await stranger.post(PATH, json={"doors": ["front"]})).status == 401
    assert (await house.browser.get(PATH)).status == 405
    assert (await house.browser.post(PATH, data="{", headers={})).status == 400
