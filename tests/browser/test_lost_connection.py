"""What a page says once nothing reaches it any more: that, and nothing else for certain."""

import asyncio
import re
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Browser, Page, Route, ViewportSize, expect

from console.web import live, times
from tests.browser.test_pages import BOTH, address, log_in
from tests.support import makerspace
from tests.support.browser import PHONE, browser_page, chromium
from tests.support.console_app import Site, member
from tests.support.recorded import event


@pytest.fixture
async def browser() -> AsyncGenerator[Browser]:
    async with chromium() as running:
        yield running


@pytest.fixture
async def kari(site: Site) -> int:
    """She may open the front door."""
    account = await member(site.connection, "kari", name="Kari Nordmann")
    await makerspace.payment(site.connection, account=account)
    await makerspace.circle_member(site.connection, account=account)
    await makerspace.controller(site.connection)
    await makerspace.door(site.connection)
    return account


async def expect_live(page: Page) -> None:
    await expect(page.get_by_text("live", exact=True)).to_be_visible()
    await expect(page.get_by_text("as it was at")).to_have_count(0)


async def expect_no_claim(page: Page) -> None:
    await expect(page.get_by_text("not live: connection lost")).to_be_visible()
    await expect(page.locator(".state", has_text="as it was at")).to_have_count(1)


@BOTH
async def test_a_page_without_a_network_says_that_it_is_not_live_and_how_old_its_doors_are(
    site: Site, kari: int, browser: Browser, viewport: ViewportSize
) -> None:
    del kari
    async with browser_page(browser, address(site), viewport=viewport) as page:
        await log_in(page, "kari")
        await expect_live(page)
        await page.context.set_offline(True)
        await expect_no_claim(page)
        await page.context.set_offline(False)
        await expect_live(page)


async def test_how_old_its_doors_are_is_told_in_the_time_of_the_space(
    site: Site, kari: int, browser: Browser
) -> None:
    del kari
    there = await browser.new_context(base_url=address(site), timezone_id="Asia/Kathmandu")
    async with there, await there.new_page() as page:
        before = times.hour_and_minute(times.now())
        await log_in(page, "kari")
        await expect_live(page)
        after = times.hour_and_minute(times.now())
        await page.context.set_offline(True)
        told = page.get_by_text(re.compile(f"^as it was at ({before}|{after})$"))
        await expect(told).to_be_visible()


async def test_a_stream_from_which_nothing_comes_is_not_live_however_open_it_looks(
    site: Site, kari: int, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    del kari
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 9_999)
    async with browser_page(browser, address(site), viewport=PHONE) as page:
        await page.clock.install()
        await log_in(page, "kari")
        await expect_live(page)
        await page.clock.fast_forward(30_000)
        await expect_live(page)
        await page.route("**/live", lambda route: route.abort())
        await page.clock.fast_forward(30_000)
        await expect_no_claim(page)
        await page.unroute("**/live")
        await page.clock.fast_forward(120_000)
        await expect_live(page)


async def test_what_takes_long_can_be_given_up(site: Site, kari: int, browser: Browser) -> None:
    del kari
    async with browser_page(browser, address(site)) as page:
        await page.clock.install()
        await log_in(page, "kari")
        await page.route("**/openings", lambda _route: None)  # no answer ever comes
        button = page.get_by_role("button", name="Front door")
        await button.click()
        await page.clock.fast_forward(3_000)
        await expect(page.get_by_text("Still waiting…")).to_be_in_viewport()
        await expect(page.get_by_text("Opening…")).to_be_visible()
        await page.get_by_role("button", name="Cancel").click()
        await expect(page.get_by_text("Cancelled. Look whether it was done")).to_be_visible()
        await expect(button).to_be_enabled()


async def test_an_answer_that_takes_long_ends_the_waiting(
    site: Site, kari: int, browser: Browser
) -> None:
    del kari
    async with browser_page(browser, address(site)) as page:
        await page.clock.install()
        await log_in(page, "kari")
        waiting = asyncio.Event()

        async def late(route: Route) -> None:
            await waiting.wait()
            await route.fulfill(content_type="text/html", body="<p>It was opened.</p>")

        await page.route("**/openings", late)
        await page.get_by_role("button", name="Front door").click()
        await page.clock.fast_forward(3_000)
        await expect(page.get_by_text("Still waiting…")).to_be_visible()
        waiting.set()
        await expect(page.get_by_text("It was opened.")).to_be_visible()
        await expect(page.get_by_text("Still waiting…")).to_have_count(0)


@pytest.mark.parametrize("minutes", [-3, 3])
async def test_times_are_counted_by_the_clock_of_the_console(
    site: Site, kari: int, browser: Browser, minutes: int
) -> None:
    await event(site.connection, account=kari)
    await site.connection.execute(
        "update access.event set happened_at = now() - interval '40 seconds'"
    )
    async with browser_page(browser, address(site)) as page:
        await page.clock.install(time=datetime.now(UTC) + timedelta(minutes=minutes))
        await log_in(page, "kari")
        await expect_live(page)  # else its script may not be there yet
        opened = page.locator("time[data-ago]").first
        await expect(opened).to_have_text(re.compile("^4[0-9] s ago$"))
        await page.clock.run_for(10_000)
        await expect(opened).to_have_text(re.compile("^5[0-9] s ago$"))


@BOTH
async def test_that_no_answer_came_is_in_view_wherever_something_was_pressed(
    site: Site, kari: int, browser: Browser, viewport: ViewportSize
) -> None:
    del kari
    for number in range(12):
        await makerspace.tool(site.connection, name=f"Drill {number}")
    async with browser_page(browser, address(site), viewport=viewport) as page:
        await log_in(page, "kari")
        await page.goto("/tools")
        button = page.get_by_role("button", name="Take Drill 9")
        await button.scroll_into_view_if_needed()
        await page.context.set_offline(True)
        await button.focus()
        await button.press("Enter")
        told = page.get_by_text("No answer: the connection is lost")
        await expect(told).to_be_in_viewport(ratio=1)
        await expect(button).to_be_focused()
        on_top = """(told) => {
          const box = told.getBoundingClientRect();
          return told.contains(document.elementFromPoint(box.x + box.width / 2, box.y + 9));
        }"""
        assert await told.evaluate(on_top), "nothing lies above it"
