"""Tools on pages: taking one, giving it back, and being asked before it is somebody else's."""

import html
import re
from dataclasses import dataclass

import pytest
from aiohttp import ClientResponse

from tests.support import console_app, makerspace
from tests.support.console_app import Client, Site
from tests.support.streams import streaming


@dataclass(frozen=True, slots=True)
class Workshop:
    """Kari and Per pay and may use the drill; Eva pays, and is in no circle."""

    site: Site
    drill: int
    kari: int
    per: int

    async def holders(self) -> list[int]:
        cursor = await self.site.connection.execute("select account from tool_checkout")
        return [row[0] for row in await cursor.fetchall()]

    async def events(self) -> list[str]:
        cursor = await self.site.connection.execute(
            "select name from event where domain = 'tool' order by id"
        )
        return [row[0] for row in await cursor.fetchall()]

    async def press(
        self,
        browser: Client,
        what: str,
        *,
        seen: int | str = "",
        place: str = "all",
        htmx: bool = False,
    ) -> ClientResponse:
        return await browser.post(
            f"/tools/{self.drill}/{what}",
            data={"place": place, "seen": str(seen)},
            headers={"HX-Request": "true"} if htmx else {},
            allow_redirects=False,
        )


@pytest.fixture
async def workshop(site: Site) -> Workshop:
    circle = await makerspace.circle(site.connection, name="drills")
    people: list[int] = []
    for username, name in (("kari", "Kari Nordmann"), ("per", "Per Hansen"), ("eva", "Eva Lie")):
        person = await console_app.member(site.connection, username, name=name)
        await makerspace.payment(site.connection, account=person)
        if username != "eva":
            await makerspace.circle_member(site.connection, account=person, circle=circle)
        people.append(person)
    drill = await makerspace.tool(site.connection, name="Cordless drill", circle=circle)
    return Workshop(site, drill, people[0], people[1])


async def text(answer: ClientResponse) -> str:
    return " ".join(html.unescape(re.sub("<[^>]*>", " ", await answer.text())).split())


async def test_a_tool_is_taken_and_given_back_by_one_press_each(workshop: Workshop):
    browser = await workshop.site.browser("kari")
    assert "Take Cordless drill" in await text(await browser.get("/tools"))
    answer = await workshop.press(browser, "checkout")
    assert (answer.status, answer.headers["Location"]) == (303, "/tools")
    page = await text(await browser.get("/tools"))
    assert "Checked out Kari Nordmann, since today" in page
    assert "Return Cordless drill" in page
    answer = await workshop.press(browser, "checkin", seen=workshop.kari, place="one")
    assert answer.headers["Location"] == f"/tools/{workshop.drill}"
    assert await workshop.holders() == []
    assert await workshop.events() == ["checkout", "checkin"]


async def test_the_front_page_has_the_tools_i_have_and_those_i_may_use(workshop: Workshop):
    browser = await workshop.site.browser("kari")
    page = await text(await browser.get("/"))
    assert "Tools you can use Cordless drill free Take" in page
    assert "You have" not in page
    answer = await workshop.press(browser, "checkout", place="mine")
    assert answer.headers["Location"] == "/"
    page = await text(await browser.get("/"))
    assert "You have Cordless drill taken just now Return" in page
    assert "Tools you can use" not in page
    others = await text(await (await workshop.site.browser("per")).get("/"))
    assert "Kari Nordmann has it Take over" in others
    assert "Cordless drill" not in await text(await (await workshop.site.browser("eva")).get("/"))


async def test_what_is_somebody_elses_is_taken_over_only_by_who_saw_whose_it_is(
    workshop: Workshop,
):
    kari, per = await workshop.site.browser("kari"), await workshop.site.browser("per")
    await workshop.press(kari, "checkout")
    answer = await workshop.press(per, "checkout")
    assert answer.status == 422
    page = await text(answer)
    assert "Kari Nordmann has it now." in page
    assert "Kari Nordmann has it since today" in page
    assert await workshop.holders() == [workshop.kari]
    assert (await workshop.press(per, "checkin")).status == 422
    assert (await workshop.press(per, "checkout", seen=workshop.kari)).status == 303
    assert await workshop.holders() == [workshop.per]
    assert await workshop.events() == ["checkout", "checkin", "checkout"]
    # Kari's page still shows that it is hers.
    answer = await workshop.press(kari, "checkin", seen=workshop.kari)
    assert answer.status == 422
    assert "Per Hansen has it now." in await text(answer)
    assert await workshop.holders() == [workshop.per]


async def test_whoever_may_not_use_it_is_told_which_circle_is_missing(workshop: Workshop):
    browser = await workshop.site.browser("eva")
    page = await text(await browser.get("/tools"))
    assert "Not for you now Not in circle “drills”. For “drills” ask Kari Nordmann and Per" in page
    assert "Take" not in page
    answer = await workshop.press(browser, "checkout")
    assert answer.status == 422
    assert "For members of circle “drills”" in await text(answer)
    assert await workshop.holders() == []


async def test_pressing_twice_is_as_pressing_once(workshop: Workshop):
    browser = await workshop.site.browser("kari")
    for _ in range(2):
        assert (await workshop.press(browser, "checkout")).status == 303
    assert await workshop.holders() == [workshop.kari]
    for _ in range(2):
        assert (await workshop.press(browser, "checkin", seen=workshop.kari)).status == 303
    assert await workshop.events() == ["checkout", "checkin"]


@pytest.mark.parametrize("place", ["all", "one", "mine"])
async def test_a_script_gets_the_part_of_its_page(workshop: Workshop, place: str):
    kari, per = await workshop.site.browser("kari"), await workshop.site.browser("per")
    answer = await workshop.press(kari, "checkout", place=place, htmx=True)
    assert answer.status == 200
    fragment = await answer.text()
    assert 'id="tools"' in fragment
    assert "<html" not in fragment
    assert "Return" in fragment
    answer = await workshop.press(per, "checkout", place=place, htmx=True)
    assert answer.status == 422
    assert "Kari Nordmann has it now." in await text(answer)
    assert 'id="tools"' in await answer.text()


async def test_what_no_form_of_ours_sends_is_refused(workshop: Workshop):
    browser = await workshop.site.browser("kari")
    assert (await workshop.press(browser, "checkout", seen="kari")).status == 400
    assert (await browser.post("/tools/0/checkout", data={})).status == 404
    assert await workshop.holders() == []


async def test_an_open_page_hears_of_each_checkout_whoever_writes_it(workshop: Workshop):
    site = workshop.site
    browser = await site.browser("per")
    async with streaming(browser) as stream:
        await stream.until("event: checkouts")
        await makerspace.checkout(site.connection, tool=workshop.drill, account=workshop.kari)
        told = await stream.until("event: checkouts")
        assert f"event: tool-{workshop.drill}" in told
        assert "Kari Nordmann" in told


async def test_the_tools_that_somebody_has_out_stand_on_her_page_for_an_admin_and_herself(
    workshop: Workshop,
):
    kari, per = await workshop.site.browser("kari"), await workshop.site.browser("per")
    await console_app.admin(workshop.site.connection, "ola")
    ola, her_page = await workshop.site.browser("ola"), f"/members/{workshop.kari}"
    assert "Has out" not in await text(await ola.get(her_page))
    await workshop.press(kari, "checkout")
    assert re.search(
        r"Has out: Cordless drill since today \d\d:\d\d", await text(await ola.get(her_page))
    )
    assert "You have: Cordless drill since" in await text(await kari.get("/me"))
    for page in (per.get(her_page), ola.get(f"/members/{workshop.per}")):
        assert "Cordless drill since" not in await text(await page)
    await workshop.press(per, "checkout", seen=workshop.kari)
    assert "Has out" not in await text(await ola.get(her_page))
    assert "Has out: Cordless drill" in await text(await ola.get(f"/members/{workshop.per}"))


async def test_of_many_tools_that_somebody_has_out_the_last_ones_are_named(workshop: Workshop):
    await console_app.admin(workshop.site.connection, "ola")
    for n in range(1, 6):
        tool = await makerspace.tool(workshop.site.connection, name=f"Saw {n}")
        await workshop.site.connection.execute(
            "insert into tool_checkout (created_at, created_by, updated_at, updated_by, account,"
            " tool_description, started) values (now(), 3, now(), 3, %s, %s,"
            " now() + make_interval(secs => %s))",
            [workshop.kari, tool, n],
        )
    ola = await workshop.site.browser("ola")
    page = await text(await ola.get(f"/members/{workshop.kari}"))
    assert re.search(r"Has out: Saw 5 .*, Saw 4 .*, Saw 3 .* and 2 more", page)
