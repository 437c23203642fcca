"""Chromium for tests. Where it is missing the test skips and says so; with CI=true it fails."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, ViewportSize, async_playwright, expect

from console.web.session import COOKIE
from tests.support.waiting import eventually

CHROMIUM = Path("/usr/bin/chromium")
PATIENCE_MS = 30_000
"""Of whatever must come to be: a busy machine may take its time."""

expect.set_options(timeout=PATIENCE_MS)

PHONE = ViewportSize(width=390, height=844)
DESKTOP = ViewportSize(width=1280, height=860)
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
"""Without these it talks to the network at every start. Root can't have the sandbox."""

EXPECTED = (
    "Failed to load resource",
    "Response Status Error Code 400",
    "htmx:sendError",
    "htmx:sendAbort",
    "htmx:afterRequest",
    "[object Event]",
)
"""Refused forms, lost connections and what was cancelled, all reported as errors."""


@asynccontextmanager
async def chromium() -> AsyncGenerator[Browser]:
    """A running Chromium."""
    if not CHROMIUM.exists():
        reason = f"no {CHROMIUM}: browser tests need Debian's package chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=QUIET)
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def browser_page(
    browser: Browser,
    address: str,
    *,
    viewport: ViewportSize = DESKTOP,
    javascript: bool = True,
    touch: bool = False,
    session: str | None = None,
) -> AsyncGenerator[Page]:
    """A page with cookies of its own; `address` is where its paths begin. `touch`: has a thumb.
    `session`: the token of one, for whoever is logged in already.

    A script error, or something that the content security policy stopped, fails the test.
    """
    context = await browser.new_context(
        base_url=address, viewport=viewport, java_script_enabled=javascript, has_touch=touch
    )
    if session is not None:
        await context.add_cookies([{"name": COOKIE, "value": session, "url": address}])
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "console",
        lambda message: (
            wrong.append(message.text)
            if message.type == "error" and not message.text.startswith(EXPECTED)
            else None
        ),
    )
    try:
        yield page
        assert wrong == [], wrong
    finally:
        await context.close()


STOPS_MAX = 60
IN_VIEW = """target => {
  const box = target.getBoundingClientRect();
  const x = box.x + box.width / 2;
  return [box.top + 2, box.bottom - 2].every((y) => {
    const top = document.elementFromPoint(x, y);
    return top && (target.contains(top) || top.contains(target));
  });
}"""


async def tab_to(target: Locator) -> None:
    """Leads the keyboard there from where it is: something that it can't reach fails the test."""
    for _ in range(STOPS_MAX):
        await target.page.keyboard.press("Tab")
        if await target.evaluate("target => target === document.activeElement"):
            return
    pytest.fail(f"the keyboard doesn't get to {target}")


async def fits(page: Page) -> bool:
    """Whether nothing sticks out to the side."""
    return bool(await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


async def expect_seen(target: Locator) -> None:
    """All of it is in view, and nothing lies on top of it, such as the bar of a phone."""
    await expect(target).to_be_visible()
    await eventually(lambda: target.evaluate(IN_VIEW), seconds=5, every=0.05)
