"""A makerspace on a Tuesday evening, gone through as a member and as an admin, by keyboard too.

On the way are the pictures of docs/screenshots.
"""

import json
from datetime import UTC, datetime, timedelta

from playwright.async_api import Browser, Page, ViewportSize, expect

from console.database import Connection
from tests.browser.test_pages import BOTH, address, browser
from tests.support import makerspace
from tests.support.browser import PHONE, browser_page
from tests.support.console_app import PASSWORD, Site, admin, member
from tests.support.pictures import picture
from tests.support.recorded import event

__all__ = ["browser"]

STATES = {
    "front": {"kind": "door", "relay": "off", "state": "locked"},
    "workshop": {"kind": "door", "relay": "off", "state": "locked"},
    "lathe": {"kind": "tool", "relay": "off", "state": "off"},
}


async def evening(connection: Connection) -> int:
    """Fills the makerspace; gives Ingrid's account."""
    now = datetime.now(UTC)
    anne = await admin(connection, "anne")
    people = {
        name.split()[0].lower(): await member(connection, name.split()[0].lower(), name=name)
        for name in ("Ingrid Bjørnstad", "Mehmet Yılmaz", "Siobhán Kelly", "Kari Nordmann")
    }
    await connection.execute("update account set name = 'Anne Solberg' where id = %s", [anne])
    lathe_circle = await makerspace.circle(connection, name="lathe", admin_circle=1)
    for name in ("ingrid", "mehmet", "siobhán"):
        await makerspace.circle_member(connection, account=people[name])
        await makerspace.payment(connection, account=people[name])
    await makerspace.payment(
        connection,
        account=people["kari"],
        start=now - timedelta(days=70),
        end=now - timedelta(days=40),
    )
    await makerspace.circle_member(connection, account=people["ingrid"], circle=lathe_circle)
    await makerspace.controller(connection)
    await connection.execute(
        "update access.controller set public_key = '', entry_key = '', broker_password_hash = '',"
        " enrolled_at = now()"
    )
    await makerspace.door(connection)
    await makerspace.door(connection, key="workshop", name="Workshop", circles=(lathe_circle,))
    lathe = await makerspace.tool(connection, name="Lathe", circle=lathe_circle)
    await makerspace.tool_point(connection, tool=lathe, key="lathe")
    await makerspace.tool(connection, name="Laser cutter", circle=lathe_circle)
    fob = await makerspace.card(connection, account=people["ingrid"], label="Blue fob")
    await makerspace.card(connection, account=people["ingrid"], label="Old card", lost=True)
    for minutes, name, point, kind in (
        (190, "siobhán", "front", "access_granted"),
        (95, "mehmet", "front", "access_granted"),
        (60, "kari", "front", "access_denied"),
        (42, "ingrid", "front", "access_granted"),
        (40, "ingrid", "workshop", "access_granted"),
    ):
        await event(
            connection,
            kind=kind,
            seconds_ago=60 * minutes,
            account=people[name],
            card=fob if name == "ingrid" else None,
            point=point,
            reason="expired" if kind == "access_denied" else None,
        )
    await event(connection, kind="access_denied", seconds_ago=150, site_digest=b"n" * 16)
    await connection.execute(
        "insert into access.controller_report values ('front-pi', now(), %s::jsonb)",
        [json.dumps({"state": {"points": STATES}, "applied": {"digest": "6d" * 32, "serial": 1}})],
    )
    await connection.execute(
        "insert into access.snapshot (controller, epoch, serial, digest, content_digest, made_at,"
        " envelope) values ('front-pi', 1, 1, %s, 'c', now(), 'e')",
        [b"m" * 32],
    )
    return people["ingrid"]


async def log_in_by_keyboard(page: Page, username: str) -> None:
    await page.goto("/")
    await expect(page.get_by_label("User name")).to_be_focused()
    await page.keyboard.type(username)
    await page.keyboard.press("Tab")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("navigation", name="Main")).to_be_visible()


@BOTH
async def test_a_member_sees_what_is_for_her(
    site: Site, browser: Browser, viewport: ViewportSize
) -> None:
    size = "-phone" if viewport is PHONE else ""
    await evening(site.connection)
    async with browser_page(browser, address(site), viewport=viewport) as page:
        await log_in_by_keyboard(page, "ingrid")
        await expect(page.get_by_text("live", exact=True)).to_be_visible()
        await expect(page.get_by_role("button", name="Front door")).to_be_visible()
        await expect(page.get_by_role("main")).to_contain_text("Mehmet Yılmaz")
        await expect(page.get_by_role("main")).not_to_contain_text("Kari Nordmann")
        await picture(page, f"front{size}")
        await page.goto("/me")
        await expect(page.get_by_role("main")).to_contain_text("Blue fob")
        await picture(page, f"me{size}")
        await page.goto("/tools")
        await expect(page.get_by_text("live", exact=True)).to_be_visible()
        await expect(page.get_by_role("main")).to_contain_text("Lathe")
        await picture(page, f"tools{size}")


@BOTH
async def test_an_admin_sees_all_of_it(
    site: Site, browser: Browser, viewport: ViewportSize
) -> None:
    size = "-phone" if viewport is PHONE else ""
    ingrid = await evening(site.connection)
    async with browser_page(browser, address(site), viewport=viewport) as page:
        await log_in_by_keyboard(page, "anne")
        await page.goto("/doors")
        await expect(page.get_by_text("live", exact=True)).to_be_visible()
        await page.get_by_role("main").get_by_role("link", name="Front door").focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="Front door")).to_be_visible()
        await expect(page.get_by_text("live", exact=True)).to_be_visible()
        await expect(page.get_by_role("main")).to_contain_text("Kari Nordmann")
        await picture(page, f"door{size}")
        await page.goto("/cards/unknown")
        await expect(page.get_by_label("Whose is it?")).to_be_visible()
        await picture(page, f"unknown-card{size}")
        await page.goto(f"/members/{ingrid}")
        await expect(page.get_by_role("heading", name="Ingrid Bjørnstad")).to_be_visible()
        await picture(page, f"member{size}")
