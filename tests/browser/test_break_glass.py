"""A card becomes a break-glass card on its owner's page, on a phone and with nothing but keys."""

from collections.abc import AsyncGenerator

import pytest
from playwright.async_api import Browser, expect

from tests.browser.test_pages import address, log_in
from tests.support import makerspace
from tests.support.browser import DESKTOP, PHONE, browser_page, chromium
from tests.support.console_app import Site, admin, member


@pytest.fixture
async def browser() -> AsyncGenerator[Browser]:
    """Chromium, started for each test: its loop is the test's."""
    async with chromium() as running:
        yield running


@pytest.fixture
async def kari(site: Site) -> int:
    """Somebody with a card, and an admin ola."""
    await admin(site.connection, "ola")
    account = await member(site.connection, "kari", name="Kari Nordmann")
    await makerspace.card(site.connection, account=account, label="blue fob")
    return account


async def test_on_a_phone_it_asks_first(site: Site, browser: Browser, kari: int) -> None:
    async with browser_page(browser, address(site), viewport=PHONE) as page:
        await log_in(page, "ola")
        await page.goto(f"/members/{kari}")
        button = page.get_by_role("button", name="Make it a break-glass card")
        meaning = page.get_by_text("A break-glass card opens what its owner")
        await expect(button).to_be_hidden()
        await expect(meaning).to_be_hidden()
        await page.locator("summary", has_text="Change blue fob").click()
        await expect(meaning).to_be_visible()
        wide = "document.documentElement.scrollWidth <= window.innerWidth"
        assert await page.evaluate(wide)
        await button.click()
        await expect(page.locator("#cards .chip")).to_have_text("break-glass")
        await page.goto("/me")
        await expect(page.locator("#cards .chip")).to_have_count(0)


async def test_with_nothing_but_keys(site: Site, browser: Browser, kari: int) -> None:
    async with browser_page(browser, address(site), viewport=DESKTOP) as page:
        await log_in(page, "ola")
        await page.goto(f"/members/{kari}")
        for name, chips in (("Make it a break-glass card", 1), ("Make it an ordinary card", 0)):
            await page.locator("summary", has_text="Change blue fob").focus()
            await page.keyboard.press("Enter")
            await page.get_by_role("button", name=name).focus()
            await page.keyboard.press("Enter")
            await expect(page.locator("#cards .chip")).to_have_count(chips)


async def test_without_scripts(site: Site, browser: Browser, kari: int) -> None:
    async with browser_page(browser, address(site), javascript=False) as page:
        await log_in(page, "ola")
        await page.goto(f"/members/{kari}")
        await page.locator("summary", has_text="Change blue fob").click()
        await page.get_by_role("button", name="Make it a break-glass card").click()
        await expect(page.locator("#cards .chip")).to_have_text("break-glass")
