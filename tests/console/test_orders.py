"""Orders to doors and tools: what goes out, what is written down, who may give them."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from msgspec import structs

from console.controllers.order import TAKES, Order, read_order
from console.controllers.orders import (
    OPENINGS_PER_ACCOUNT,
    OPENINGS_PER_CONTROLLER,
    Answered,
    Done,
    NoAnswer,
    NoSuchPoint,
    Orders,
    Refused,
)
from console.errors import Busy
from console.events.storing import CommandResult
from console.link.outbound import Outbound
from console.rights.publish import unix_ms
from console.supervision import end
from sync.commands import Command, Operation, decode_command
from sync.credential import member_ref
from sync.envelope import Kind, open_
from sync.ids import AccountRef, Nonce, PointKey
from sync.messages import NO_VERSION, Report
from sync.rights import PointKind
from tests.support import makerspace
from tests.support.authors import SOMEBODY
from tests.support.console_app import Client, admin, member
from tests.support.controller_stand_in import JournalStandIn
from tests.support.old_hardware import old_site
from tests.support.site import RightsSite, enrolled
from tests.support.waiting import eventually

FRONT, LASER = PointKey("front"), PointKey("laser")
DOOR, TOOL = PointKind.DOOR, PointKind.TOOL
KARI = AccountRef(101)


@dataclass
class Control:
    """The console's side of the orders; the test answers as the controller of a door and a tool."""

    site: RightsSite
    orders: Orders
    latest: Report

    def report(self, nonce: str = "ab") -> None:
        self.latest = replace(self.latest, nonce=Nonce(nonce * 16), mono_ms=self.latest.mono_ms + 1)
        self.orders.reported(self.site.bundle.controller, self.latest)

    def commands(self) -> list[Command]:
        key = self.site.keys.keyset.command_key
        return [
            decode_command(open_(data, Kind.COMMAND, "front-pi", public_key=key))
            for topic, data, retained in self.site.broker.messages
            if topic.endswith("/down/command") and not retained
        ]

    async def answered(self, refusal: str | None = None, *, number: int = 1) -> Command:
        """Waits for the command with this number, and answers it."""
        await eventually(lambda: len(self.commands()) >= number)
        command = self.commands()[number - 1]
        self.orders.answered(CommandResult(command.id, refusal))
        return command

    def order(self, kind: PointKind, operation: Operation, seconds: int | None = None) -> Order:
        point = FRONT if kind is DOOR else LASER
        return Order(kind, point, operation, AccountRef(self.site.kari), seconds)


@pytest.fixture
async def control(rights_site: RightsSite) -> Control:
    laser = await makerspace.tool(rights_site.connection, name="Laser")
    await makerspace.tool_point(rights_site.connection, tool=laser)
    outbound = Outbound(rights_site.broker, "p2k16", rights_site.keys)
    orders = Orders(rights_site.database, outbound, now_ms=unix_ms)
    journal = JournalStandIn(rights_site.bundle.controller, rights_site.bundle.entry_key)
    report = Report(journal.boot, journal.journal, 1, Nonce("aa" * 16), NO_VERSION, 41, {})
    return Control(rights_site, orders, report)


ALL = [(kind, operation) for kind in PointKind for operation in sorted(TAKES[kind])]


@pytest.mark.parametrize(("kind", "operation"), ALL)
async def test_an_order_goes_out_signed_and_numbered_and_is_written_down(
    control: Control, kind: PointKind, operation: Operation
):
    control.report()
    seconds = 5400 if operation is Operation.UNLOCK_UNTIL else None
    order = structs.replace(control.order(kind, operation, seconds), reason="flood in the cellar")
    giving = asyncio.create_task(control.orders.give(order, by=SOMEBODY))
    command = await control.answered()
    assert isinstance(await giving, Done)
    assert (command.operation, command.point) == (operation, order.point)
    assert (command.counter, command.challenge) == (42, "ab" * 16)
    assert command.seconds == seconds
    assert command.reason == "flood in the cellar"
    assert command.actor == member_ref(control.site.bundle.entry_key, order.actor)
    assert await control.site.rows(
        "select place, operation, new ->> 'operation', doing from access.audit"
        " where place = 'access.command'"
    ) == [("access.command", "added", operation, SOMEBODY.doing)]
    assert await control.site.rows(
        "select id::text, point, operation, actor, counter, seconds, reason from access.command"
    ) == [
        (
            *(command.id, order.point, operation, control.site.kari, 42),
            *(seconds, "flood in the cellar"),
        )
    ]


async def test_a_refusal_and_silence_are_told_as_they_are(control: Control):
    control.report()
    order = control.order(DOOR, Operation.LOCKDOWN)
    giving = asyncio.create_task(control.orders.give(order, by=SOMEBODY))
    await control.answered("unknown_point: not here")
    assert await giving == Refused("unknown_point: not here")
    assert isinstance(await control.orders.give(order, by=SOMEBODY), NoAnswer)


async def test_a_tool_is_never_opened_unlocked_or_taken_for_a_door(control: Control):
    for operation in (Operation.OPEN, Operation.UNLOCK_UNTIL, Operation.LOCKDOWN):
        with pytest.raises(ValueError, match="doesn't take"):
            control.order(TOOL, operation)
    control.report()
    as_door = structs.replace(control.order(DOOR, Operation.OPEN), point=LASER)
    assert await control.orders.give(as_door, by=SOMEBODY) == NoSuchPoint()
    as_tool = structs.replace(control.order(TOOL, Operation.STOP_NOW), point=FRONT)
    assert await control.orders.give(as_tool, by=SOMEBODY) == NoSuchPoint()
    assert control.commands() == []


async def test_a_tool_with_the_key_of_a_door_takes_no_orders(control: Control):
    await control.site.change("update access.tool_point set key = 'front'")
    order = structs.replace(control.order(TOOL, Operation.STOP_NOW), point=FRONT)
    assert await control.orders.give(order, by=SOMEBODY) == NoSuchPoint()


async def test_a_crowd_at_a_door_does_not_keep_it_from_being_locked_down(control: Control):
    opening, lockdown = (control.order(DOOR, o) for o in (Operation.OPEN, Operation.LOCKDOWN))
    async with crowd(
        control,
        [
            structs.replace(opening, actor=AccountRef(1000 + number))
            for number in range(OPENINGS_PER_CONTROLLER)
        ],
    ):
        with pytest.raises(Busy):
            await control.orders.give(opening, by=SOMEBODY)
        assert isinstance(await control.orders.give(lockdown, by=SOMEBODY), NoAnswer)


async def test_one_who_presses_often_keeps_nobody_else_from_opening(control: Control):
    opening = control.order(DOOR, Operation.OPEN)
    async with crowd(control, [opening] * OPENINGS_PER_ACCOUNT) as waiting:
        with pytest.raises(Busy):
            await control.orders.give(opening, by=SOMEBODY)
        another = structs.replace(opening, actor=KARI)
        pressing = asyncio.create_task(control.orders.give(another, by=SOMEBODY))
        await they_wait(control, OPENINGS_PER_ACCOUNT + 1)
        control.report()
        for number in range(1, OPENINGS_PER_ACCOUNT + 2):
            await control.answered(number=number)
        assert isinstance(await pressing, Done)
        await asyncio.gather(*waiting)
    again = asyncio.create_task(control.orders.give(opening, by=SOMEBODY))
    await control.answered(number=OPENINGS_PER_ACCOUNT + 2)
    assert isinstance(await again, Done), "the share was given back"


async def test_a_silent_controller_does_not_keep_other_doors_from_opening(
    control: Control, tmp_path: Path
):
    opening = control.order(DOOR, Operation.OPEN)
    await enrolled(control.site.database, control.site.keys, tmp_path, name="back-pi")
    await makerspace.door(control.site.connection, key="back", controller="back-pi")
    front = [
        structs.replace(opening, actor=AccountRef(1000 + number))
        for number in range(OPENINGS_PER_CONTROLLER)
    ]
    back = structs.replace(opening, point=PointKey("back"))
    async with crowd(control, front):
        assert isinstance(await control.orders.give(back, by=SOMEBODY), NoAnswer), "it was tried"


@asynccontextmanager
async def crowd(
    control: Control, orders: list[Order]
) -> AsyncGenerator[list[asyncio.Task[Answered]]]:
    """All of them wait for the controller, which says nothing yet."""
    waiting = [asyncio.create_task(control.orders.give(each, by=SOMEBODY)) for each in orders]
    await they_wait(control, len(orders))
    yield waiting
    await end(*waiting)


async def they_wait(control: Control, number: int) -> None:
    """Until so many openings wait for one controller's answer."""
    shares = control.orders._waiting  # pyright: ignore[reportPrivateUsage]
    share = "controller front-pi"
    await eventually(lambda: shares[share] == number)


def test_seconds_belong_to_unlock_until():
    with pytest.raises(ValueError, match="unlock_until"):
        Order(DOOR, FRONT, Operation.UNLOCK_UNTIL, KARI)
    with pytest.raises(ValueError, match="unlock_until"):
        Order(DOOR, FRONT, Operation.LOCK, KARI, seconds=60)


def test_an_order_is_read_from_a_form():
    fields = {"operation": "unlock_until", "minutes": "90", "reason": " the  fair "}
    assert read_order(fields, kind=DOOR, point=FRONT, actor=KARI) == Order(
        DOOR, FRONT, Operation.UNLOCK_UNTIL, KARI, seconds=5400, reason="the fair"
    )
    assert read_order({"operation": "stop_now"}, kind=TOOL, point=LASER, actor=KARI) == Order(
        TOOL, LASER, Operation.STOP_NOW, KARI
    )


@pytest.mark.parametrize(
    ("kind", "fields", "said"),
    [
        (DOOR, {}, "operation: one of"),
        (DOOR, {"operation": "open"}, "operation: one of"),
        (DOOR, {"operation": "LOCK"}, "operation: one of"),
        (TOOL, {"operation": "unlock_until", "minutes": "5"}, "operation: one of"),
        (TOOL, {"operation": "lockdown"}, "operation: one of"),
        (DOOR, {"operation": "unlock_until"}, "minutes"),
        (DOOR, {"operation": "unlock_until", "minutes": "0"}, "minutes: from 1 to 720"),
        (DOOR, {"operation": "unlock_until", "minutes": "721"}, "minutes: from 1 to 720"),
        (DOOR, {"operation": "unlock_until", "minutes": "-5"}, "minutes"),
        (DOOR, {"operation": "unlock_until", "minutes": "²"}, "minutes"),
        (DOOR, {"operation": "unlock_until", "minutes": "99999"}, "minutes"),
        (DOOR, {"operation": "lock", "reason": "x" * 201}, "reason: at most 200"),
    ],
)
def test_what_can_not_be_ordered_is_said(kind: PointKind, fields: dict[str, str], said: str):
    found = read_order(fields, kind=kind, point=FRONT, actor=KARI)
    assert isinstance(found, str)
    assert said in found


@dataclass
class Page:
    """The console's pages beside a controller."""

    control: Control
    ola: Client
    member: Client

    async def order(self, path: str, **fields: str) -> tuple[int, str]:
        """Sends an admin's form; the status, and what was said."""
        async with self.ola.post(path, data=fields, headers={"HX-Request": "true"}) as answer:
            return answer.status, await answer.text()


@pytest.fixture
async def pages(control: Control) -> AsyncGenerator[Page]:
    await admin(control.site.connection, "ola")
    await member(control.site.connection, "per")
    database, connection = control.site.database, control.site.connection
    async with old_site(database, connection, orders=control.orders) as site:
        yield Page(control, await site.browser("ola"), await site.browser("per"))


async def test_an_admin_locks_a_door_down_and_is_told_that_it_was_done(pages: Page):
    pages.control.report()
    pressing = asyncio.create_task(pages.order("/doors/front/orders", operation="lockdown"))
    command = await pages.control.answered()
    status, said = await pressing
    assert (status, command.operation) == (200, Operation.LOCKDOWN)
    assert "Locked down: nobody gets in until it is set back. It took 0." in said


async def test_an_admin_is_told_for_how_long_a_door_stands_unlocked(pages: Page):
    pages.control.report()
    pressing = asyncio.create_task(
        pages.order("/doors/front/orders", operation="unlock_until", minutes="90")
    )
    command = await pages.control.answered()
    assert command.seconds == 5400
    assert "Unlocked for everybody for 1 h 30 min." in (await pressing)[1]


async def test_a_refused_order_says_why(pages: Page):
    pages.control.report()
    pressing = asyncio.create_task(pages.order("/doors/front/orders", operation="lock"))
    await pages.control.answered("tampered")
    status, said = await pressing
    assert status == 422
    assert "The controller refused: its housing was opened." in said


async def test_what_shuts_is_done_even_if_it_could_not_be_recorded_and_says_so(pages: Page):
    pages.control.report()
    pressing = asyncio.create_task(pages.order("/doors/front/orders", operation="lockdown"))
    await pages.control.answered("storage_slow: it couldn't be recorded in time")
    said = (await pressing)[1]
    assert "Locked down: nobody gets in until it is set back, but it could not be recorded" in said
    assert "refused" not in said


async def test_a_silent_controller_is_not_said_to_have_done_it(pages: Page):
    status, said = await pages.order("/doors/front/orders", operation="lockdown")
    assert status == 422
    assert "No answer from the controller for 3 s, and nobody knows whether it was done." in said


async def test_orders_are_for_admins_only(pages: Page):
    sent = {"operation": "lockdown"}
    async with pages.member.post("/doors/front/orders", data=sent) as answer:
        assert answer.status == 403
    assert await pages.control.site.rows("select 1 from access.command") == []


async def test_what_is_no_order_or_no_door_is_refused(pages: Page):
    assert (await pages.order("/doors/front/orders", operation="open"))[0] == 400
    assert (await pages.order("/doors/attic/orders", operation="lock"))[0] == 404
    await pages.control.site.change(
        "insert into access.door (key, name, open_seconds, driver)"
        " values ('old', 'Old door', 5, 'dlock')"
    )
    assert (await pages.order("/doors/old/orders", operation="lock"))[0] == 404


async def test_the_page_of_a_door_offers_the_orders_and_asks_before_what_hurts(pages: Page):
    async with pages.ola.get("/doors/front") as answer:
        page = await answer.text()
    for operation in ("lock", "unlock_until", "lockdown", "out_of_service"):
        assert f'name="operation" value="{operation}"' in page
    for label in ("Lock down", "Out of service"):
        assert f'<button class="danger">{label}</button>' in page
