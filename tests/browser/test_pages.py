"""The pages as people meet them: on a phone and on a desk, with scripts and without."""

from collections.abc import AsyncGenerator

import pytest
from playwright.async_api import Browser, Page, ViewportSize, expect

from console.database import Connection, Database
from console.first_card.enrolling import FirstCards
from console.web.keys import LIVE
from tests.support import makerspace
from tests.support.browser import DESKTOP, PHONE, browser_page, chromium
from tests.support.console_app import PASSWORD, Site, admin, member
from tests.support.recorded import event
from tests.support.waiting import eventually

BOTH = pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])


@pytest.fixture
async def browser() -> AsyncGenerator[Browser]:
    """Chromium, started for each test: its loop is the test's."""
    async with chromium() as running:
        yield running


def address(site: Site) -> str:
    return str(site.server.make_url("/"))


async def log_in(page: Page, username: str) -> None:
    await page.goto("/")
    await page.get_by_label("User name").fill(username)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Log in").click()
    await expect(page.get_by_role("navigation", name="Main")).to_be_visible()


async def members(connection: Connection) -> set[str]:
    cursor = await connection.execute(
        "select a.username from circle_member m join account a on a.id = m.account"
        " where m.circle = 2"
    )
    return {row[0] for row in await cursor.fetchall()}


@BOTH
async def test_logging_in_and_adding_a_member_to_a_circle(
    site: Site, browser: Browser, viewport: ViewportSize
) -> None:
    await admin(site.connection, "ola")
    await member(site.connection, "kari", name="Kari Nordmann")
    async with browser_page(browser, address(site), viewport=viewport) as page:
        await log_in(page, "ola")
        if viewport is PHONE:
            await page.get_by_role("link", name="Run").click()
            await page.get_by_role("main").get_by_role("link", name="Circles").click()
        else:
            await page.get_by_role("link", name="Circles").click()
        await page.get_by_role("main").get_by_role("link", name="door").click()
        await expect(page.get_by_text("Nobody is in this circle yet")).to_be_visible()
        await page.get_by_label("Name or user name").fill("krai")
        await page.get_by_role("button", name="Add").click()
        await expect(page.get_by_role("alert")).to_contain_text("Nobody is called “krai”")
        # Key by key, as people type: htmx takes a moment to listen to a field it has just made.
        await page.get_by_label("Name or user name").fill("")
        await page.get_by_label("Name or user name").press_sequentially("kari", delay=60)
        await expect(page.locator("datalist option")).to_have_attribute("value", "kari")
        await page.get_by_role("button", name="Add").click()
        await expect(page.get_by_role("link", name="Kari Nordmann")).to_be_visible()
        assert await members(site.connection) == {"kari"}
        await page.get_by_role("button", name="Remove Kari").click()
        await page.locator("form.panel").get_by_role("button", name="Remove Kari").click()
        await expect(page.get_by_text("Nobody is in this circle yet")).to_be_visible()
        assert await members(site.connection) == set()


async def test_everything_works_without_scripts(site: Site, browser: Browser) -> None:
    await admin(site.connection, "ola")
    kari = await member(site.connection, "kari", name="Kari Nordmann")
    async with browser_page(browser, address(site), javascript=False) as page:
        await log_in(page, "ola")
        await page.goto(f"/members/{kari}")
        await page.get_by_text("Add to a circle").click()
        await page.get_by_label("Circle").select_option("door")
        await page.get_by_role("button", name="Add").click()
        await expect(page.get_by_role("link", name="door", exact=True)).to_be_visible()
        assert await members(site.connection) == {"kari"}
        await page.get_by_text("Assign a card by its number").click()
        await page.get_by_label("Number").fill("em4100:0A00B26E7B")
        await page.get_by_label("Label").fill("blue fob")
        await page.get_by_role("button", name="Assign").click()
        await expect(page.get_by_text("blue fob").first).to_be_visible()
        await page.get_by_text("Lost it?").click()
        await page.get_by_role("button", name="Mark as lost").click()
        await expect(page.get_by_text("lost since")).to_be_visible()
        await page.get_by_role("button", name="Log out").click()
        await expect(page.get_by_role("heading", name="Log in")).to_be_visible()


@pytest.mark.parametrize("javascript", [True, False], ids=["scripts", "no-scripts"])
@BOTH
async def test_a_lost_card_of_ones_own_is_one_press_away_from_the_question(
    site: Site, browser: Browser, viewport: ViewportSize, javascript: bool
) -> None:
    kari = await member(site.connection, "kari", name="Kari Nordmann")
    await makerspace.card(site.connection, account=kari, label="blue fob")
    where = address(site)
    async with browser_page(browser, where, viewport=viewport, javascript=javascript) as page:
        await log_in(page, "kari")
        await page.goto("/me/cards")
        await page.get_by_text("Lost it?").click()
        question = page.locator("details[open] .ask")
        await expect(question).to_contain_text("It can't be undone")
        await expect(question).to_be_in_viewport(ratio=1)
        await question.get_by_role("button", name="Mark as lost").click()
        await expect(page.get_by_text("lost since")).to_be_visible()
        await expect(page).to_have_url(f"{where}me/cards")


@BOTH
async def test_an_opening_appears_by_itself(
    site: Site, browser: Browser, viewport: ViewportSize
) -> None:
    kari = await member(site.connection, "kari", name="Kari Nordmann")
    await makerspace.controller(site.connection)
    await makerspace.door(site.connection)
    async with browser_page(browser, address(site), viewport=viewport) as page:
        await log_in(page, "kari")
        await expect(page.get_by_text("live", exact=True)).to_be_visible()
        await event(site.connection, account=kari)
        await expect(page.get_by_text("opened Front door")).to_be_visible()
        site.app[LIVE].close()
        await expect(page.get_by_text("not live")).to_be_visible()


async def test_a_new_card_appears_and_is_assigned_by_typing_a_name_and_enter(
    site: Site, browser: Browser
) -> None:
    await admin(site.connection, "ola")
    await member(site.connection, "kari", name="Kari Nordmann")
    await makerspace.controller(site.connection)
    await makerspace.door(site.connection)
    async with browser_page(browser, address(site), viewport=PHONE) as page:
        await log_in(page, "ola")
        await page.goto("/cards/unknown")
        await expect(page.get_by_text("live", exact=True)).to_be_visible()
        await event(site.connection, kind="access_denied", site_digest=b"a" * 16, seconds_ago=1)
        field = page.get_by_label("Whose is it?")
        await field.fill("kari")
        await event(site.connection, kind="access_denied", site_digest=b"b" * 16, seconds_ago=0)
        await expect(page.get_by_text("Another card was tapped")).to_be_visible()
        await expect(field).to_have_value("kari")
        await field.press("Enter")
        await expect(page.locator("#notice")).to_contain_text("The card is Kari Nordmann's now")
        await expect(field).to_have_count(1)
    cursor = await site.connection.execute("select site_digest from access.card")
    assert await cursor.fetchall() == [(b"a" * 16,)]


@BOTH
async def test_everything_that_is_pressed_is_large_enough_and_nothing_overflows(
    site: Site, browser: Browser, viewport: ViewportSize
) -> None:
    await admin(site.connection, "ola")
    long_name = "Wolfeschlegelsteinhausenbergerdorff" * 2
    await makerspace.account(site.connection, username="x" * 50, name=long_name)
    kari = await member(site.connection, "kari", name="Kari Nordmann")
    await makerspace.circle_member(site.connection, account=kari)
    await makerspace.card(site.connection, account=kari, label="y" * 100)
    await makerspace.payment(site.connection, account=kari)
    await makerspace.controller(site.connection)
    await event(site.connection, kind="access_denied", account=kari, reason="expired")
    await event(site.connection, kind="access_denied", site_digest=b"a" * 16)
    async with browser_page(browser, address(site), viewport=viewport) as page:
        await log_in(page, "ola")
        for path in ("/", "/members", f"/members/{kari}", "/circles/2", "/cards/unknown", "/run"):
            await page.goto(path)
            width = await page.evaluate("document.documentElement.scrollWidth")
            assert width <= viewport["width"], path
            small = await page.evaluate(
                """[...document.querySelectorAll('button, .button, input, select, nav a')]
                  .filter(e => e.checkVisibility() && e.type !== 'hidden')
                  .map(e => [e.textContent.trim() || e.name, e.getBoundingClientRect().height])
                  .filter(([_, height]) => height < 44)"""
            )
            assert small == [], path


@BOTH
async def test_links_in_lists_are_high_enough_to_be_pressed_and_none_covers_another(
    site: Site, browser: Browser, viewport: ViewportSize
) -> None:
    await admin(site.connection, "ola")
    kari = await member(site.connection, "kari", name="Kari Nordmann")
    await member(site.connection, "bo", name="Bo")
    await makerspace.circle_member(site.connection, account=kari)
    await makerspace.controller(site.connection)
    await makerspace.door(site.connection)
    await event(site.connection, account=kari)
    await event(site.connection, kind="access_denied", account=kari, reason="expired")
    async with browser_page(browser, address(site), viewport=viewport) as page:
        await log_in(page, "ola")
        for path in ("/", "/doors/front", "/log/changes", "/circles/2", f"/members/{kari}"):
            await page.goto(path)
            boxes = await page.evaluate(
                """[...document.querySelectorAll('.log a, .rows .grow a')]
                  .filter(e => e.checkVisibility())
                  .map(e => [e.textContent.trim(), e.getBoundingClientRect()])
                  .map(([text, box]) => [text, box.x, box.y, box.width, box.height])"""
            )
            assert [box for box in boxes if box[3] < 24 or box[4] < 24] == [], path
            for text, x, y, width, height in boxes:
                apart = [
                    box[0]
                    for box in boxes
                    if not (box[1] >= x + width or box[1] + box[3] <= x)
                    and not (box[2] >= y + height - 0.5 or box[2] + box[4] <= y + 0.5)
                ]
                assert apart == [text], path


async def test_a_key_leads_to_the_search(site: Site, browser: Browser) -> None:
    await admin(site.connection, "ola")
    await member(site.connection, "kari", name="Kari Nordmann")
    async with browser_page(browser, address(site)) as page:
        await log_in(page, "ola")
        await page.keyboard.press("/")
        await page.keyboard.type("nordm")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="Search")).to_be_visible()
        await expect(page.get_by_role("link", name="Kari Nordmann")).to_be_visible()
        await expect(page.get_by_role("link", name="Kari Nordmann")).to_be_visible()


@BOTH
async def test_finding_out_who_added_somebody(
    site: Site, browser: Browser, viewport: ViewportSize
) -> None:
    await admin(site.connection, "ola")
    kari = await member(site.connection, "kari", name="Kari Nordmann")
    async with browser_page(browser, address(site), viewport=viewport) as page:
        await log_in(page, "ola")
        await page.goto("/circles/2")
        await page.get_by_label("Name or user name").fill("kari")
        await page.get_by_role("button", name="Add").click()
        await expect(page.get_by_role("link", name="Kari Nordmann")).to_be_visible()
        if viewport is PHONE:
            await page.get_by_role("link", name="Run").click()
        await page.get_by_role("link", name="Changes").first.click()
        await page.get_by_label("Person").fill("kari")
        await page.get_by_role("main").get_by_role("button", name="Search").click()
        told = page.get_by_text("added Kari Nordmann to the circle door")
        await expect(told).to_be_visible()
        await expect(page.get_by_text("from 127.0.0.1")).to_be_visible()
        route = page.get_by_text("POST /circles/{circle}/members")
        await expect(route).to_be_hidden()
        await page.get_by_text("Details", exact=False).first.click()
        await expect(route).to_be_visible()
        width = await page.evaluate("document.documentElement.scrollWidth")
        assert width <= viewport["width"]
        await page.get_by_role("link", name="Kari Nordmann").first.click()
        await expect(page).to_have_url(f"{address(site)}members/{kari}")
        await expect(told).to_be_visible()


@BOTH
async def test_a_tool_is_taken_and_another_page_hears_of_it(
    site: Site, browser: Browser, viewport: ViewportSize
) -> None:
    for username, name in (("kari", "Kari Nordmann"), ("per", "Per Hansen")):
        person = await member(site.connection, username, name=name)
        await makerspace.payment(site.connection, account=person)
        await makerspace.circle_member(site.connection, account=person)
    await makerspace.tool(site.connection, name="Drill")
    await eventually(lambda: site.app[LIVE].is_listening)
    async with (
        browser_page(browser, address(site), viewport=viewport) as karis,
        browser_page(browser, address(site), viewport=viewport) as pers,
    ):
        await log_in(karis, "kari")
        await log_in(pers, "per")
        await pers.goto("/tools")
        await expect(pers.get_by_text("Live")).to_be_visible()
        await karis.get_by_role("button", name="Take Drill").click()
        await expect(karis.get_by_role("heading", name="You have")).to_be_visible()
        # Per's page asks now, by itself.
        await pers.locator("summary", has_text="Take over").click()
        await pers.locator(".ask").get_by_role("button", name="Take over").click()
        await expect(pers.get_by_role("button", name="Return Drill")).to_be_visible()
        await expect(karis.get_by_text("Per Hansen has it", exact=True)).to_be_visible()


@BOTH
async def test_a_first_card_is_enrolled_while_the_page_is_open(
    site: Site, database: Database, browser: Browser, viewport: ViewportSize
) -> None:
    kari = await member(site.connection, "kari", name="Kari Nordmann")
    await makerspace.controller(site.connection)
    await makerspace.door(site.connection)
    await site.connection.execute("update access.door set takes_first_cards = true")
    await site.connection.execute(
        "update access.controller set public_key = '', entry_key = '', broker_password_hash = '',"
        " enrolled_at = now()"
    )
    await site.connection.execute(
        "insert into access.controller_report values ('front-pi', now(), '{}')"
    )
    await eventually(lambda: site.app[LIVE].is_listening)
    async with browser_page(browser, address(site), viewport=viewport) as page:
        await log_in(page, "kari")
        await page.goto("/me/cards")
        await page.get_by_role("button", name="Add my first card").click()
        await expect(page.get_by_text("Hold your card to the reader of Front door")).to_be_visible()
        tap = await event(
            site.connection,
            kind="access_denied",
            reason="unknown_card",
            site_digest=b"c" * 16,
            seconds_ago=0,
        )
        await FirstCards(database).tapped([tap])
        await expect(page.get_by_text("Was this your card, at Front door?")).to_be_visible()
        await page.get_by_label("Label").first.fill("blue fob")
        await page.get_by_role("button", name="Yes, it is mine").click()
        await expect(page.locator("strong", has_text="blue fob")).to_be_visible()
    cursor = await site.connection.execute("select account, label from access.card")
    assert await cursor.fetchall() == [(kari, "blue fob")]
