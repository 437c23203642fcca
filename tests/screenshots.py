"""Makes the pictures in docs/screenshots from the running demo: `make screenshots`.

So they show what is there, and are made again by whoever changes a page.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Browser, Page, ViewportSize, async_playwright

from tests.support.browser import CHROMIUM, DESKTOP, PHONE, QUIET
from tests.support.demo import PASSWORD, RunningDemo

FOLDER = Path(__file__).parents[1] / "docs" / "screenshots"
TALL = ViewportSize(width=1280, height=1000)


async def main() -> None:
    """Starts a demo, takes all pictures, stops it."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        demo = RunningDemo(Path(folder) / "log")
        demo.start()
        try:
            await asyncio.to_thread(demo.wait_until_ready)
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(
                    executable_path=str(CHROMIUM), args=QUIET
                )
                await pictures(browser, demo.address())
                await browser.close()
        finally:
            await asyncio.to_thread(demo.end)


async def pictures(browser: Browser, address: str) -> None:
    """One after the other; what happens at the doors shows on the pages after it."""
    building = await page_of(browser, address, TALL)
    await building.goto("/demo")
    await building.get_by_text("live", exact=True).wait_for()
    await hold(building, "Siobhán", "workshop")
    await building.wait_for_selector('#plan[data-workshop-light="off"]')
    await hold(building, "Åse", "table saw")
    await building.wait_for_selector('#plan[data-saw-relay="on"]')
    await building.locator("#motor-saw").click()
    await building.wait_for_selector('#plan[data-saw-motor="running"]')
    await hold(building, "Ingrid", "front door")
    await building.wait_for_selector('#plan[data-front-relay="on"]')
    await building.locator("#leaf-front").click()
    await building.get_by_text("Ingrid Bjørnstad: let in").wait_for()
    await building.evaluate("window.scrollTo(0, 0)")
    await building.wait_for_timeout(500)  # until the door leaf has swung open
    await save(building, "demo")

    console = await page_of(browser, address, DESKTOP)
    await log_in(console, "anne")
    await save(console, "front")
    await console.goto("/doors")
    await save(console, "doors")
    await console.goto("/members?q=ingrid")
    await console.get_by_role("main").get_by_role("link", name="Ingrid").click()
    await console.get_by_role("heading", name="Ingrid").wait_for()
    await save(console, "member")

    phone = await page_of(browser, address, PHONE, scale=2)
    await log_in(phone, "ingrid")
    await save(phone, "front-phone")


async def page_of(
    browser: Browser, address: str, viewport: ViewportSize, *, scale: float = 1
) -> Page:
    """A page with cookies of its own."""
    context = await browser.new_context(
        base_url=address, viewport=viewport, device_scale_factor=scale, locale="en-GB"
    )
    return await context.new_page()


async def hold(building: Page, whose: str, where: str) -> None:
    """Takes a card, holds it to a reader."""
    await building.get_by_role("radio", name=whose).check(force=True)
    await building.get_by_role("button", name=f"Hold it to the {where}").click()


async def log_in(page: Page, username: str) -> None:
    """Leads to the first page."""
    await page.goto("/login")
    await page.get_by_label("User name").fill(username)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Log in").click()
    await page.get_by_role("navigation", name="Main").wait_for()


async def save(page: Page, name: str) -> None:
    """Writes what is to be seen now."""
    await page.wait_for_load_state("load")
    await page.wait_for_timeout(400)  # until a live page says so
    await page.screenshot(path=FOLDER / f"{name}.png")


if __name__ == "__main__":
    if not CHROMIUM.exists():
        sys.exit(f"no {CHROMIUM}: install Debian's package chromium")
    asyncio.run(main())
