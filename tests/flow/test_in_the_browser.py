"""The main job as somebody at a browser sees it, on real processes, with either broker."""

import asyncio
import re
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.support.brokers import PASSWORD as BROKER_PASSWORD
from tests.support.brokers import Mosquitto, free_port, require_program
from tests.support.browser import browser_page, chromium
from tests.support.building import PASSWORD, Building, built
from tests.support.waiting import eventually


@pytest.fixture
async def browser() -> AsyncGenerator[Browser]:
    async with chromium() as running:
        yield running


@pytest.fixture(params=["embedded broker", "Mosquitto"])
def building(
    request: pytest.FixtureRequest, tmp_path: Path, empty_database_url: str
) -> Generator[Building]:
    mosquitto: Mosquitto | None = None
    url: str | None = None
    if request.param == "Mosquitto":
        files = tmp_path / "mosquitto"
        program, port = require_program("mosquitto"), free_port()
        mosquitto = Mosquitto(program, tmp_path, files / "passwords", files / "acl", port)
        url = f"mqtt://console:{BROKER_PASSWORD}@127.0.0.1:{port}"
    with built(tmp_path, empty_database_url, url, mosquitto) as whole:
        yield whole


async def log_in(page: Page, username: str) -> None:
    await page.goto("/")
    await page.get_by_label("User name").fill(username)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Log in").click()
    await expect(page.get_by_role("navigation", name="Main")).to_be_visible()


async def test_a_tap_shows_on_the_live_page_and_a_right_taken_away_in_the_browser_is_gone(
    building: Building, browser: Browser
):
    controller = building.controller
    async with browser_page(browser, building.console.url) as page:
        await log_in(page, "boss")
        live = page.get_by_role("main")
        await expect(live).not_to_contain_text("Kari")
        await page.evaluate("window.untouched = true")
        controller.tap(building.KARIS_CARD)
        await expect(live).to_contain_text(re.compile("Kari.*Front|Front.*Kari", re.DOTALL))
        assert await page.evaluate("window.untouched"), "the page was not loaded again"

        before = building.newest_serial()
        await page.goto(f"/members/{building.account('kari')}")
        await page.get_by_role("button", name="Remove from door").click()
        await page.locator("#circles form.panel").get_by_role("button", name="Remove").click()
        await expect(page.get_by_role("main")).to_contain_text("In no circle yet")
        await asyncio.to_thread(controller.wait_until_applied, before + 1)
        await asyncio.sleep(1.6)  # held again at once it would be the same tap
        controller.tap(building.KARIS_CARD)
        await eventually(
            lambda: building.accesses() == ["access_granted", "access_denied"], seconds=60
        )
        assert controller.relay_changes().count("on") == 1


async def test_a_door_opens_from_the_browser_and_tells_when_nobody_answers(
    building: Building, browser: Browser
):
    async with browser_page(browser, building.console.url) as page:
        await log_in(page, "kari")
        door = page.get_by_role("button", name=re.compile("Front", re.IGNORECASE))
        await door.click()
        await expect(page.get_by_role("main")).to_contain_text(re.compile("Opened after"))
        await expect(door).to_be_focused()
        await eventually(building.controller.has_opened, seconds=60)
        await eventually(lambda: len(building.openings()) == 1, seconds=60)
        assert building.openings()[0][:2] == ("front", building.account("kari"))

        building.controller.stop()
        await page.goto("/")
        await page.get_by_role("button", name=re.compile("Front", re.IGNORECASE)).click()
        await expect(page.get_by_role("main")).to_contain_text(re.compile("No answer"))
        assert len(building.openings()) == 1
