"""An order given from a phone: what is asked and what came of it are both in view."""

from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.flow.test_in_the_browser import log_in
from tests.support.browser import PHONE, browser_page, chromium
from tests.support.building import Building, built


@pytest.fixture
async def browser() -> AsyncGenerator[Browser]:
    async with chromium() as running:
        yield running


@pytest.fixture
def building(tmp_path: Path, empty_database_url: str) -> Iterator[Building]:
    with built(tmp_path, empty_database_url) as whole:
        yield whole


async def test_the_question_of_an_order_is_in_view_and_closes_with_the_answer(
    building: Building, browser: Browser
):
    async with browser_page(browser, building.console.url, viewport=PHONE) as page:
        await log_in(page, "boss")
        await page.goto("/doors/front")
        summary = page.locator("summary", has_text="Lock down")
        # As low as it can be: just above the bar at the bottom.
        await summary.evaluate("e => e.scrollIntoView({block: 'end'})")
        await summary.click()
        question = page.locator(".orders details[open] .ask")
        await expect(question).to_be_in_viewport(ratio=1)
        box, bar = await question.bounding_box(), await page.locator("nav.bar").bounding_box()
        assert box is not None
        assert bar is not None
        assert box["y"] + box["height"] <= bar["y"], "it lies above the bar"

        await question.get_by_role("button", name="Lock down").click()
        answer = page.locator("#ordered-front .notice")
        await expect(answer).to_contain_text("Locked down")
        await expect(question).to_have_count(0)
        await expect(answer).to_be_in_viewport(ratio=1)
        answered, bar = await answer.bounding_box(), await page.locator("nav.bar").bounding_box()
        assert answered is not None
        assert bar is not None
        assert answered["y"] + answered["height"] <= bar["y"], "it lies above the bar"
        await expect(summary).to_be_focused()

        await page.locator("summary", has_text="Unlock for everybody").click()
        await expect(question).to_be_in_viewport(ratio=1)
