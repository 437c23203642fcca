"""Opening a door from the console: whatever becomes of it is told, and told truly."""

import asyncio
from dataclasses import replace

import pytest

from console.controllers.orders import CHALLENGE_SECONDS, NoAnswer, Orders, Refused
from console.doors.opening import NoSuchDoor, NotAllowed, Opened, Opener
from console.events.storing import CommandResult
from console.link.outbound import Outbound
from console.rights.publish import unix_ms
from sync.commands import Command, decode_command
from sync.credential import member_ref
from sync.envelope import Kind, open_
from sync.ids import AccountRef, ControllerId, Nonce, PointKey
from sync.messages import NO_VERSION, Report
from sync.rights import Reason
from tests.support import makerspace
from tests.support.authors import SOMEBODY
from tests.support.controller_stand_in import JournalStandIn
from tests.support.site import RightsSite
from tests.support.waiting import eventually

FRONT = PointKey("front")


class Door:
    """The console's side of one opening after the other; the test answers as the controller."""

    def __init__(self, site: RightsSite) -> None:
        self.site = site
        self.kari = AccountRef(site.kari)
        self.passed_seconds = 0.0
        outbound = Outbound(site.broker, "p2k16", site.keys)
        self.orders = Orders(site.database, outbound, now_ms=unix_ms, clock=self.clock)
        self.opener = Opener(site.database, self.orders, now_ms=unix_ms)
        journal = JournalStandIn(site.bundle.controller, site.bundle.entry_key)
        self.latest = Report(journal.boot, journal.journal, 1, Nonce("aa" * 16), NO_VERSION, 0, {})

    def clock(self) -> float:
        return asyncio.get_running_loop().time() + self.passed_seconds

    def report(self, nonce: str, *, counter: int = 0) -> None:
        self.latest = replace(
            self.latest,
            nonce=Nonce(nonce * 16),
            mono_ms=self.latest.mono_ms + 1,
            command_counter=counter,
        )
        self.orders.reported(ControllerId("front-pi"), self.latest)

    def commands(self) -> list[Command]:
        key = self.site.keys.keyset.command_key
        return [
            decode_command(open_(data, Kind.COMMAND, "front-pi", public_key=key))
            for topic, data, retained in self.site.broker.messages
            if topic.endswith("/down/command") and not retained
        ]

    async def command(self, number: int = 1) -> Command:
        """Waits for the command with this number."""
        await eventually(lambda: len(self.commands()) >= number)
        return self.commands()[number - 1]


@pytest.fixture
async def door(rights_site: RightsSite) -> Door:
    return Door(rights_site)


async def test_opened_is_what_the_controller_has_recorded(door: Door):
    door.report("ab")
    opening = asyncio.create_task(door.opener.open(FRONT, actor=door.kari, by=SOMEBODY))
    command = await door.command()
    assert command.challenge == "ab" * 16
    assert command.boot == door.latest.boot
    assert command.counter == 1
    assert command.actor == member_ref(door.site.bundle.entry_key, door.kari)
    assert not opening.done()
    door.orders.answered(CommandResult(command.id, None))
    outcome = await opening
    assert isinstance(outcome, Opened)
    assert 0 < outcome.after_seconds < 3
    assert await door.site.rows("select actor, point, counter from access.command") == [
        (door.kari, "front", 1)
    ]


async def test_the_rule_is_asked_before_anything_is_sent(door: Door):
    door.report("ab")
    await door.site.change("delete from circle_member")
    outcome = await door.opener.open(FRONT, actor=door.kari, by=SOMEBODY)
    assert isinstance(outcome, NotAllowed)
    assert outcome.answer.decision.reason is Reason.NO_RIGHT
    assert not outcome.answer.is_in_circle
    assert door.commands() == []
    assert await door.site.rows("select 1 from access.command") == []


@pytest.mark.parametrize(
    ("start", "end", "reason"),
    [
        ("-40 days", "-25 hours", Reason.EXPIRED),
        ("1 hour", "30 days", Reason.NOT_YET_VALID),
        ("-1 days", "-23 hours", Reason.ALLOWED),
        ("0", "30 days", Reason.ALLOWED),
    ],
)
async def test_a_membership_that_is_over_or_ahead_is_named_as_the_reason(
    door: Door, start: str, end: str, reason: Reason
):
    await door.site.change(
        "update stripe_payment set start_date = now() + %s::interval,"
        " end_date = now() + %s::interval",
        start,
        end,
    )
    door.report("ab")
    opening = asyncio.create_task(door.opener.open(FRONT, actor=door.kari, by=SOMEBODY))
    if reason is Reason.ALLOWED:
        door.orders.answered(CommandResult((await door.command()).id, None))
        assert isinstance(await opening, Opened)
        return
    outcome = await opening
    assert isinstance(outcome, NotAllowed)
    assert outcome.answer.decision.reason is reason


async def test_without_a_circle_and_without_payments_somebody_else_is_not_let_in(door: Door):
    stranger = await makerspace.account(door.site.connection)
    outcome = await door.opener.open(FRONT, actor=AccountRef(stranger), by=SOMEBODY)
    assert isinstance(outcome, NotAllowed)
    assert outcome.answer.window is None
    system = await door.opener.open(FRONT, actor=AccountRef(3), by=SOMEBODY)
    assert isinstance(system, NotAllowed)


async def test_a_refusal_is_told_in_the_controllers_words(door: Door):
    door.report("ab")
    opening = asyncio.create_task(door.opener.open(FRONT, actor=door.kari, by=SOMEBODY))
    door.orders.answered(CommandResult((await door.command()).id, "unknown_point: not here"))
    assert await opening == Refused("unknown_point: not here")


async def test_silence_is_no_answer_after_three_seconds(door: Door):
    door.report("ab")
    began = asyncio.get_running_loop().time()
    outcome = await door.opener.open(FRONT, actor=door.kari, by=SOMEBODY)
    assert isinstance(outcome, NoAnswer)
    assert 2.9 < asyncio.get_running_loop().time() - began < 4
    assert len(door.commands()) == 1


async def test_a_command_is_not_sent_into_the_void_but_waits_for_a_fresh_challenge(door: Door):
    opening = asyncio.create_task(door.opener.open(FRONT, actor=door.kari, by=SOMEBODY))
    await asyncio.sleep(0)
    assert door.commands() == []
    door.report("cd")
    command = await door.command()
    assert command.challenge == "cd" * 16
    door.orders.answered(CommandResult(command.id, None))
    assert isinstance(await opening, Opened)


async def test_a_challenge_that_has_aged_is_not_used(door: Door):
    door.report("ab")
    door.passed_seconds = CHALLENGE_SECONDS + 1
    assert isinstance(await door.opener.open(FRONT, actor=door.kari, by=SOMEBODY), NoAnswer)
    assert door.commands() == []


async def test_a_command_that_came_too_late_is_sent_again_with_the_next_challenge(door: Door):
    door.report("ab")
    opening = asyncio.create_task(door.opener.open(FRONT, actor=door.kari, by=SOMEBODY))
    first = await door.command()
    door.orders.answered(CommandResult(first.id, "stale: on its way for too long"))
    door.report("cd")
    second = await door.command(2)
    assert second.challenge == "cd" * 16
    assert second.counter > first.counter
    door.orders.answered(CommandResult(second.id, None))
    assert isinstance(await opening, Opened)


async def test_the_counter_rises_above_what_the_controller_has_seen(door: Door):
    door.report("ab", counter=41)
    opening = asyncio.create_task(door.opener.open(FRONT, actor=door.kari, by=SOMEBODY))
    command = await door.command()
    assert command.counter == 42
    door.orders.answered(CommandResult(command.id, None))
    await opening


async def test_many_people_at_once_get_each_their_own_answer(door: Door):
    door.report("ab")
    openings = [
        asyncio.create_task(door.opener.open(FRONT, actor=door.kari, by=SOMEBODY)) for _ in range(5)
    ]
    await door.command(5)
    commands = door.commands()
    assert [command.counter for command in commands] == [1, 2, 3, 4, 5]
    for command in commands[:3]:
        door.orders.answered(CommandResult(command.id, None))
    for command in commands[3:]:
        door.orders.answered(CommandResult(command.id, "relay_fault"))
    outcomes = [type(outcome) for outcome in await asyncio.gather(*openings)]
    assert sorted(kind.__name__ for kind in outcomes) == ["Opened"] * 3 + ["Refused"] * 2


async def test_a_door_that_is_not_there_or_has_no_controller_is_said_to_be_none(door: Door):
    assert await door.opener.open(PointKey("attic"), actor=door.kari, by=SOMEBODY) == NoSuchDoor()
    await makerspace.controller(door.site.connection, key="back-pi")
    await makerspace.door(door.site.connection, key="back", controller="back-pi")
    assert await door.opener.open(PointKey("back"), actor=door.kari, by=SOMEBODY) == NoSuchDoor()


async def test_after_a_restart_the_challenge_in_the_database_is_good_as_long_as_it_is_fresh(
    door: Door,
):
    await door.site.change(
        """
        insert into access.controller_report values ('front-pi', now(), '{"version": 1,
          "boot": "bb000000000000000000000000000000",
          "journal": "cc000000000000000000000000000000", "mono_ms": 1,
          "nonce": "dd000000000000000000000000000000",
          "applied": {"epoch": 0, "serial": 0, "digest": null}, "command_counter": 7,
          "state": {}}')
        """
    )
    opening = asyncio.create_task(door.opener.open(FRONT, actor=door.kari, by=SOMEBODY))
    command = await door.command()
    assert command.challenge.startswith("dd")
    assert command.counter == 8
    door.orders.answered(CommandResult(command.id, None))
    await opening
