"""`doors set`, `tools attach`, `cards break-glass`: what they change, and what they refuse."""

import asyncio
from dataclasses import dataclass
from typing import Any, LiteralString

import pytest

from console.cards.break_glass import set_break_glass
from console.database import Connection, Database
from console.doors.changing import DoorChange, change_door
from console.doors.commands import NewDoor, add_door
from console.errors import BadRequest
from console.rights.demanding import Given
from console.rights.facts import Demands, WeeklyHours
from console.rights.queries import doors, tools
from console.tools.attaching import Attached, Attachment, attach_tool, detach_tool
from sync.ids import PointKey
from sync.rights import Assurance
from tests.support import makerspace


@dataclass
class Space:
    """A front door at a controller, a laser, and Kari with two cards."""

    database: Database
    connection: Connection
    laser: int
    kari: int
    cards: tuple[int, int]

    async def rows(self, statement: LiteralString, *values: object) -> list[tuple[Any, ...]]:
        return await (await self.connection.execute(statement, values)).fetchall()

    async def refused(self, change: DoorChange) -> str:
        """What is said of a change that can't be made."""
        with pytest.raises(BadRequest) as refused:
            await change_door(self.database, change)
        return str(refused.value)

    async def mark(self, card: str, *, username: str = "kari", yes: bool = True) -> str:
        return await set_break_glass(
            self.database, username=username, card=card, is_break_glass=yes
        )

    async def not_marked(self, card: str, *, username: str = "kari") -> str:
        with pytest.raises(BadRequest) as refused:
            await self.mark(card, username=username)
        return str(refused.value)

    async def not_attached(self, tool: str, key: str, controller: str = "front-pi") -> str:
        with pytest.raises(BadRequest) as refused:
            await attach_tool(self.database, Attachment(tool, key, controller))
        return str(refused.value)


@pytest.fixture
async def space(database: Database, connection: Connection) -> Space:
    await makerspace.controller(connection)
    await makerspace.door(connection)
    kari = await makerspace.account(connection, username="kari")
    cards = (
        await makerspace.card(connection, account=kari, label="blue fob"),
        await makerspace.card(connection, account=kari, label="card"),
    )
    laser = await makerspace.tool(connection, name="Laser")
    return Space(database, connection, laser, kari, cards)


async def test_what_is_not_named_stays_as_it_is(space: Space):
    hours = "tue 18:00-22:00, sat 12:00-16:00"
    changes = (
        DoorChange("front", Given(soft_hours=2)),
        DoorChange("front", Given(hard_days=3, requires_fresh=True)),
        DoorChange("front", open_hours=hours),
        DoorChange("front", Given(min_assurance=1), open_seconds=9),
    )
    for change in changes:
        await change_door(space.database, change)
    (door,) = await doors(space.connection, key=PointKey("front"))
    assert door.demands == Demands(2 * 3600, 3 * 86400, True, Assurance.UID_AND_SECOND_FACTOR)
    assert door.open_seconds == 9
    assert door.open_hours == (WeeklyHours(2, 1080, 1320), WeeklyHours(6, 720, 960))
    await change_door(space.database, DoorChange("front", Given(requires_fresh=False)))
    await change_door(space.database, DoorChange("front", open_hours="fri 20:00-02:00"))
    (door,) = await doors(space.connection, key=PointKey("front"))
    assert not door.demands.requires_fresh
    assert door.open_hours == (WeeklyHours(5, 1200, 1560),)
    door = await change_door(space.database, DoorChange("front", open_hours="None"))
    assert door.open_hours == ()


async def test_every_mistake_is_told_at_once_and_nothing_is_changed(space: Space):
    change = DoorChange("front", Given(0, 91, None, 3), open_seconds=0, open_hours="tuesday")
    said = await space.refused(change)
    for option in ("--soft-hours", "--hard-days", "--min-assurance", "--open-seconds"):
        assert option in said
    assert "--open-hours: 'tuesday' isn't like" in said
    (door,) = await doors(space.connection)
    assert (door.demands, door.open_seconds) == (Demands(), 5)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (DoorChange("front"), "at least one option"),
        (DoorChange("attic", open_seconds=3), "no door with the key attic"),
        (DoorChange("front", Given(soft_hours=169)), "soft limit, 169 hours"),
        (DoorChange("front", Given(hard_days=1, soft_hours=25)), "hard one, 24 hours"),
        (DoorChange("old", Given(requires_fresh=True)), "only --open-seconds"),
        (DoorChange("old", open_hours="none"), "only --open-seconds"),
    ],
)
async def test_what_can_not_be_set_is_said(space: Space, change: DoorChange, said: str):
    await add_door(space.database, NewDoor("old", "Old door", ["door"], 5, driver="dlock"))
    assert said in await space.refused(change)


async def test_of_a_door_without_a_controller_the_seconds_can_be_set(space: Space):
    await add_door(space.database, NewDoor("old", "Old door", ["door"], 5, driver="dlock"))
    door = await change_door(space.database, DoorChange("old", open_seconds=8))
    assert door.open_seconds == 8


async def test_a_tool_is_attached_by_its_name_or_its_number(space: Space):
    given = Given(requires_fresh=True, soft_hours=1)
    done = await attach_tool(space.database, Attachment("laser", "laser", "tool-pi", given))
    assert done == Attached("Laser", has_circle=True, is_enrolled=False)
    (tool,) = await tools(space.connection)
    assert (tool.key, tool.controller) == ("laser", "tool-pi")
    assert tool.demands == Demands(soft_seconds=3600, requires_fresh=True)
    assert await detach_tool(space.database, "laser") == "Laser"
    (tool,) = await tools(space.connection)
    assert (tool.key, tool.controller) == (None, None)
    await attach_tool(space.database, Attachment(str(space.laser), "laser", "front-pi"))


async def test_what_can_not_be_attached_is_said(space: Space):
    assert "there is no tool 'lathe'" in await space.not_attached("lathe", "lathe")
    assert "KEY: " in await space.not_attached("Laser", "Laser!")
    assert "--controller: " in await space.not_attached("Laser", "laser", "Front Pi")
    assert "taken already: door Front door" in await space.not_attached("Laser", "front")
    await attach_tool(space.database, Attachment("Laser", "laser", "front-pi"))
    said = await space.not_attached("Laser", "laser-2")
    assert "attached to front-pi as laser already" in said
    assert "tools detach laser" in said
    await makerspace.tool(space.connection, name="Saw")
    assert "taken already: tool Laser" in await space.not_attached("Saw", "laser")
    with pytest.raises(BadRequest, match="soft limit"):
        await attach_tool(
            space.database, Attachment("Saw", "saw", "front-pi", Given(soft_hours=200))
        )
    with pytest.raises(BadRequest, match="no tool is attached as saw"):
        await detach_tool(space.database, "saw")


async def test_of_tools_with_one_name_the_number_is_asked_for(space: Space):
    second = await makerspace.tool(space.connection, name="LASER")
    said = await space.not_attached("Laser", "laser")
    assert f"{space.laser} (Laser), {second} (LASER)" in said
    await attach_tool(space.database, Attachment(str(second), "laser", "front-pi"))


async def test_a_number_comes_before_a_name_that_looks_like_one(space: Space):
    await makerspace.tool(space.connection, name=str(space.laser))
    done = await attach_tool(space.database, Attachment(str(space.laser), "laser", "front-pi"))
    assert done.name == "Laser"


async def test_a_tool_without_a_circle_is_told_of(space: Space):
    await makerspace.tool(space.connection, name="Orphan", circle=None)
    done = await attach_tool(space.database, Attachment("Orphan", "orphan", "front-pi"))
    assert not done.has_circle


async def test_a_door_does_not_get_the_key_of_a_tool(space: Space):
    await attach_tool(space.database, Attachment("Laser", "laser", "front-pi"))
    door = NewDoor("laser", "Laser room", ["door"], 5, controller="front-pi")
    with pytest.raises(BadRequest, match="taken already: tool Laser"):
        await add_door(space.database, door)


async def test_a_door_and_a_tool_that_want_one_key_at_once_do_not_both_get_it(space: Space):
    door = NewDoor("laser", "Laser room", ["door"], 5, controller="front-pi")
    outcomes = await asyncio.gather(
        add_door(space.database, door),
        attach_tool(space.database, Attachment("Laser", "laser", "front-pi")),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, BadRequest) for outcome in outcomes) == 1


async def test_a_card_is_marked_by_its_label_or_number_once_and_unmarked(space: Space):
    assert await space.mark("Blue Fob") == f"{space.cards[0]} “blue fob”"
    assert await space.mark("blue fob") == f"{space.cards[0]} “blue fob”"
    assert await space.mark(str(space.cards[1])) == f"{space.cards[1]} “card”"
    assert await space.rows("select slot, card from access.break_glass_card order by slot") == [
        (1, space.cards[0]),
        (2, space.cards[1]),
    ]
    await space.mark("blue fob", yes=False)
    await space.mark("blue fob", yes=False)
    assert await space.rows("select card from access.break_glass_card") == [(space.cards[1],)]


async def test_a_card_that_is_not_there_is_answered_with_those_that_are(space: Space):
    listed = f"{space.cards[0]} “blue fob”, {space.cards[1]} “card”"
    assert f"there are: {listed}" in await space.not_marked("red fob")
    await space.rows("update access.card set label = 'blue fob' returning 1")
    assert "give the number" in await space.not_marked("blue fob")
    await space.rows("update access.card set lost_at = now() returning 1")
    assert await space.not_marked("blue fob") == "kari has no card"
    assert "No such account: nobody" in await space.not_marked("x", username="nobody")


async def test_five_are_all_and_they_are_named(space: Space):
    for number in range(4):
        label = f"fob {number}"
        await makerspace.card(space.connection, account=space.kari, label=label)
        await space.mark(label)
    await space.mark("blue fob")
    assert await space.mark("blue fob"), "it has its place already"
    said = await space.not_marked("card")
    assert "there are 5 break-glass cards already" in said
    assert "kari fob 0, kari fob 1, kari fob 2, kari fob 3, kari blue fob" in said
    await space.rows("update access.card set lost_at = now() where label = 'fob 2' returning 1")
    await space.mark("card")
    assert len(await space.rows("select 1 from access.break_glass_card")) == 5


async def test_a_card_of_an_account_that_is_gone_holds_no_place(space: Space):
    gone = await makerspace.account(space.connection)
    for slot in range(1, 6):
        card = await makerspace.card(space.connection, account=gone)
        await space.rows(
            "insert into access.break_glass_card (slot, card) values (%s, %s) returning 1",
            slot,
            card,
        )
    await space.rows("delete from account where id = %s returning 1", gone)
    await space.mark("blue fob")
    assert await space.rows("select card from access.break_glass_card") == [(space.cards[0],)]


async def test_many_at_once_never_become_more_than_five(space: Space):
    labels = [f"fob {number}" for number in range(8)]
    for label in labels:
        await makerspace.card(space.connection, account=space.kari, label=label)
    outcomes = await asyncio.gather(*map(space.mark, labels), return_exceptions=True)
    assert sum(isinstance(outcome, str) for outcome in outcomes) == 5
    assert sum(isinstance(outcome, BadRequest) for outcome in outcomes) == 3


async def test_what_is_retired_is_not_changed_and_keeps_its_key(space: Space):
    await space.connection.execute("update access.door set retired_at = now()")
    assert await space.refused(DoorChange("front", open_seconds=9)) == (
        "there is no door with the key front"
    )
    assert await space.not_attached("Laser", "front") == (
        "the key front is taken already: door Front door, which is retired"
    )
    await space.connection.execute("update access.controller set retired_at = now()")
    assert await space.not_attached("Laser", "laser") == (
        "the controller front-pi is retired: enrol it again first"
    )
    with pytest.raises(BadRequest, match="front-pi is retired"):
        await add_door(space.database, NewDoor("back", "Back", ["door"], 5, controller="front-pi"))
