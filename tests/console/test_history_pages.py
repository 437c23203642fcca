"""What somebody did, on a page of her own."""

import html
import re

import pytest

from tests.support import makerspace
from tests.support.console_app import Site, admin, member
from tests.support.recorded import event


async def test_a_history_is_its_persons_own_and_the_front_desks(site: Site) -> None:
    await makerspace.controller(site.connection)
    await makerspace.door(site.connection)
    kari = await member(site.connection, "kari", name="Kari Nordmann")
    await member(site.connection, "ola")
    await admin(site.connection, "anne")
    await event(site.connection, account=kari, seconds_ago=20)
    await event(
        site.connection,
        account=kari,
        seconds_ago=10,
        kind="access_denied",
        reason="right_expired",
    )
    own = await (await (await site.browser("kari")).get("/me/history")).text()
    seen = await (await (await site.browser("anne")).get(f"/members/{kari}/history")).text()
    for text in (own, seen):
        assert "was refused at" in text
        assert "opened" in text
    ola = await site.browser("ola")
    assert (await ola.get(f"/members/{kari}/history")).status == 403
    assert "Nothing yet." in await (await ola.get("/me/history")).text()


@pytest.mark.parametrize("clock_trusted", [True, False])
async def test_a_long_history_is_shown_page_by_page_and_nothing_is_left_out(
    site: Site, *, clock_trusted: bool
) -> None:
    await makerspace.controller(site.connection)
    await makerspace.door(site.connection)
    kari = await member(site.connection, "kari")
    for seconds_ago in range(1, 121):
        await event(
            site.connection,
            account=kari,
            seconds_ago=60 * (seconds_ago // 2),
            clock_trusted=clock_trusted,
        )
    client = await site.browser("kari")
    path, shown = "/me/history", list[str]()
    for _ in range(3):
        text = await (await client.get(path)).text()
        shown += re.findall(r'href="(/log/taps/\d+)"', text)
        older = re.search(r'href="(/me/history\?before=[^"]*)"', text)
        path = html.unescape(older[1]) if older else ""
    assert path == ""
    assert len(shown) == len(set(shown)) == 120


async def test_a_tool_that_was_taken_and_given_back_is_in_it(site: Site) -> None:
    kari = await member(site.connection, "kari", name="Kari Nordmann")
    for name in ("checkout", "checkin"):
        await site.connection.execute(
            "insert into event (created_at, created_by, domain, name, text1)"
            " values (now(), %s, 'tool', %s, 'Lathe')",
            [kari, name],
        )
    text = await (await (await site.browser("kari")).get("/me/history")).text()
    words = " ".join(re.sub("<[^>]*>", " ", text).split())
    assert "took Lathe" in words
    assert "gave Lathe back" in words


async def test_an_address_that_names_no_moment_begins_at_the_latest(site: Site) -> None:
    await member(site.connection, "kari")
    client = await site.browser("kari")
    for before in ("yesterday", "2026-01-01", "9" * 100, "%00", "0001-01-01T00:00:00%2B23:59"):
        assert (await client.get(f"/me/history?before={before}&event=1")).status == 200, before
