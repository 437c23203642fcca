"""A member opens a door: by thumb, with keys, without scripts; and sees what became of it.

The controller is played, over the real broker.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest
from playwright.async_api import Browser, Locator, Page, ViewportSize, expect

from tests.browser.test_pages import browser, log_in
from tests.browser.test_shown import log_in_by_keyboard
from tests.console.test_running_console import House, house
from tests.support import makerspace
from tests.support.browser import DESKTOP, PHONE, browser_page, expect_seen, fits, tab_to
from tests.support.console_app import PASSWORD_HASH, admin

__all__ = ["browser", "house"]


async def by_thumb(button: Locator) -> None:
    await button.tap()


async def by_keys(button: Locator) -> None:
    if not await button.evaluate("button => button === document.activeElement"):
        await tab_to(button)
    await button.page.keyboard.press("Enter")


@dataclass(frozen=True)
class Way:
    """How somebody comes to the page, and presses."""

    viewport: ViewportSize
    log_in: Callable[[Page, str], Awaitable[None]]
    press: Callable[[Locator], Awaitable[None]]
    has_scripts: bool = True


WAYS = {
    "a thumb on a phone": Way(PHONE, log_in, by_thumb),
    "a phone without scripts": Way(PHONE, log_in, by_thumb, has_scripts=False),
    "nothing but keys": Way(DESKTOP, log_in_by_keyboard, by_keys),
}


@pytest.fixture
async def kari(house: House) -> House:
    """She can log in, and has so many doors that a phone doesn't show all of them at once."""
    await house.sql(
        "update account set password = %s, name = 'Kari Nordmann' where id = %s",
        PASSWORD_HASH,
        house.kari,
    )
    await admin(house.connection, "ola")
    for number in range(9):
        await makerspace.door(house.connection, key=f"attic-{number}", name=f"Attic {number}")
    return house


async def told(page: Page, words: str, way: Way) -> None:
    """The outcome is there, in view, and the way on is short."""
    outcome = page.get_by_role("main").locator(".notice", has_text=words)
    await expect_seen(outcome)
    assert await fits(page)
    if way.press is by_keys:
        await expect(open_button(page)).to_be_focused()
    if not way.has_scripts:
        await expect(page.get_by_role("heading", name="Front door")).to_be_visible()
        await way.press(page.get_by_role("main").get_by_role("link", name="Home"))


async def asks_once(page: Page, way: Way) -> None:
    """While nobody has answered the button says so, and pressing it again does nothing."""
    waiting = page.get_by_role("button", name="Opening…")
    await expect(waiting).to_be_visible()
    await expect(waiting).to_be_disabled()
    if way.press is by_keys:
        await page.keyboard.press("Enter")
    else:
        await waiting.tap(force=True)


def open_button(page: Page) -> Locator:
    return page.get_by_role("button", name="Open Front door", exact=True)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_a_door_opens_and_whatever_became_of_it_is_told(
    kari: House, browser: Browser, way: Way
) -> None:
    async with browser_page(
        browser,
        kari.address,
        viewport=way.viewport,
        javascript=way.has_scripts,
        touch=way.press is by_thumb,
    ) as page:
        await way.log_in(page, "kari")
        await kari.is_heard()
        await way.press(open_button(page))
        await told(page, "Opened after", way)
        assert await kari.sql("select actor, point, result from access.command") == [
            (kari.kari, "front", "executed")
        ]
        latest = page.locator(".log li", has_text="Kari Nordmann")
        await expect(latest.first).to_contain_text("Front door")

        kari.controller.refuses = "relay_fault"
        await way.press(open_button(page))
        await told(page, "The controller refused: its relay did not move. Use your card", way)

        kari.controller.obeys = False
        await way.press(open_button(page))
        if way.has_scripts:
            await asks_once(page, way)
        await told(page, "No answer from the controller for 3 s: use your card.", way)
        assert len(kari.controller.commands) == 3


@pytest.mark.parametrize("has_scripts", [True, False], ids=["scripts", "plain"])
async def test_whoever_may_not_reads_why_and_what_would_change_it(
    kari: House, browser: Browser, *, has_scripts: bool
) -> None:
    async with browser_page(
        browser, kari.address, viewport=PHONE, javascript=has_scripts, touch=True
    ) as page:
        await log_in(page, "kari")
        await kari.sql("delete from circle_member where account = %s", kari.kari)
        await open_button(page).tap()
        why = page.locator(".notice", has_text="Not in circle “door”. For “door” ask Ola.")
        await expect_seen(why)
        await page.goto("/")
        await expect(page.get_by_role("button", name=re.compile("Open"))).to_have_count(0)
        place = page.locator(".doors > li", has_text="Front door")
        await place.locator("summary", has_text="Not for you").tap()
        await expect_seen(place.locator(".ask").filter(has_text="For “door” ask Ola."))
    assert kari.controller.commands == []
