"""The demo's page in Chromium: the five things to try, by mouse and keyboard, desk and phone."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from tests.support.browser import DESKTOP, PHONE, browser_page, chromium
from tests.support.demo import PASSWORD, RunningDemo
from tests.support.pictures import picture


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncGenerator[RunningDemo]:
    running = RunningDemo(tmp_path / "demo.log")
    try:
        await asyncio.to_thread(running.start)
        await asyncio.to_thread(running.wait_until_ready)
        yield running
    finally:
        await asyncio.to_thread(running.end)


async def has_mark(page: Page, name: str, value: str, *, seconds: float = 8) -> None:
    plan = page.locator("#plan")
    await expect(plan).to_have_attribute(f"data-{name}", value, timeout=seconds * 1000)


async def hold_until_done(page: Page, hold: Locator, done: Locator, count: int) -> None:
    """Again, as a person does who was faster than the news of her lost right, or whom a controller
    has refused because it was slow."""
    for _ in range(5):
        await has_mark(page, "front-held", "none")
        await hold.click()
        with suppress(AssertionError):
            return await expect(done).to_have_count(count)
    raise AssertionError(f"{count} things are not done")


async def fits(page: Page) -> bool:
    """Whether nothing sticks out to the side."""
    return bool(
        await page.evaluate("document.documentElement.scrollWidth <= document.body.clientWidth")
    )


async def cut(page: Page, width: int) -> list[str]:
    """What lies beyond the edge, even if something around it could be scrolled to the side."""
    found: list[str] = await page.evaluate(
        """width => [...document.querySelectorAll('main *')]
          .filter(e => e.checkVisibility() && !e.closest('.unseen'))
          .filter(e => e.getBoundingClientRect().right > width)
          .map(e => e.outerHTML.slice(0, 80))""",
        width,
    )
    return found


async def test_the_five_things_to_try_work_and_are_ticked_off(demo: RunningDemo):
    async with chromium() as browser, browser_page(browser, demo.address()) as page:
        await page.goto("/demo")
        await expect(page.locator("[data-live]")).to_have_text("live")
        done = page.locator(".tick.is-done")
        await expect(done).to_have_count(0)

        # 1: by keyboard alone
        await page.get_by_role("radio", name="Ingrid").focus()
        await page.keyboard.press("Tab")
        hold = page.get_by_role("button", name="Hold it to the front door")
        await expect(hold).to_be_focused()
        await page.keyboard.press("Enter")
        await has_mark(page, "front-relay", "on")
        await has_mark(page, "front-light", "green")
        await expect(page.get_by_text("Ingrid Bjørnstad: let in")).to_be_visible()
        await expect(done).to_have_count(1)
        await expect(hold).to_be_focused()
        await has_mark(page, "front-relay", "off", seconds=20)

        # 2: the right is taken away in the browser
        async with browser_page(browser, demo.address()) as console:
            await console.goto("/login")
            await console.get_by_label("User name").fill("anne")
            await console.get_by_label("Password").fill(PASSWORD)
            await console.get_by_role("button", name="Log in").click()
            await console.goto("/members?q=ingrid")
            await console.get_by_role("main").get_by_role("link", name="Ingrid").click()
            await console.get_by_role("button", name="Remove from door").click()
            await console.locator("form.panel").get_by_role("button", name="Remove").click()
            await expect(console.get_by_text("In no circle yet")).to_be_visible()
        await hold_until_done(page, hold, done, 2)
        await expect(page.get_by_text("Ingrid Bjørnstad: refused")).to_be_visible()

        # 3: in the plan, without network
        await has_mark(page, "front-held", "none")
        cable = page.get_by_role("switch", name="Network cable of front-pi")
        await cable.click()
        await has_mark(page, "front-link", "down")
        await expect(cable).to_be_focused()
        await expect(cable).to_have_attribute("aria-checked", "false")
        await page.get_by_role("radio", name="Åse").check(force=True)
        await page.locator(".demo-spot.is-front").click()
        await has_mark(page, "front-relay", "on")
        await expect(page.get_by_text("1 event waits for the console")).to_be_visible()
        await cable.click()
        await has_mark(page, "front-link", "up", seconds=40)
        await expect(done).to_have_count(3)
        await expect(page.get_by_text("Decided without network")).to_be_visible()

        # 4: by keyboard, from the reader's button on
        await page.locator("#hold-workshop").focus()
        for name in ("Open it", "Force it"):
            await page.keyboard.press("Tab")
            await expect(page.get_by_role("button", name=f"{name}: workshop")).to_be_focused()
        await page.keyboard.press("Enter")
        await has_mark(page, "workshop-leaf", "open")
        await expect(page.get_by_text("Forced open")).to_be_visible()
        await expect(page.get_by_role("button", name="Force it: workshop")).to_be_focused()
        await page.get_by_role("button", name="Close it: workshop").click()
        await expect(page.get_by_text("Forced open")).to_be_hidden()
        await expect(done).to_have_count(4)

        # 5
        motor = page.locator("#motor-saw")
        await motor.click()
        await expect(page.get_by_text("has no power")).to_be_visible()
        await page.get_by_role("button", name="Hold it to the table saw").click()
        await has_mark(page, "saw-relay", "on")
        await motor.click()
        await has_mark(page, "saw-motor", "running")
        await expect(motor).to_be_focused()
        await expect(motor).to_have_text("Switch the motor off")
        await expect(done).to_have_count(5)
        await picture(page, "demo")
        await page.get_by_role("button", name="Press the emergency stop").click()
        await has_mark(page, "saw-relay", "off")
        await expect(page.get_by_text("Emergency stop pressed")).to_be_visible()


async def test_the_page_fits_a_phone_and_a_desk_and_works_without_scripts(demo: RunningDemo):
    async with chromium() as browser:
        for viewport in (PHONE, DESKTOP):
            async with browser_page(browser, demo.address(), viewport=viewport) as page:
                await page.goto("/demo")
                await expect(page.locator("[data-live]")).to_have_text("live")
                assert await fits(page)
                assert await cut(page, viewport["width"]) == []
        async with browser_page(browser, demo.address(), javascript=False) as page:
            await page.goto("/demo")
            await page.get_by_role("radio", name="Mehmet").check(force=True)
            await page.get_by_role("button", name="Hold it to the workshop").click()
            await expect(page).to_have_url(demo.address("/demo"))
            await has_mark(page, "workshop-held", "violet")
            await page.get_by_role("button", name="Force it: front door").click()
            await expect(page).to_have_url(demo.address("/demo"))
            await has_mark(page, "front-leaf", "open")
