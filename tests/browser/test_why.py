"""A member was refused at a door: her pages say why, and lead on to what would change it."""

import pytest
from playwright.async_api import Browser, expect

from tests.browser.test_pages import address, browser
from tests.console.test_explain_pages import House, house
from tests.support import makerspace
from tests.support.browser import PHONE, browser_page, fits

__all__ = ["browser", "house"]


@pytest.fixture
async def kari(house: House) -> House:
    """She was refused: she is in no circle, and pays no more."""
    await house.rights.change("delete from circle_member where account = %s", house.rights.kari)
    await house.rights.change("delete from stripe_payment")
    await house.publish()
    await house.tapped("unknown_card")
    return house


async def test_why_a_tap_was_refused_is_found_and_leads_on_to_what_helps(
    kari: House, browser: Browser
) -> None:
    session = await kari.site.session("kari")
    async with browser_page(
        browser, address(kari.site), viewport=PHONE, touch=True, session=session
    ) as page:
        await page.goto("/me")
        main = page.get_by_role("main")
        for link, heading in (
            (main.get_by_role("link", name="Access"), "My access"),
            (main.get_by_role("link", name="My history"), "History"),
            (main.get_by_role("link", name="Why"), "Refused"),
        ):
            await link.tap()
            await expect(page.get_by_role("heading", name=heading, level=1)).to_be_visible()
            assert await fits(page)
        await expect(main).to_contain_text("Membership: there was none")
        await expect(main).to_contain_text("Circle: in none that Front door asks for")
        await expect(main).to_contain_text("The same rule today says no.")
        why = page.url
        await expect(page.get_by_role("heading", name="What would change it")).to_be_visible()
        for step, found in (
            ("Membership", "How to pay"),
            ("Circle “door”", "What it opens"),
            ("My access", "What would change it"),
        ):
            await page.goto(why)
            await main.get_by_role("link", name=step, exact=True).tap()
            await expect(page.get_by_role("heading", name=found)).to_be_visible()
        await expect(main).to_contain_text("For “door” ask Ola.")

        await makerspace.payment(kari.site.connection, account=kari.rights.kari)
        await makerspace.circle_member(kari.site.connection, account=kari.rights.kari)
        await kari.publish()
        await page.goto(why)
        await expect(main).to_contain_text("The same rule today says yes.")
        await expect(main.get_by_role("link", name="Membership")).to_have_count(0)
