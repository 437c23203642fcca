"""A door was forced at night: an admin looks into it, by hand on a phone, with keys at a desk."""

from collections.abc import AsyncGenerator

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.test_pages import address, log_in
from tests.console.test_alarm_bar import FINE, report, saw
from tests.support.browser import DESKTOP, PHONE, browser_page, chromium
from tests.support.console_app import Site
from tests.support.recorded import event

__all__ = ["saw"]


@pytest.fixture
async def browser() -> AsyncGenerator[Browser]:
    """Chromium, started for each test: its loop is the test's."""
    async with chromium() as running:
        yield running


@pytest.fixture
async def forced(site: Site, saw: int) -> Site:
    """The front door was forced twice, and is locked now."""
    del saw
    await report(site, FINE)
    for seconds in (500, 400):
        await event(site.connection, kind="door_forced", seconds_ago=seconds)
    return site


async def looked(site: Site) -> list[tuple[object, ...]]:
    cursor = await site.connection.execute("select alarms, comment from access.alarm_look")
    return list(await cursor.fetchall())


async def fits(page: Page) -> bool:
    return await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


async def test_on_a_phone_it_is_looked_into_with_a_thumb(forced: Site, browser: Browser) -> None:
    async with browser_page(browser, address(forced), viewport=PHONE) as page:
        await log_in(page, "ola")
        bar = page.get_by_role("status").filter(has_text="was forced open 2 times")
        await expect(bar).to_be_visible()
        assert await fits(page)
        await bar.get_by_role("link", name="Look into it").click()
        await expect(page.get_by_role("heading", name="Alarms", exact=True)).to_be_visible()
        assert await fits(page)
        await event(forced.connection, kind="door_forced", seconds_ago=1)
        await expect(bar).to_be_visible()
        await expect(page.get_by_text("was forced open 3 times")).to_be_visible()
        await page.get_by_label("What it was").fill("the storm")
        await page.get_by_role("button", name="I have looked").click()
        await expect(page.get_by_text("“the storm”")).to_be_visible()
        assert await looked(forced) == [(2, "the storm")], "no more than the page showed"
        await page.get_by_role("button", name="I have looked").click()
        await expect(page.get_by_text("Nothing. A door that was forced")).to_be_visible()
        await expect(page.get_by_role("link", name="Look into it")).to_have_count(0)


async def test_at_a_desk_with_nothing_but_keys(forced: Site, browser: Browser) -> None:
    async with browser_page(browser, address(forced), viewport=DESKTOP) as page:
        await log_in(page, "ola")
        await page.get_by_role("link", name="Look into it").focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="To look into")).to_be_visible()
        await page.get_by_label("What it was").focus()
        await page.keyboard.type("a fire drill")
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("button", name="I have looked")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("“a fire drill”")).to_be_visible()
        assert await looked(forced) == [(2, "a fire drill")]
        await page.goto("/doors/front")
        await expect(page.get_by_role("heading", name="Alarms looked into")).to_be_visible()
        await expect(page.get_by_text("Ola has looked into it").first).to_be_visible()


async def test_a_member_sees_none_of_it(forced: Site, browser: Browser) -> None:
    async with browser_page(browser, address(forced), viewport=PHONE, javascript=False) as page:
        await log_in(page, "kari")
        await expect(page.get_by_text("was forced open")).to_have_count(0)
