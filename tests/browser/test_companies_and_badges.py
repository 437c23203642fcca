"""Companies, badges and circles kept by people in Chromium, on a phone and on a desk."""

from playwright.async_api import Browser, Page, ViewportSize, expect

from tests.browser.test_pages import BOTH, address, browser, log_in
from tests.support import makerspace
from tests.support.browser import browser_page
from tests.support.console_app import Site, admin, member

__all__ = ["browser"]


async def filled(site: Site) -> None:
    """Dina, of `despot`; Ina, of `instructors`; Ola, an admin; two who learn, one employed."""
    connection = site.connection
    await admin(connection, "ola")
    for username, name, circle in (
        ("dina", "Dina Berg", "despot"),
        ("ina", "Ina Instructor", "instructors"),
    ):
        account = await member(connection, username, name=name)
        made = await makerspace.circle(connection, name=circle, admin_circle=1)
        await makerspace.circle_member(connection, account=account, circle=made)
    await makerspace.controller(connection)
    await makerspace.door(connection)
    kari = await member(connection, "kari", name="Kari Nordmann")
    await member(connection, "per", name="Per Nordmann")
    company = await makerspace.company(connection, name="Acme AS", contact=kari)
    await makerspace.employee(connection, account=kari, company=company)
    await connection.execute(
        "insert into badge_description (created_at, created_by, updated_at, updated_by, title,"
        " certification_circle) select now(), 3, now(), 3, 'Laser cutter', id from circle"
        " where name = 'instructors'"
    )


async def press(page: Page, name: str) -> None:
    await page.get_by_role("button", name=name, exact=True).click()


@BOTH
async def test_a_list_is_printed_without_what_is_pressed(
    site: Site, browser: Browser, viewport: ViewportSize
) -> None:
    await filled(site)
    async with browser_page(browser, address(site), viewport=viewport) as page:
        await log_in(page, "ola")
        await page.goto("/members")
        main = page.get_by_role("main")
        await expect(page.get_by_role("searchbox").first).to_be_visible()
        await page.emulate_media(media="print")
        await expect(main.get_by_text("Kari Nordmann")).to_be_visible()
        await expect(page.get_by_role("searchbox").first).to_be_hidden()
        await expect(page.get_by_role("navigation").first).to_be_hidden()
        await expect(main.get_by_role("button").first).to_be_hidden()


@BOTH
async def test_people_are_found_ticked_and_awarded_a_badge(
    site: Site, browser: Browser, viewport: ViewportSize
) -> None:
    await filled(site)
    async with browser_page(browser, address(site), viewport=viewport) as page:
        await log_in(page, "ina")
        await page.goto("/badges")
        await page.get_by_role("link", name="Laser cutter").click()
        await page.get_by_role("link", name="Award it").click()
        await page.get_by_label("Who gets it?").fill("nordmann")
        await page.keyboard.press("Enter")
        await page.get_by_label("Kari Nordmann").check()
        await page.get_by_label("User names").fill("per\nnobody")
        await press(page, "Award")
        await expect(page.get_by_role("alert")).to_contain_text("Nobody has the user name nobody.")
        await expect(page.get_by_label("Kari Nordmann")).to_be_checked()
        await page.get_by_label("User names").fill("per")
        await press(page, "Award")
        await expect(page.get_by_text("Awarded.", exact=True)).to_be_visible()
        for name in ("Kari Nordmann", "Per Nordmann"):
            line = page.get_by_role("listitem").filter(has_text=name)
            await expect(line).to_contain_text("Ina Instructor")


@BOTH
async def test_a_company_is_deactivated_once_it_is_seen_who_loses_what(
    site: Site, browser: Browser, viewport: ViewportSize
) -> None:
    await filled(site)
    async with browser_page(browser, address(site), viewport=viewport) as page:
        await log_in(page, "dina")
        await page.goto("/companies")
        await page.get_by_role("link", name="Acme AS").click()
        await page.get_by_label("Name or user name").fill("per")
        await press(page, "Add")
        await expect(page.get_by_role("main")).to_contain_text("Can use from now on")
        await press(page, "Add Per Nordmann")
        await expect(page.get_by_role("link", name="Per Nordmann")).to_be_visible()
        await page.get_by_role("link", name="Change").click()
        await page.get_by_label("Active").uncheck()
        await press(page, "Save")
        await expect(page.get_by_role("main")).to_contain_text("Can no longer use")
        await expect(page.get_by_role("main")).to_contain_text(
            "Kari Nordmann, Per Nordmann: Front door"
        )
        await press(page, "Save")
        await expect(page.get_by_role("main")).to_contain_text("Not active")


@BOTH
async def test_a_circle_is_made_and_changed(
    site: Site, browser: Browser, viewport: ViewportSize
) -> None:
    await filled(site)
    async with browser_page(browser, address(site), viewport=viewport) as page:
        await log_in(page, "ola")
        await page.goto("/circles")
        await page.get_by_role("link", name="New circle").click()
        await page.get_by_label("Name", exact=True).fill("forge")
        await page.get_by_label("The other circle").select_option("despot")
        await press(page, "Make the circle")
        await expect(page.get_by_role("heading", name="forge")).to_be_visible()
        await page.get_by_role("link", name="Change the circle").click()
        await page.get_by_label("What it is for").fill("Hot and loud")
        await page.get_by_label("Asks for a comment").check()
        await press(page, "Save")
        await expect(page.get_by_role("main")).to_contain_text("Hot and loud")
