"""Where the keyboard is after something was pressed: never nowhere."""

from collections.abc import AsyncGenerator

import pytest
from playwright.async_api import Browser, Locator, ViewportSize, expect

from console.web.keys import LIVE
from tests.browser.test_pages import BOTH, address, log_in
from tests.support import makerspace
from tests.support.browser import browser_page, chromium
from tests.support.console_app import Site, admin, member
from tests.support.waiting import eventually


@pytest.fixture
async def browser() -> AsyncGenerator[Browser]:
    async with chromium() as running:
        yield running


async def press(button: Locator) -> None:
    """By keyboard."""
    await button.focus()
    await button.press("Enter")


@BOTH
async def test_removing_somebody_leads_the_keyboard_to_the_question_and_then_to_what_was_done(
    site: Site, browser: Browser, viewport: ViewportSize
) -> None:
    await admin(site.connection, "ola")
    kari = await member(site.connection, "kari", name="Kari Nordmann")
    await makerspace.circle_member(site.connection, account=kari)
    async with browser_page(browser, address(site), viewport=viewport) as page:
        await log_in(page, "ola")
        await page.goto("/circles/2")
        await press(page.get_by_role("button", name="Remove Kari"))
        question = page.locator("form.panel[aria-labelledby]")
        await expect(question).to_be_focused()
        await expect(question).to_be_in_viewport()
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        done = page.locator(".notice[role=status]")
        await expect(done).to_be_focused()
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("button", name="Undo")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("link", name="Kari Nordmann")).to_be_visible()
        await expect(page.get_by_text("Kari Nordmann was put back.")).to_be_visible()
        await expect(done).to_be_focused()


async def test_a_tool_taken_by_keyboard_keeps_the_keyboard_at_the_tools(
    site: Site, browser: Browser
) -> None:
    kari = await member(site.connection, "kari", name="Kari Nordmann")
    await makerspace.payment(site.connection, account=kari)
    await makerspace.circle_member(site.connection, account=kari)
    await makerspace.tool(site.connection, name="Drill")
    await eventually(lambda: site.app[LIVE].is_listening)
    async with browser_page(browser, address(site)) as page:
        await log_in(page, "kari")
        await page.goto("/tools")
        await press(page.get_by_role("button", name="Take Drill"))
        await expect(page.get_by_role("button", name="Return Drill")).to_be_visible()
        await expect(page.locator("#tools:focus, #tools :focus")).to_have_count(1)
