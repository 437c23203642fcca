"""What members do for themselves: tools, a lost card, a photo, a label, their language."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Route, expect

from tests.browser.test_pages import address, browser
from tests.console.test_avatars import photo
from tests.console.test_label_page import Room, room
from tests.support import makerspace
from tests.support.browser import DESKTOP, PHONE, browser_page, expect_seen, fits, tab_to
from tests.support.console_app import Site, member

__all__ = ["browser", "room"]


@pytest.fixture
async def kari(site: Site) -> int:
    """She pays, may use the drill, and has a card."""
    account = await member(site.connection, "kari", name="Kari Nordmann")
    await makerspace.payment(site.connection, account=account)
    await makerspace.circle_member(site.connection, account=account)
    drill = await makerspace.tool(site.connection, name="Drill")
    await site.connection.execute("update tool_description set id = 1 where id = %s", [drill])
    await makerspace.card(site.connection, account=account, label="blue fob")
    return account


async def takers(site: Site) -> list[tuple[object, ...]]:
    cursor = await site.connection.execute("select account from tool_checkout")
    return list(await cursor.fetchall())


async def test_a_tool_is_taken_and_given_back_by_thumb_without_scripts(
    site: Site, kari: int, browser: Browser
) -> None:
    async with browser_page(
        browser,
        address(site),
        session=await site.session("kari"),
        viewport=PHONE,
        javascript=False,
        touch=True,
    ) as page:
        for path in ("/", "/tools", "/tools/1"):
            await page.goto(path)
            await page.get_by_role("button", name="Take Drill").tap()
            await expect(page.get_by_role("button", name="Return Drill")).to_be_visible()
            await expect(page).to_have_url(f"{address(site)}{path[1:]}")
            assert await takers(site) == [(kari,)]
            await page.get_by_role("button", name="Return Drill").tap()
            await expect(page.get_by_role("button", name="Take Drill")).to_be_visible()
            assert await takers(site) == []


async def test_a_tool_is_taken_and_given_back_with_nothing_but_keys(
    site: Site, kari: int, browser: Browser
) -> None:
    async with browser_page(
        browser, address(site), session=await site.session("kari"), viewport=DESKTOP
    ) as page:
        for path in ("/", "/tools"):
            await page.goto(path)
            for name, other, held in (
                ("Take Drill", "Return Drill", [(kari,)]),
                ("Return Drill", "Take Drill", []),
            ):
                await tab_to(page.get_by_role("button", name=name))
                await page.keyboard.press("Enter")
                await expect(page.get_by_role("button", name=other)).to_be_visible()
                assert await takers(site) == held


async def test_a_button_keeps_the_keyboard_when_tools_are_shown_anew(
    site: Site, kari: int, browser: Browser
) -> None:
    saw = await makerspace.tool(site.connection, name="Saw")
    ola = await member(site.connection, "ola")
    async with browser_page(
        browser, address(site), session=await site.session("kari"), viewport=DESKTOP
    ) as page:
        for path in ("/", "/tools"):
            await page.goto(path)
            await expect(page.locator("[data-live]").first).to_have_text("live")
            await tab_to(page.get_by_role("button", name="Take Drill"))
            await makerspace.checkout(site.connection, tool=saw, account=ola)
            await expect(page.locator("summary", has_text="Take over")).to_be_visible()
            await page.keyboard.press("Enter")
            await expect(page.get_by_role("button", name="Return Drill")).to_be_visible()
            assert set(await takers(site)) == {(kari,), (ola,)}
            await site.connection.execute("delete from tool_checkout")


async def test_the_keyboard_stays_where_it_went_while_tools_were_asked_for(
    site: Site, kari: int, browser: Browser
) -> None:
    saw = await makerspace.tool(site.connection, name="Saw")
    asked, answers = asyncio.Event(), asyncio.Event()

    async def later(route: Route) -> None:
        if "hx-request" in route.request.headers:
            asked.set()
            await answers.wait()
        await route.continue_()

    async with browser_page(
        browser, address(site), session=await site.session("kari"), viewport=DESKTOP
    ) as page:
        await page.route("**/tools", later)
        await page.goto("/tools")
        await expect(page.locator("[data-live]").first).to_have_text("live")
        await tab_to(page.get_by_role("link", name="Drill"))
        await makerspace.checkout(site.connection, tool=saw, account=kari)
        await asked.wait()
        await tab_to(page.get_by_role("button", name="Take Drill"))
        answers.set()
        await expect(page.get_by_role("button", name="Return Saw")).to_be_visible()
        await expect(page.get_by_role("button", name="Take Drill")).to_be_focused()


async def test_a_card_is_marked_lost_with_nothing_but_keys(
    site: Site, kari: int, browser: Browser
) -> None:
    del kari
    async with browser_page(
        browser, address(site), session=await site.session("kari"), viewport=DESKTOP
    ) as page:
        await page.goto("/me/cards")
        asking = page.locator("summary", has_text="Lost it?")
        button = page.get_by_role("button", name="Mark as lost")
        await tab_to(asking)
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("It can't be undone")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(button).to_be_hidden()
        await expect(asking).to_be_focused()
        await page.keyboard.press("Space")
        await page.keyboard.press("Tab")
        await expect(button).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("lost since")).to_be_visible()
        await expect(page.locator("#cards:focus, #cards :focus")).to_have_count(1)
    cursor = await site.connection.execute("select from access.card where lost_at is not null")
    assert cursor.rowcount == 1


async def is_picture(page: Page) -> bool:
    """Whether the picture in the heading was loaded, not only named."""
    return bool(
        await page.locator(".heading img").evaluate("async e => (await e.decode(), e.naturalWidth)")
    )


async def test_a_photo_is_chosen_seen_and_removed(
    site: Site, kari: int, browser: Browser, tmp_path: Path
) -> None:
    del kari
    text, picture = tmp_path / "notes.png", tmp_path / "me.png"
    text.write_text("no picture at all")
    picture.write_bytes(photo("PNG"))
    async with browser_page(
        browser, address(site), session=await site.session("kari"), viewport=PHONE
    ) as page:
        await page.goto("/me/account")
        await page.get_by_role("link", name="My photo").click()
        assert await fits(page)
        for chosen in (text, picture):
            await page.get_by_label("Photo").set_input_files(chosen)
            await page.get_by_role("button", name="Save").click()
            if chosen is text:
                await expect_seen(page.get_by_role("alert").filter(has_text="JPEG, PNG"))
        await expect(page.locator(".heading img")).to_be_visible()
        assert await is_picture(page)
        await page.goto("/me")
        assert await is_picture(page)
        await page.get_by_role("link", name="My photo").click()
        await page.get_by_role("button", name="Remove the photo").click()
        await expect(page.locator(".heading .chip")).to_have_text("KN")


async def test_a_label_is_looked_at_and_printed(room: Room, browser: Browser) -> None:
    where = str(room.browser.make_url("/"))
    async with browser_page(
        browser, where, viewport=PHONE, touch=True, session=room.session
    ) as page:
        await page.goto("/me")
        await page.get_by_role("link", name="Label for a box").tap()
        await expect(page.get_by_role("main")).to_contain_text("kari@example.org")
        assert await fits(page)
        await page.get_by_role("button", name="Print").tap()
        await expect(page.get_by_role("status").filter(has_text="Sent")).to_be_visible()
        await page.reload()
        assert len(room.printer.messages) == 1, "looking again prints nothing"
        room.printer.is_away = True
        await page.get_by_role("button", name="Print").tap()
        await expect(page.get_by_role("alert")).to_contain_text("can't be reached just now")


async def test_the_language_is_changed_and_changed_back_where_one_is(
    site: Site, kari: int, browser: Browser
) -> None:
    del kari
    async with browser_page(
        browser, address(site), session=await site.session("kari"), viewport=PHONE, touch=True
    ) as page:
        await page.goto("/me/membership?from=here")
        for button, language, heading in (
            ("Norsk", "nb", "Medlemskap"),
            ("English", "en", "Membership"),
        ):
            await page.get_by_role("button", name=button).tap()
            await expect(page.locator("html")).to_have_attribute("lang", language)
            await expect(page.get_by_role("heading", name=heading, level=1)).to_be_visible()
            await expect(page).to_have_url(f"{address(site)}me/membership?from=here")
            assert await fits(page)
        await page.get_by_role("button", name="Norsk").tap()
        await expect(page.locator("html")).to_have_attribute("lang", "nb")
        await page.goto("/tools")
        await expect(page.get_by_role("heading", name="Verktøy")).to_be_visible()
        await expect(page.locator("[data-live]")).to_have_text("direkte")
