"""A forgotten password, as somebody in a browser meets it."""

import uuid

from playwright.async_api import Browser, expect

from tests.browser.test_pages import address, browser
from tests.support.browser import browser_page
from tests.support.console_app import PASSWORD, Site, member

__all__ = ["browser"]

NEW = "a longer one than before"


async def test_a_link_leads_to_a_new_password(site: Site, browser: Browser) -> None:
    """The browser has to tell the form's origin, though it tells nobody the link."""
    await member(site.connection, "kari")
    token = str(uuid.uuid4())
    await site.connection.execute(
        "update account set reset_token = %s, reset_token_validity = now() + interval '1 hour'"
        " where username = 'kari'",
        [token],
    )
    async with browser_page(browser, address(site)) as page:
        await page.goto(f"/reset-password-form?reset_token={token}")
        field = page.get_by_label("New password")
        await field.evaluate("field => field.removeAttribute('minlength')")
        await field.fill("short")
        await page.get_by_role("button", name="Set the password").click()
        await expect(page.get_by_role("alert")).to_contain_text("at least 8 characters")
        await field.fill(NEW)
        async with page.expect_request("**/set-new-password") as sent:
            await page.get_by_role("button", name="Set the password").click()
        told = await (await sent.value).all_headers()
        assert token not in told.get("referer", "")
        await expect(page.get_by_role("heading", name="Log in")).to_be_visible()
        await page.get_by_label("User name").fill("kari")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Log in").click()
        await expect(page.get_by_role("alert")).to_contain_text("Wrong user name or password")
        await expect(page.get_by_label("User name")).to_have_value("kari")
        await page.get_by_label("Password").fill(NEW)
        await page.get_by_role("button", name="Log in").click()
        await expect(page.get_by_role("navigation", name="Main")).to_be_visible()


async def test_a_link_that_was_used_leads_to_where_a_new_one_is(
    site: Site, browser: Browser
) -> None:
    async with browser_page(browser, address(site)) as page:
        await page.goto(f"/reset-password-form?reset_token={uuid.uuid4()}")
        await expect(page.get_by_role("main")).to_contain_text("That link no longer works")
        await page.get_by_role("link", name="Forgotten your password?").click()
        await expect(page.get_by_role("main")).to_contain_text("sends no mail")
