"""Whoever presses a button twice has sent the form once."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
from playwright.async_api import Browser, Request, Route, expect
from yarl import URL

from tests.browser.test_pages import address
from tests.support.browser import browser_page, chromium
from tests.support.console_app import Site


@pytest.fixture
async def browser() -> AsyncGenerator[Browser]:
    async with chromium() as running:
        yield running


async def test_a_form_whose_answer_is_a_page_is_sent_once(site: Site, browser: Browser) -> None:
    posted: list[str] = []

    def note(request: Request) -> None:
        if request.method == "POST":
            posted.append(request.url)

    async def slowly(route: Route) -> None:
        await asyncio.sleep(1.5)
        await route.continue_()

    async with browser_page(browser, address(site)) as page:
        page.on("request", note)
        await page.goto("/join")
        await page.locator("#name").fill("Eva Lunde")
        await page.locator("#username").fill("eva")
        await page.locator("#email").fill("eva@example.org")
        await page.locator("#password").fill("a long password")
        await page.route("**/join", slowly)
        await page.get_by_role("button", name="Join").focus()
        # The keyboard waits for no answer.
        await page.keyboard.press("Enter")
        await asyncio.sleep(0.5)
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("button", name="Log out eva")).to_be_visible()
        assert [URL(url).path for url in posted] == ["/join"]
