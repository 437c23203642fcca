"""Paying on a phone, in Chromium, with Stripe's pages on another origin."""

import time
from collections.abc import AsyncGenerator

import pytest
from playwright.async_api import Browser, expect

from console.database import Connection, Database
from tests.browser.test_pages import address, browser, log_in
from tests.support.browser import DESKTOP, PHONE, browser_page
from tests.support.paying_site import PayingSite, paying_site
from tests.support.stripe_cloud import failure, invoice, message

__all__ = ["browser"]

BOTH = pytest.mark.parametrize("has_scripts", [True, False], ids=["scripts", "plain"])


@pytest.fixture
async def paid(database: Database, connection: Connection) -> AsyncGenerator[PayingSite]:
    async with paying_site(database, connection) as opened:
        yield opened


def arrives(name: str = "in_1") -> bytes:
    now = int(time.time())
    line = (now - 60, now + 30 * 86400, 50000)
    paid_invoice = invoice(line, invoice=name) | {"created": now}
    return message("invoice.payment_succeeded", paid_invoice, event_id=name)


@BOTH
async def test_a_member_chooses_pays_at_stripe_and_comes_back(
    paid: PayingSite, browser: Browser, *, has_scripts: bool
) -> None:
    """The stand-in is on another port, so another origin: the policy has to let the form lead."""
    async with browser_page(
        browser, address(paid.site), viewport=PHONE, javascript=has_scripts
    ) as page:
        await log_in(page, "kari")
        await page.get_by_role("link", name="Choose a membership").click()
        await page.get_by_role("button", name="Choose Full member").click()
        await expect(page.get_by_role("heading", name="Pay at Stripe")).to_be_visible()
        assert page.url.startswith(paid.cloud.url)
        await page.get_by_role("link", name="Back").click()
        await expect(page.get_by_text("Nothing was charged")).to_be_visible()
        await page.get_by_role("button", name="Choose Full member").click()
        await page.get_by_role("link", name="Pay", exact=True).click()
        await expect(page.get_by_text("Waiting for Stripe's word")).to_be_visible()
        assert await paid.tell(arrives()) == 200
        if not has_scripts:
            await page.get_by_role("link", name="Look again").click()
        await expect(page.get_by_text("Thank you, your payment has arrived.")).to_be_visible()
        await page.get_by_role("main").get_by_role("link", name="Home").click()
        await expect(page.get_by_text("Paid until")).to_be_visible()


async def test_a_failed_payment_is_fixed_from_the_front_page_by_keyboard(
    paid: PayingSite, browser: Browser
) -> None:
    await paid.is_customer()
    await paid.tell(arrives())
    await paid.tell(failure("in_9", at=int(time.time()) + 1))
    paid.cloud.invoices["cus_1"], paid.cloud.cards["cus_1"] = ["in_9"], ["pm_1"]
    paid.cloud.subscriptions["cus_1"] = ["past_due"]
    async with browser_page(browser, address(paid.site), viewport=PHONE) as page:
        await log_in(page, "kari")
        await page.get_by_role("link", name="Fix it").press("Enter")
        await expect(page.get_by_role("heading", name="A payment waits")).to_be_visible()
        box = await page.get_by_role("button", name="Try the card again").bounding_box()
        assert box is not None
        assert box["height"] >= 44
        overflow = await page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert overflow <= 0
        await page.get_by_role("button", name="Try the card again").press("Enter")
        await expect(page.get_by_text("Waiting for Stripe's word")).to_be_visible()
        await paid.tell(arrives("in_9"))
        await expect(page.get_by_text("Thank you, your payment has arrived.")).to_be_visible()


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
async def test_the_treasurer_finds_who_pays_and_takes_the_table_along(
    paid: PayingSite, browser: Browser, viewport: dict[str, int]
) -> None:
    await paid.is_customer()
    await paid.tell(arrives())
    async with browser_page(
        browser, address(paid.site), viewport=PHONE if viewport is PHONE else DESKTOP
    ) as page:
        await log_in(page, "tore")
        if viewport is PHONE:
            await page.get_by_role("link", name="Run").click()
            await page.get_by_role("main").get_by_role("link", name="Money").click()
        else:
            await page.get_by_role("link", name="Money").click()
        await expect(page.get_by_text("kr 500 from 1 person so far this month")).to_be_visible()
        overflow = await page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert overflow <= 0
        async with page.expect_download() as download:
            await page.get_by_role("button", name="Get the payments").click()
        assert (await download.value).suggested_filename.startswith("payments-")
        await page.get_by_role("link", name="Pay 1").click()
        await page.get_by_label("Name or user name").fill("nord")
        await page.get_by_role("main").get_by_role("link", name="Kari Nordmann").click()
        await expect(page.get_by_role("heading", name="Payments")).to_be_visible()
