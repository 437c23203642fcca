"""A newcomer joins, and keeps her own account: who she is, her password, where she is logged in."""

from playwright.async_api import Browser, Page, expect

from tests.browser.test_pages import address, browser, log_in
from tests.support.browser import PHONE, browser_page, expect_seen, fits
from tests.support.console_app import PASSWORD, Site, member

__all__ = ["browser"]

CHOSEN = "a long password"
CHANGED = "a longer one than before"


async def press(page: Page, name: str) -> None:
    await page.get_by_role("main").get_by_role("button", name=name, exact=True).click()


async def enter(page: Page, username: str, password: str) -> None:
    """At the log-in, where she is."""
    await page.get_by_label("User name").fill(username)
    await page.get_by_label("Password").fill(password)
    await press(page, "Log in")


async def is_told(page: Page, words: str) -> None:
    """In view, wherever the page begins."""
    await expect_seen(page.locator(".notice, .mistake", has_text=words))


async def test_a_newcomer_joins_on_a_phone_without_scripts(site: Site, browser: Browser) -> None:
    async with browser_page(browser, address(site), viewport=PHONE, javascript=False) as page:
        await page.goto("/")
        await page.get_by_role("link", name="Join").click()
        await expect(page.get_by_label("Your name")).to_be_focused()
        for label, text in (
            ("Your name", "Eva Lunde"),
            ("User name", "eva lunde"),
            ("E-mail address", "eva@example.org"),
            ("Password 8 characters", CHOSEN),
        ):
            await page.get_by_label(label).fill(text)
        await press(page, "Join")
        await is_told(page, "Username cannot contain spaces")
        await expect(page.get_by_label("User name")).to_be_focused()
        await expect(page.get_by_label("Your name")).to_have_value("Eva Lunde")
        await page.get_by_label("User name").fill("eva")
        await page.get_by_label("Password 8 characters").fill(CHOSEN)
        assert await fits(page)
        await press(page, "Join")
        await expect(page.get_by_role("navigation", name="Main")).to_be_visible()
        await page.get_by_role("link", name="Me", exact=True).click()
        await expect(page.get_by_role("heading", name="Eva Lunde")).to_be_visible()
        await press(page, "Log out")
        await enter(page, "eva", CHOSEN)
        await expect(page.get_by_role("navigation", name="Main")).to_be_visible()


async def test_she_changes_what_is_known_of_her_and_her_password(
    site: Site, browser: Browser
) -> None:
    await member(site.connection, "kari", name="Kari")
    async with browser_page(browser, address(site), viewport=PHONE) as page:
        await log_in(page, "kari")
        await page.goto("/me")
        await page.get_by_role("navigation", name="About you").get_by_text("Account").click()
        assert await fits(page)
        await page.get_by_label("Name", exact=True).fill("Kari Nordmann")
        await page.get_by_label("Phone").fill("99 88 77 66")
        await page.get_by_label("E-mail address").first.fill("new@example.org")
        await press(page, "Save")
        await is_told(page, "Another e-mail address needs your password.")
        await expect(page.get_by_label("Name", exact=True)).to_have_value("Kari Nordmann")
        await page.get_by_label("Your password").fill(PASSWORD)
        await press(page, "Save")
        await is_told(page, "Saved.")
        await expect(page.get_by_label("E-mail address").first).to_have_value("new@example.org")

        await page.get_by_label("Password until now").fill("not this one")
        await page.get_by_label("New password").fill(CHANGED)
        await press(page, "Change the password")
        await is_told(page, "This is not your password.")
        await page.get_by_label("Password until now").fill(PASSWORD)
        await page.get_by_label("New password").fill(CHANGED)
        await press(page, "Change the password")
        await is_told(page, "The new password counts from now on.")
        await page.goto("/me")
        await expect(page.get_by_role("heading", name="Kari Nordmann")).to_be_visible()
        await press(page, "Log out")
        await enter(page, "kari", PASSWORD)
        await expect(page.get_by_role("alert")).to_contain_text("Wrong user name or password")
        await enter(page, "kari", CHANGED)
        await expect(page.get_by_role("navigation", name="Main")).to_be_visible()


async def test_she_logs_out_a_browser_that_she_left_somewhere(site: Site, browser: Browser) -> None:
    await member(site.connection, "kari", name="Kari Nordmann")
    where = address(site)
    async with (
        browser_page(browser, where, viewport=PHONE) as here,
        browser_page(browser, where) as there,
    ):
        await log_in(there, "kari")
        await log_in(here, "kari")
        await here.goto("/me/account")
        places = here.locator("#sessions .row")
        await expect(places).to_have_count(2)
        await expect(places.filter(has_text="this browser")).to_have_count(1)
        assert await fits(here)
        await places.get_by_role("button", name="Log out").press("Enter")
        await expect(places).to_have_count(1)
        await expect(places).to_contain_text("this browser")
        await expect(places).to_be_in_viewport()
        await there.goto("/me")
        await expect(there.get_by_role("heading", name="Log in")).to_be_visible()
        await here.goto("/me")
        await expect(here.get_by_role("heading", name="Kari Nordmann")).to_be_visible()
