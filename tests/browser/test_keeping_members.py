"""An admin adds a member and enters her payment, in Chromium, on a phone and on a desk."""

from playwright.async_api import Browser, ViewportSize, expect

from tests.browser.test_pages import BOTH, address, browser, log_in
from tests.support import makerspace
from tests.support.browser import browser_page
from tests.support.console_app import Site, admin

__all__ = ["browser"]

CHOSEN = "a long password"


@BOTH
async def test_a_member_is_added_and_chooses_her_password_by_the_link(
    site: Site, browser: Browser, viewport: ViewportSize
) -> None:
    await admin(site.connection, "ola")
    async with browser_page(browser, address(site), viewport=viewport) as page:
        await log_in(page, "ola")
        await page.goto("/members")
        await page.get_by_role("link", name="Add a member").click()
        for label, text in (
            ("Name", "Eva Lunde"),
            ("User name", "eva lunde"),
            ("E-mail address", "eva@example.org"),
        ):
            await page.get_by_role("textbox", name=label, exact=label == "Name").fill(text)
        await page.get_by_role("button", name="Add her").click()
        await expect(page.get_by_role("alert")).to_contain_text("cannot contain spaces")
        await page.get_by_role("textbox", name="User name").fill("eva")
        await page.get_by_role("button", name="Add her").click()
        await expect(page.locator("p.notice")).to_contain_text("The account is there.")
        link = await page.get_by_role("textbox", name="The link with which").input_value()
        await page.get_by_role("link", name="Eva Lunde").click()
        await expect(page.get_by_role("heading", name="Eva Lunde")).to_be_visible()
    async with browser_page(browser, address(site), viewport=viewport) as page:
        await page.goto(link)
        await page.get_by_label("New password").fill(CHOSEN)
        await page.get_by_role("button", name="Set the password").click()
        await page.get_by_label("User name").fill("eva")
        await page.get_by_label("Password").fill(CHOSEN)
        await page.get_by_role("button", name="Log in").click()
        await expect(page.get_by_role("navigation", name="Main")).to_be_visible()


@BOTH
async def test_a_payment_is_entered_seen_and_taken_back(
    site: Site, browser: Browser, viewport: ViewportSize
) -> None:
    await admin(site.connection, "ola")
    eva = await makerspace.account(site.connection, username="eva", name="Eva Lunde")
    await makerspace.circle_member(site.connection, account=eva)
    await makerspace.controller(site.connection)
    await makerspace.door(site.connection, name="Front door")
    async with browser_page(browser, address(site), viewport=viewport) as page:
        await log_in(page, "ola")
        await page.goto("/money")
        await page.get_by_role("link", name="Enter a payment by hand").click()
        await page.get_by_role("combobox", name="Who has paid?").fill("eva")
        await page.get_by_role("button", name="Go on").click()
        main = page.get_by_role("main")
        await page.get_by_role("textbox", name="Amount").fill("much")
        await page.get_by_role("button", name="See what it does").click()
        await expect(page.get_by_role("alert")).to_contain_text("An amount of crowns is expected")
        await page.get_by_role("textbox", name="Amount").fill("499,50")
        await page.get_by_role("button", name="See what it does").click()
        await expect(main).to_contain_text("Enter this payment for Eva Lunde?")
        await expect(main).to_contain_text("Doors open by it until")
        await expect(main).to_contain_text("Front door")
        await page.get_by_role("button", name="Enter the payment").click()
        await expect(page.locator("p.notice")).to_contain_text("The payment is entered.")
        await expect(main).to_contain_text("entered by hand")
        await page.get_by_role("button", name="Take back").click()
        await expect(main).to_contain_text("Can no longer use")
        await page.get_by_role("button", name="Take the payment back").click()
        await expect(page.locator("p.notice")).to_contain_text("The payment is taken back.")
        await expect(main).to_contain_text("No payment yet.")
