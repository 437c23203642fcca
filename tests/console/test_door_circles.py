"""The circles of a door: shown what it does, then saved; nothing is overwritten silently."""

import asyncio
from dataclasses import dataclass

import pytest

from console.rights.dry_run import take_turn
from console.web.keys import DATABASE
from tests.support import makerspace
from tests.support.console_app import Client, Site, admin, member, see_and_save

HTMX = {"HX-Request": "true"}


@dataclass
class House:
    """A door for the circle `door`; Kari, who pays, is in it, and Lise in `lab`, who pays too."""

    site: Site
    client: Client
    lab: int

    async def circles(self) -> set[int]:
        cursor = await self.site.connection.execute("select circle from access.door_circle")
        return {row[0] for row in await cursor.fetchall()}


@pytest.fixture
async def house(site: Site) -> House:
    await admin(site.connection, "ola")
    lab = await makerspace.circle(site.connection, name="lab")
    for username, name, circle in (("kari", "Kari Nordmann", 2), ("lise", "Lise <Lab>", lab)):
        account = await member(site.connection, username, name=name)
        await makerspace.payment(site.connection, account=account)
        await makerspace.circle_member(site.connection, account=account, circle=circle)
    await makerspace.controller(site.connection)
    await makerspace.door(site.connection)
    return House(site, await site.browser("ola"), lab)


async def test_the_form_has_the_circles_of_the_door_ticked(house: House):
    text = await (await house.client.get("/doors/front/circles")).text()
    assert 'name="circle-2" checked' in text
    assert f'name="circle-{house.lab}">' in text
    assert 'href="/doors/front/circles"' in await (await house.client.get("/doors/front")).text()


async def test_a_form_that_does_not_say_what_it_showed_overwrites_nothing(house: House):
    await house.site.connection.execute("delete from access.door_circle")
    change = {f"circle-{house.lab}": "on"}
    answer = await see_and_save(house.client, "/doors/front/circles", data={"was": "", **change})
    assert answer.status == 303
    answer = await house.client.post("/doors/front/circles", data={"circle-2": "on"})
    assert answer.status == 422
    await house.site.connection.execute("delete from access.door_circle")
    answer = await house.client.post("/doors/front/circles", data=change)
    assert answer.status == 422
    assert await house.circles() == set()


async def test_those_who_lose_the_same_are_named_together(house: House):
    anne = await member(house.site.connection, "anne", name="Anne Ås")
    await makerspace.payment(house.site.connection, account=anne)
    await makerspace.circle_member(house.site.connection, account=anne)
    change = {"was": "2", f"circle-{house.lab}": "on"}
    text = await (await house.client.post("/doors/front/circles", data=change)).text()
    assert "<strong>Anne Ås, Kari Nordmann</strong>: Front door" in text


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
async def test_who_gains_and_who_loses_is_shown_and_then_saved(
    house: House, headers: dict[str, str]
):
    change = {"was": "2", f"circle-{house.lab}": "on"}
    preview = await house.client.post("/doors/front/circles", data=change, headers=headers)
    text = " ".join((await preview.text()).split())
    assert "Can no longer use" in text
    assert "<strong>Kari Nordmann</strong>: Front door" in text
    assert "<strong>Lise &lt;Lab&gt;</strong>: Front door" in text
    assert await house.circles() == {2}
    answer = await see_and_save(house.client, "/doors/front/circles", data=change, headers=headers)
    assert answer.headers["HX-Redirect" if headers else "Location"] == "/doors/front"
    assert await house.circles() == {house.lab}


async def test_a_circle_more_is_shown_even_where_it_lets_in_nobody_yet(house: House):
    empty = await makerspace.circle(house.site.connection, name="nobody")
    change = {"was": "2", "circle-2": "on", f"circle-{empty}": "on"}
    preview = await house.client.post("/doors/front/circles", data=change, allow_redirects=False)
    assert preview.status == 200
    assert await house.circles() == {2}
    answer = await see_and_save(house.client, "/doors/front/circles", data=change)
    assert answer.status == 303
    assert await house.circles() == {2, empty}


async def test_what_is_so_already_is_not_asked_again(house: House):
    change = {"was": "2", "circle-2": "on"}
    answer = await house.client.post("/doors/front/circles", data=change, allow_redirects=False)
    assert answer.status == 303


async def test_what_somebody_else_saved_meanwhile_is_not_overwritten(house: House):
    await house.site.connection.execute(
        "insert into access.door_circle values ('front', %s)", [house.lab]
    )
    answer = await house.client.post("/doors/front/circles", data={"was": "2"})
    text = await answer.text()
    assert answer.status == 422
    assert "Somebody changed the circles of this door meanwhile" in text
    assert f'name="circle-{house.lab}" checked' in text
    assert await house.circles() == {2, house.lab}


async def test_what_is_sent_twice_is_saved_once(house: House):
    change = {"was": "2", "circle-2": "on", f"circle-{house.lab}": "on"}
    for _ in range(2):
        answer = await see_and_save(house.client, "/doors/front/circles", data=change)
        assert answer.status == 303
    assert await house.circles() == {2, house.lab}


@pytest.mark.parametrize(
    "fields",
    [
        {"circle-999999": "on"},
        {f"circle-{n}": "on" for n in range(1000, 1045)},
    ],
    ids=["gone", "many"],
)
async def test_circles_that_are_none_are_refused(house: House, fields: dict[str, str]):
    answer = await house.client.post("/doors/front/circles", data={"was": "2", **fields})
    assert answer.status == 422
    assert await house.circles() == {2}


async def test_it_is_for_admins_and_for_doors_that_there_are(house: House):
    assert (await house.client.get("/doors/attic/circles")).status == 404
    assert (await house.client.post("/doors/attic/circles", data={})).status == 404
    kari = await house.site.browser("kari")
    assert (await kari.get("/doors/front/circles")).status == 403
    assert (await kari.post("/doors/front/circles", data={"was": "2"})).status == 403


async def test_of_two_changes_that_let_somebody_in_together_one_asks(house: House):
    empty = str(await makerspace.circle(house.site.connection, name="empty", admin_circle=1))
    other = await house.site.browser("ola")
    for _ in range(5):
        await house.site.connection.execute("delete from access.door_circle where circle <> 2")
        await house.site.connection.execute("delete from circle_member where circle = %s", [empty])
        answers = await asyncio.gather(
            house.client.post(
                "/doors/front/circles",
                data={"was": "2", "circle-2": "on", f"circle-{empty}": "on"},
                allow_redirects=False,
            ),
            other.post(
                f"/circles/{empty}/members", data={"username": "lise"}, allow_redirects=False
            ),
        )
        assert sorted(answer.status for answer in answers) == [200, 303]


async def test_a_change_waits_for_another_one_before_it_locks_anything(house: House):
    """The other one may need what it would lock: each would wait for the other."""
    busy = await house.site.browser("ola")
    async with house.site.app[DATABASE].writing() as conn:
        await take_turn(conn)
        waiting = asyncio.ensure_future(
            busy.post("/doors/front/circles", data={"was": "2", f"circle-{house.lab}": "on"})
        )
        await asyncio.sleep(0.3)
        assert not waiting.done()
        await conn.execute("select from access.door where key = 'front' for update nowait")
    assert (await waiting).status == 200
