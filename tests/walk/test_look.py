"""Each page in Chromium, on a phone and a desk, light and dark, as those who have most to see."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, ViewportSize

from tests.support.browser import DESKTOP, PATIENCE_MS, PHONE, chromium
from tests.walk.place import STREAM, Place
from tests.walk.roles import ALSO_LOOKED_AT, LOOKED_AT, Role

pytestmark = pytest.mark.asyncio(loop_scope="module")

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
SERIOUS = {"serious", "critical"}
PRESSED_MIN_PX = 44
APART_MIN_PX = 8
NO_PAGES = ("/nowhere", "/cards/unknown")
"""What a member finds there is the page that says so."""

WATCH = """
window.stopped = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.stopped.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`));
"""
CHECK = """
async ([tags, rules]) => {
  const found = await axe.run(document, {
    runOnly: rules.length ? { type: "rule", values: rules } : { type: "tag", values: tags },
    rules: rules.length ? {} : { "target-size": { enabled: true } },
    resultTypes: ["violations"],
  });
  const words = (node) => `${node.html.slice(0, 160)} ${node.failureSummary}`;
  return found.violations.map(({ id, impact, nodes }) => ({ id, impact, where: nodes.map(words) }));
}
"""
SMALL = """
(least) => {
  const pressed = (each) => /^(checkbox|radio)$/.test(each.type) && each.labels[0] || each;
  return [...document.querySelectorAll(
    "button, .button, summary, input, select, textarea, nav a, form a")]
  .filter((each) => each.checkVisibility() && each.type !== "hidden")
  .map((each) => [each.outerHTML.slice(0, 120), pressed(each).getBoundingClientRect()])
  .filter(([, box]) => box.height < least || box.width < least)
  .map(([html, box]) => `${Math.round(box.width)} x ${Math.round(box.height)}: ${html}`);
}
"""
CROWDED = """
(least) => {
  const parts = `:is(.rows, .panel, .facts, .cards, .empty, .notice,
    .actions, .more, form, section)`;
  const isBlock = (each) => getComputedStyle(each).display !== "inline"
    && !/fixed|absolute/.test(getComputedStyle(each).position);
  return [...document.querySelectorAll(`main ${parts} + ${parts}`)]
  .map((each) => [each.previousElementSibling, each])
  .filter((both) => both.every((each) => each.checkVisibility() && isBlock(each)
    && each.getBoundingClientRect().height > 1))
  .filter(([, each]) => getComputedStyle(each.parentElement).display === "block")
  .map(([above, each]) =>
    [each.getBoundingClientRect().top - above.getBoundingClientRect().bottom, above, each])
  .filter(([gap]) => gap < least)
  .map(([gap, above, each]) =>
    `${Math.round(gap)} px: ${above.outerHTML.slice(0, 80)} and ${each.outerHTML.slice(0, 80)}`);
}
"""
STICKING_OUT = """
() => [...document.querySelectorAll(
    "button, .button, summary, .chip, .notice, .standing, .panel, td")]
  .filter((each) => each.checkVisibility() && each.scrollWidth > each.clientWidth + 1
    && getComputedStyle(each).display !== "inline")
  .map((each) => `${each.scrollWidth} in ${each.clientWidth} px: ${each.outerHTML.slice(0, 120)}`)
"""
OPEN_ALL = "for (const each of document.querySelectorAll('details')) each.open = true"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncGenerator[Browser]:
    async with chromium() as running:
        yield running


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("role", [*LOOKED_AT, *ALSO_LOOKED_AT])
async def test_each_page_can_be_read_and_used_by_everybody(
    place: Place, browser: Browser, role: Role, viewport: ViewportSize
):
    axe = await asyncio.to_thread(AXE.read_text)
    wrong: list[str] = []
    async with _looking(place, browser, role, viewport) as page:
        for path in await _pages(place, role):
            found = await _look(page, path, axe)
            wrong += [f"{path}: {words}" for words in found]
    assert not wrong, "\n".join(wrong)


async def _pages(place: Place, role: Role) -> Sequence[str]:
    """Paths at which this role finds a page, or those of hers that are no other's."""
    found = [
        path
        for path in place.pages()
        if path != STREAM
        and (role in LOOKED_AT or place.route_of("GET", path) in ALSO_LOOKED_AT[role])
    ]
    if role not in LOOKED_AT:
        return found
    answers = {path: await place.ask(role, "GET", path) for path in (*found, *NO_PAGES)}
    return [
        path
        for path, answer in answers.items()
        if answer.is_page and answer.text.startswith("<!doctype html>")
    ]


async def _look(page: Page, path: str, axe: str) -> Sequence[str]:
    wrong: list[str] = []
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.emulate_media(color_scheme="light")
    await page.goto(path)
    host = urlsplit(page.url).netloc
    wrong += [f"asks {url}" for url in asked if urlsplit(url).netloc != host]
    wrong += [f"the policy stopped {words}" for words in await page.evaluate("window.stopped")]
    wide = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    wrong += [f"is {wide} px too wide"] if wide > 0 else []
    wrong += [f"too small to press: {it}" for it in await page.evaluate(SMALL, PRESSED_MIN_PX)]
    wrong += [f"sticks out: {it}" for it in await page.evaluate(STICKING_OUT)]
    wrong += [f"too close: {them}" for them in await page.evaluate(CROWDED, APART_MIN_PX)]
    await page.evaluate(axe)
    wrong += await _violations(page, "light")
    await page.evaluate(OPEN_ALL)
    wrong += [
        f"too small to press, opened: {it}" for it in await page.evaluate(SMALL, PRESSED_MIN_PX)
    ]
    wrong += await _violations(page, "light, opened", rules=("color-contrast", "label"))
    await page.emulate_media(color_scheme="dark")
    wrong += await _violations(page, "dark", rules=("color-contrast",))
    return list(dict.fromkeys(wrong))


async def _violations(page: Page, how: str, rules: Sequence[str] = ()) -> Sequence[str]:
    found: list[Any] = await page.evaluate(CHECK, [TAGS, rules])
    return [
        f"({how}) {one['id']}: {where}"
        for one in found
        if one["impact"] in SERIOUS
        for where in one["where"]
    ]


@asynccontextmanager
async def _looking(
    place: Place, browser: Browser, role: Role, viewport: ViewportSize
) -> AsyncGenerator[Page]:
    """A browser's page with a session of this role."""
    address = str(place.site.server.make_url("/"))
    context = await browser.new_context(
        base_url=address, viewport=viewport, reduced_motion="reduce", locale="en-GB"
    )
    await context.add_cookies(
        [
            {"name": cookie.key, "value": cookie.value, "url": address}
            for cookie in (await place.visitor(role)).session.cookie_jar
        ]
    )
    await context.add_init_script(WATCH)
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    try:
        yield page
    finally:
        await context.close()
