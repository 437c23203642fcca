"""However many pages somebody has open: each of them works, and the one she looks at is live."""

import re
from collections.abc import AsyncGenerator

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from console.web.keys import LIVE
from tests.browser.test_lost_connection import expect_live
from tests.browser.test_pages import address, log_in
from tests.console.test_alarm_bar import FINE, TROUBLE, report, saw
from tests.support import makerspace
from tests.support.browser import PATIENCE_MS, browser_page, chromium
from tests.support.console_app import Site
from tests.support.recorded import event
from tests.support.waiting import eventually

__all__ = ["saw"]

PAUSED = "not live: paused while not in use"
PAGES = 8


@pytest.fixture
async def browser() -> AsyncGenerator[Browser]:
    async with chromium() as running:
        yield running


@pytest.fixture
async def house(site: Site, saw: int) -> Site:
    """Kari may open the front door."""
    del saw
    cursor = await site.connection.execute("select id from account where username = 'kari'")
    [(kari,)] = await cursor.fetchall()
    await makerspace.payment(site.connection, account=kari)
    await makerspace.circle_member(site.connection, account=kari)
    await report(site, FINE)
    return site


async def another(context: BrowserContext, path: str = "/") -> Page:
    """One more window, which knows whether the keyboard is in it."""
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    await page.goto(path)
    await expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    session = await context.new_cdp_session(page)
    await session.send(  # pyright: ignore[reportUnknownMemberType]
        "Emulation.setFocusEmulationEnabled", {"enabled": False}
    )
    return page


async def hide(page: Page, *, is_hidden: bool) -> None:
    """Chromium without a screen doesn't hide what is behind, so the page is told that it is."""
    await page.evaluate(
        """(isHidden) => {
          Object.defineProperty(document, "hidden", { value: isHidden, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        is_hidden,
    )


async def test_the_eighth_window_loads_opens_a_door_and_the_first_is_true_when_it_is_back(
    house: Site, browser: Browser
) -> None:
    async with browser_page(browser, address(house)) as page:
        await log_in(page, "kari")
        await page.close()
        pages = [await another(page.context) for _ in range(PAGES)]
        await expect_live(pages[-1])
        await pages[-1].bring_to_front()
        async with pages[-1].expect_response(re.compile("/doors/front/openings")):
            await pages[-1].get_by_role("button", name="Front door").click()
        assert house.app[LIVE].streams == 3
        await expect(pages[0].get_by_text(PAUSED)).to_be_visible()
        await expect(pages[0].locator(".state", has_text="as it was at").first).to_be_visible()
        await report(house, TROUBLE)
        await expect(pages[-1].get_by_text("held open").first).to_be_visible()
        await expect(pages[0].get_by_text("held open")).to_have_count(0)
        await pages[0].bring_to_front()
        await expect_live(pages[0])
        await expect(pages[0].get_by_text("held open").first).to_be_visible()


async def test_a_hidden_page_lets_go_of_its_stream_and_has_what_it_missed_when_it_is_seen(
    house: Site, browser: Browser
) -> None:
    async with browser_page(browser, address(house)) as page:
        await page.clock.install()
        await log_in(page, "kari")
        await expect_live(page)
        await hide(page, is_hidden=True)
        await page.clock.fast_forward(3_000)
        await hide(page, is_hidden=False)
        await page.clock.fast_forward(10_000)
        assert house.app[LIVE].streams == 1, "a glance elsewhere changes nothing"
        await hide(page, is_hidden=True)
        await page.clock.fast_forward(6_000)
        await eventually(lambda: house.app[LIVE].streams == 0)
        await expect(page.get_by_text(PAUSED)).to_be_visible()
        await event(house.connection, account=2)
        await report(house, TROUBLE)
        await hide(page, is_hidden=False)
        await expect_live(page)
        await expect(page.get_by_text("held open").first).to_be_visible()
        await expect(page.get_by_text("opened Front door")).to_be_visible()


@pytest.mark.parametrize("path", ["/members/100000", "/run", "/me", "/members", "/circles/2"])
async def test_an_alarm_shows_on_pages_that_have_nothing_else_live(
    house: Site, browser: Browser, path: str
) -> None:
    async with browser_page(browser, address(house)) as page:
        await log_in(page, "ola")
        await page.goto(path)
        await eventually(lambda: house.app[LIVE].streams == 1)
        await report(house, TROUBLE)
        await expect(page.get_by_role("status").filter(has_text="held open")).to_be_visible()
