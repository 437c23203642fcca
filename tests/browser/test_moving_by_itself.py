"""What was done on a page moves on by itself: how far it has got, and what else it changes."""

import json

from playwright.async_api import Browser, Page, expect

from tests.browser.test_pages import address, browser, log_in
from tests.support import makerspace
from tests.support.browser import browser_page
from tests.support.console_app import Site, admin, member
from tests.support.recorded import event

__all__ = ["browser"]

OLD, NEW = b"o" * 32, b"n" * 32


async def rights(site: Site, serial: int, digest: bytes) -> None:
    await site.connection.execute(
        "insert into access.snapshot (controller, epoch, serial, digest, content_digest, made_at,"
        " envelope) values ('front-pi', 1, %s, %s, 'c', now(), 'e')",
        [serial, digest],
    )


async def reported(site: Site, digest: bytes) -> None:
    await site.connection.execute(
        "insert into access.controller_report values ('front-pi', now(), %s::jsonb)"
        " on conflict (controller) do update set report = excluded.report, received_at = now()",
        [json.dumps({"applied": {"digest": digest.hex()}})],
    )


async def house(site: Site) -> int:
    """A door whose controller has old rights, ola, and kari, who pays; gives kari's account."""
    await admin(site.connection, "ola")
    kari = await member(site.connection, "kari", name="Kari Nordmann")
    await makerspace.payment(site.connection, account=kari)
    await makerspace.controller(site.connection)
    await site.connection.execute(
        "update access.controller set public_key = 'p', entry_key = 'e',"
        " broker_password_hash = 'h', enrolled_at = now()"
    )
    await makerspace.door(site.connection)
    await rights(site, 1, OLD)
    await reported(site, OLD)
    return kari


async def test_a_lost_card_is_seen_to_die_without_asking_again(
    site: Site, browser: Browser
) -> None:
    kari = await house(site)
    await makerspace.card(site.connection, account=kari, label="blue fob")
    async with browser_page(browser, address(site)) as page:
        await log_in(page, "kari")
        await page.goto("/me")
        await page.get_by_text("Lost it?").click()
        await page.get_by_role("button", name="Mark as lost").click()
        await arrives(site, page, "not yet dead at Front door", "dead at the one controller")


async def test_whoever_assigns_a_card_sees_when_the_door_knows_it(
    site: Site, browser: Browser
) -> None:
    await house(site)
    await event(site.connection, kind="access_denied", site_digest=b"x" * 16)
    async with browser_page(browser, address(site)) as page:
        await log_in(page, "ola")
        await page.goto("/cards/unknown")
        await page.get_by_label("Whose is it?").press_sequentially("kari", delay=30)
        await page.get_by_role("button", name="Assign").click()
        await expect(page.get_by_text("'s now. Doors follow")).to_be_visible()
        await arrives(
            site, page, "not yet up to date at Front door", "up to date at the one controller"
        )


async def arrives(site: Site, page: Page, before: str, after: str) -> None:
    """The controller gets new rights, and the page says so."""
    await expect(page.get_by_text(before)).to_be_visible()
    await rights(site, 2, NEW)
    await expect(page.get_by_text(before)).to_be_visible()
    await reported(site, NEW)
    await expect(page.get_by_text(after, exact=False).last).to_be_visible()
    await expect(page.get_by_text(before)).to_have_count(0)


async def test_a_link_keeps_the_keyboard_when_the_list_with_it_is_shown_anew(
    site: Site, browser: Browser
) -> None:
    await house(site)
    await event(site.connection, kind="access_denied", site_digest=b"x" * 16)
    async with browser_page(browser, address(site)) as page:
        await log_in(page, "ola")
        for path in ("/log", "/doors/front"):
            await page.goto(path)
            await expect(page.locator("[data-live]").first).to_have_text("live")
            why = page.get_by_role("link", name="Why")
            known = await why.count()
            leads_to = await why.last.get_attribute("href") or "nowhere"
            await why.last.focus()
            await event(site.connection, kind="access_denied", site_digest=b"y" * 16)
            await expect(why).to_have_count(known + 1)
            await expect(why.last).to_be_focused()
            await page.keyboard.press("Enter")
            await page.wait_for_url(f"**{leads_to}")


async def test_a_page_of_a_person_says_all_over_what_a_circle_has_changed(
    site: Site, browser: Browser
) -> None:
    kari = await house(site)
    async with browser_page(browser, address(site)) as page:
        await log_in(page, "ola")
        await page.goto(f"/members/{kari}")
        await expect(page.locator("#access")).to_contain_text("Not:")
        await page.get_by_text("Add to a circle").click()
        await page.get_by_label("Circle", exact=True).select_option("door")
        await page.locator("#circles").get_by_role("button", name="Add", exact=True).click()
        await page.locator("form.panel").get_by_role("button", name="Add", exact=False).click()
        await expect(page.locator("#circles").get_by_role("link", name="door")).to_be_visible()
        await expect(page.locator("#access")).not_to_contain_text("Not:")
        await expect(page.locator("#standing")).to_contain_text("In the circle door")
        await expect(page.locator("#changes")).to_contain_text("door")


async def test_whoever_looks_after_a_tool_sees_what_happens_there(
    site: Site, browser: Browser
) -> None:
    kari = await house(site)
    keepers = await makerspace.circle(site.connection, name="keepers")
    circle = await makerspace.circle(site.connection, name="lathe", admin_circle=keepers)
    await makerspace.circle_member(site.connection, account=kari, circle=keepers)
    tool = await makerspace.tool(site.connection, name="Lathe", circle=circle)
    await makerspace.tool_point(site.connection, tool=tool, key="lathe")
    async with browser_page(browser, address(site)) as page:
        await log_in(page, "kari")
        await page.goto(f"/tools/{tool}")
        await expect(page.locator("#happened")).not_to_contain_text("refused")
        await event(
            site.connection, kind="access_denied", reason="not_paid", account=kari, point="lathe"
        )
        await expect(page.locator("#happened")).to_contain_text("refused")
