"""Tools on pages: added, changed, retired, brought back; each shown before it is saved."""

from dataclasses import dataclass

import pytest

from console.rights import queries as rights
from console.rights.facts import Tool
from tests.support import makerspace
from tests.support.console_app import Client, Site, admin, member, see_and_save

HTMX = {"HX-Request": "true"}
DEMANDS = {"soft_hours": "24", "hard_days": "7", "min_assurance": "0"}
NEW = {
    "name": "Lathe",
    "description": "Turns metal.\r\nAsk first.",
    "circle": "2",
    "controller": "",
    "key": "",
    **DEMANDS,
}


@dataclass
class House:
    """A laser for the circle `door`; Kari, who pays, is in it; Ola is an admin."""

    site: Site
    client: Client
    laser: int
    lab: int

    async def tools(self) -> dict[int, Tool]:
        """Those that count."""
        return {tool.id: tool for tool in await rights.tools(self.site.connection)}

    async def change(self, **fields: str) -> dict[str, str]:
        """The form of the laser, with some fields changed."""
        text = await (await self.client.get(f"/tools/{self.laser}/change")).text()
        version = text.split('name="version" value="')[1].split('"')[0]
        return {
            "version": version,
            "name": "Laser",
            "description": "",
            "circle": "2",
            "controller": "",
            "key": "",
            **DEMANDS,
            **fields,
        }


@pytest.fixture
async def house(site: Site) -> House:
    await admin(site.connection, "ola")
    lab = await makerspace.circle(site.connection, name="lab")
    for username, name, circle in (("kari", "Kari Nordmann", 2), ("lise", "Lise Lab", lab)):
        account = await member(site.connection, username, name=name)
        await makerspace.payment(site.connection, account=account)
        await makerspace.circle_member(site.connection, account=account, circle=circle)
    await makerspace.controller(site.connection)
    laser = await makerspace.tool(site.connection, name="Laser")
    return House(site, await site.browser("ola"), laser, lab)


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
@pytest.mark.parametrize("power", [{}, {"controller": "front-pi", "key": "lathe"}], ids=str)
async def test_a_new_tool_shows_who_gets_it_and_is_then_made_once(
    house: House, headers: dict[str, str], power: dict[str, str]
):
    for n in range(2):
        preview = await house.client.post("/tools/new", data={**NEW, **power}, headers=headers)
        assert ("<strong>Kari Nordmann</strong>: Lathe" in await preview.text()) is (n == 0)
        answer = await see_and_save(
            house.client, "/tools/new", data={**NEW, **power}, headers=headers
        )
        if n == 0:
            assert answer.headers["HX-Redirect" if headers else "Location"] == "/tools"
    (lathe,) = [tool for tool in (await house.tools()).values() if tool.id != house.laser]
    assert lathe.circle == 2
    assert (lathe.key, lathe.controller) == (power.get("key"), power.get("controller"))
    text = await (await house.client.get(f"/tools/{lathe.id}")).text()
    assert "Turns metal.\nAsk first." in text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": ""}, "1 to 50 characters without + and #"),
        ({"name": "x" * 51}, "1 to 50 characters without + and #"),
        ({"name": "C#"}, "1 to 50 characters without + and #"),
        ({"name": "LASER"}, "There is a tool called so already"),
        ({"description": "x" * 1001}, "At most 1000 characters"),
        ({"circle": ""}, "Choose the circle whose members may use it"),
        ({"circle": "999"}, "Choose the circle whose members may use it"),
        ({"controller": "front-pi"}, "A tool that a controller powers needs one"),
        ({"controller": "attic-pi", "key": "lathe"}, "Choose a controller that is in use"),
        ({"controller": "front-pi", "key": "Ø"}, "1 to 32 of a-z, 0-9 and -"),
        ({"controller": "front-pi", "key": "lathe", "hard_days": "91"}, "1 to 90"),
    ],
    ids=str,
)
async def test_what_is_wrong_stands_beside_its_field(
    house: House, fields: dict[str, str], words: str
):
    answer = await house.client.post("/tools/new", data={**NEW, **fields}, headers=HTMX)
    assert answer.status == 422
    assert words in await answer.text()
    assert set(await house.tools()) == {house.laser}


async def test_another_circle_is_shown_and_then_saved(house: House):
    path = f"/tools/{house.laser}/change"
    fields = await house.change(circle=str(house.lab), description="Cuts.")
    text = await (await house.client.post(path, data=fields)).text()
    assert "<strong>Kari Nordmann</strong>: Laser" in text
    assert "<strong>Lise Lab</strong>: Laser" in text
    for _ in range(2):
        answer = await see_and_save(house.client, path, data=fields)
        assert answer.headers["Location"] == f"/tools/{house.laser}"
    assert (await house.tools())[house.laser].circle == house.lab


async def test_a_controller_is_given_and_taken_away(house: House):
    path = f"/tools/{house.laser}/change"
    fields = await house.change(controller="front-pi", key="laser", hard_days="3")
    assert (await see_and_save(house.client, path, data=fields)).status == 303
    laser = (await house.tools())[house.laser]
    assert (laser.key, laser.controller, laser.demands.hard_seconds) == (
        *("laser", "front-pi"),
        3 * 86400,
    )
    fields = await house.change(key="laser")
    assert (await see_and_save(house.client, path, data=fields)).status == 303
    assert (await house.tools())[house.laser].key is None


async def test_a_key_belongs_to_one_place(house: House):
    await makerspace.door(house.site.connection)
    fields = await house.change(controller="front-pi", key="front")
    answer = await house.client.post(f"/tools/{house.laser}/change", data=fields)
    assert answer.status == 422
    assert "“Front door” has this key already" in await answer.text()


async def test_a_stale_form_is_refused_and_shows_what_holds_now(house: House):
    fields = await house.change(description="Cuts.")
    await house.site.connection.execute("update tool_description set name = 'Big laser'")
    answer = await house.client.post(f"/tools/{house.laser}/change", data=fields)
    text = await answer.text()
    assert answer.status == 422
    assert "Somebody changed this meanwhile" in text
    assert 'value="Big laser"' in text


async def test_a_retired_tool_serves_nobody_in_either_program_and_comes_back(house: House):
    await makerspace.tool_point(house.site.connection, tool=house.laser, key="laser")
    path = f"/tools/{house.laser}"
    preview = await (await house.client.post(f"{path}/retirement")).text()
    assert "<strong>Kari Nordmann</strong>: Laser" in preview
    for _ in range(2):
        answer = await see_and_save(house.client, f"{path}/retirement")
        assert answer.headers["Location"] == "/tools"
    assert await house.tools() == {}
    cursor = await house.site.connection.execute("select circle from tool_description")
    assert await cursor.fetchall() == [(None,)]
    assert (await house.client.get(path)).status == 404
    assert (await house.client.get(f"/data/tool/{house.laser}")).status == 404
    kari = await house.site.browser("kari")
    assert "Laser" not in await (await kari.get("/tools")).text()
    answer = await house.client.post(
        "/tools/new", data={**NEW, "controller": "front-pi", "key": "laser"}
    )
    assert "“Laser”, which is retired, has this key" in await answer.text()
    assert f"{path}/return" in await (await house.client.get("/tools")).text()
    assert "Can use from now on" in await (await house.client.post(f"{path}/return")).text()
    for _ in range(2):
        answer = await see_and_save(house.client, f"{path}/return")
        assert answer.headers["Location"] == path
    laser = (await house.tools())[house.laser]
    assert (laser.circle, laser.key) == (2, "laser")


async def test_a_tool_that_somebody_has_is_not_retired(house: House):
    await house.site.connection.execute(
        "insert into tool_checkout (created_at, created_by, updated_at, updated_by,"
        " tool_description, account, started)"
        " select now(), id, now(), id, %s, id, now() from account where username = 'kari'",
        [house.laser],
    )
    answer = await house.client.post(f"/tools/{house.laser}/retirement")
    assert answer.status == 422
    assert "Kari Nordmann has it checked out" in await answer.text()
    assert set(await house.tools()) == {house.laser}


async def test_tools_that_there_are_none_of_are_not_found(house: House):
    for path in ("change", "retirement", "return"):
        assert (await house.client.post(f"/tools/999/{path}", data={})).status == 404
