"""Adding a controller and its door, and finding things, as people meet it in Chromium."""

import asyncio
from pathlib import Path

from playwright.async_api import Browser, ViewportSize, expect

from sync.bundle import decode_bundle
from tests.browser.test_pages import BOTH, address, browser, log_in
from tests.support import makerspace
from tests.support.browser import browser_page
from tests.support.console_app import Site, admin, member

__all__ = ["browser"]


@BOTH
async def test_a_controller_is_enrolled_and_a_door_added_to_it(
    site: Site, browser: Browser, viewport: ViewportSize, tmp_path: Path
) -> None:
    await admin(site.connection, "ola")
    kari = await member(site.connection, "kari", name="Kari Nordmann")
    await makerspace.payment(site.connection, account=kari)
    await makerspace.circle_member(site.connection, account=kari)
    async with browser_page(browser, address(site), viewport=viewport) as page:
        await log_in(page, "ola")
        await page.goto("/controllers")
        await page.get_by_role("link", name="Enrol a controller").click()
        await page.get_by_label("Name").fill("front-pi")
        await page.get_by_label("Broker").fill("mqtts://console.example.org")
        await page.get_by_role("button", name="Enrol it").click()
        async with page.expect_download() as waiting:
            await page.get_by_role("button", name="Fetch front-pi.json").click()
        file = tmp_path / "bundle.json"
        await (await waiting.value).save_as(file)
        bundle = decode_bundle(await asyncio.to_thread(file.read_bytes))
        assert bundle.controller == "front-pi"

        await page.goto("/doors/_new")
        await expect(page.get_by_label("Topic")).to_be_hidden()
        await page.get_by_label("Controller", exact=False).select_option("front-pi")
        await page.get_by_label("Hours without the console").first.fill("")
        await page.get_by_label("Moved by").select_option("mqtt")
        await expect(page.get_by_label("Topic")).to_be_visible()
        await expect(page.get_by_label("Stands open")).to_be_hidden()
        await page.get_by_label("Topic").fill("front")
        await page.get_by_label("Moved by").select_option("controller")
        await page.get_by_label("Hours without the console").first.fill("24")
        await page.get_by_label("Key").fill("Front!")
        await page.get_by_label("Name").fill("Front door")
        await page.get_by_label("Controller", exact=False).select_option("front-pi")
        await page.get_by_label("door", exact=True).check()
        await page.get_by_role("button", name="Preview").click()
        await expect(page.get_by_text("1 to 32 of a-z, 0-9 and -", exact=True)).to_be_visible()
        await expect(page.get_by_label("Name")).to_have_value("Front door")
        await page.get_by_label("Key").fill("front")
        await page.get_by_role("button", name="Preview").click()
        await expect(page.get_by_text("Kari Nordmann: Front door")).to_be_visible()
        await page.get_by_role("button", name="Add the door").click()
        await expect(page.get_by_role("heading", name="Front door", level=1)).to_be_visible()

        await page.goto("/tools/new")
        await expect(page.get_by_label("Key")).to_be_hidden()
        await page.get_by_role("combobox", name="Controller").select_option("front-pi")
        await expect(page.get_by_label("Key")).to_be_visible()

        await page.goto("/doors/front")
        await page.get_by_role("button", name="Retire it").click()
        await page.get_by_role("button", name="Retire Front door").click()
        await expect(page.get_by_role("heading", name="Retired")).to_be_visible()
        await page.get_by_role("button", name="Bring back").click()
        await page.get_by_role("button", name="Bring it back").click()
        await expect(page.get_by_role("heading", name="Front door", level=1)).to_be_visible()


@BOTH
async def test_the_search_is_reached_and_left_with_the_keyboard_alone(
    site: Site, browser: Browser, viewport: ViewportSize
) -> None:
    await admin(site.connection, "ola")
    await member(site.connection, "kari", name="Kari Nordmann")
    async with browser_page(browser, address(site), viewport=viewport) as page:
        await log_in(page, "ola")
        await page.keyboard.press("/")
        await page.keyboard.type("nord")
        found = page.locator("#found").get_by_role("link", name="Kari Nordmann")
        await expect(found).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(found).to_be_hidden()
        await page.keyboard.type("m")
        await expect(found).to_be_visible()
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="Kari Nordmann")).to_be_visible()


async def test_what_was_found_is_left_by_escape_to_the_field_and_by_a_click_elsewhere(
    site: Site, browser: Browser
) -> None:
    await admin(site.connection, "ola")
    await member(site.connection, "kari", name="Kari Nordmann")
    async with browser_page(browser, address(site)) as page:
        await log_in(page, "ola")
        field = page.get_by_role("searchbox").first
        found = page.locator("#found").get_by_role("link", name="Kari Nordmann")
        await field.press_sequentially("nord")
        await found.focus()
        await page.keyboard.press("Escape")
        await expect(field).to_be_focused()
        await expect(found).to_have_count(0)
        await field.press_sequentially("m")
        await expect(found).to_be_visible()
        await page.get_by_role("heading", name="Latest").click()
        await expect(found).to_have_count(0)


async def test_the_search_works_without_a_script(site: Site, browser: Browser) -> None:
    await admin(site.connection, "ola")
    await makerspace.tool(site.connection, name="Bandsaw")
    async with browser_page(browser, address(site), javascript=False) as page:
        await log_in(page, "ola")
        await page.get_by_role("searchbox").first.fill("band")
        await page.keyboard.press("Enter")
        await page.get_by_role("main").get_by_role("link", name="Bandsaw").click()
        await expect(page.get_by_role("heading", name="Bandsaw")).to_be_visible()
