"""Chromium for tests. Where it is missing the test skips and says so; with CI=true it fails."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, ViewportSize, async_playwright

CHROMIUM = Path("/usr/bin/chromium")
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
    "htmx:sseError",
    "htmx:sendError",
    "htmx:afterRequest",
    "[object Event]",
)
"""Refused forms, lost connections and ended streams, which Chromium and htmx report as errors."""


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
) -> AsyncGenerator[Page]:
    """A page with cookies of its own; `address` is where its paths begin.

    A script error, or something that the content security policy stopped, fails the test.
    """
    context = await browser.new_context(
        base_url=address, viewport=viewport, java_script_enabled=javascript
    )
    page = await context.new_page()
    page.set_default_timeout(8_000)
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
