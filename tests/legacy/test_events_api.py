"""Events of the old API, and the page with how many people came."""

import html
import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from console.events.visits import day_starts
from tests.support import console_app, makerspace
from tests.support.console_app import Site
from tests.support.statements import record_statements

NOW = datetime.now(UTC)


async def event(
    site: Site, account: int, domain: str, name: str, *, ago: timedelta, **columns: object
) -> None:
    await site.connection.execute(
        "insert into event (created_at, created_by, domain, name, int1, int2, text1)"
        " values (%s, %s, %s, %s, %s, %s, %s)",
        [NOW - ago, account, domain, name, columns.get("int1"), columns.get("int2"),
         columns.get("text1")],
    )  # fmt: skip


async def badge(site: Site, account: int, title: str) -> tuple[int, int]:
    """Award and description."""
    cursor = await site.connection.execute(
        """
        with meant as (
          insert into badge_description (created_at, created_by, updated_at, updated_by, title)
          values (now(), 3, now(), 3, %(title)s) returning id
        )
        insert into account_badge (created_at, created_by, updated_at, updated_by, account,
          badge_description, awarded_by)
        select now(), %(account)s, now(), %(account)s, %(account)s, id, 3 from meant
        returning id, badge_description
        """,
        {"title": title, "account": account},
    )
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


async def told(site: Site, path: str) -> list[dict[str, Any]]:
    browser = await site.browser("kari")
    answer = await browser.get(path)
    assert answer.status == 200, await answer.text()
    assert answer.content_type == "application/json"
    return await answer.json()


@pytest.fixture
async def kari(site: Site) -> int:
    return await console_app.member(site.connection, "kari")


async def test_doors_and_badges_of_a_day_the_newest_first(site: Site, kari: int):
    award, description = await badge(site, kari, "welder")
    minute = timedelta(minutes=1)
    await event(site, kari, "badge", "awarded", ago=3 * minute, int1=award, int2=description)
    await event(site, kari, "door", "open", ago=minute, text1="front")
    await event(site, 3, "door", "open", ago=2 * minute, text1="back")
    await event(site, kari, "tool", "checkout", ago=minute, text1="lathe")
    await event(site, kari, "door", "open", ago=timedelta(hours=24, minutes=1), text1="old")
    door, other, given = await told(site, "/service/recent-events")
    assert door == {
        "created_at": (NOW - minute).isoformat(),
        "created_by": kari,
        "created_by_username": "kari",
        "domain": "door",
        "name": "open",
        "door": "front",
    }
    assert (other["created_by_username"], other["door"]) == ("system", "back")
    assert (given["domain"], given["name"], given["created_by"]) == ("badge", "awarded", kari)
    assert given["account_badge"]["id"] == award
    assert given["account_badge"]["awarded_by_username"] == "system"
    assert given["badge_description"]["title"] == "welder"


async def test_a_badge_that_is_gone_takes_only_its_own_event_away(site: Site, kari: int):
    award, description = await badge(site, kari, "welder")
    for number in (*([999_999, None] * 50), award):
        await event(site, kari, "badge", "awarded", ago=timedelta(0), int1=number)
    await event(site, kari, "door", "open", ago=timedelta(minutes=1), text1="front")
    assert [one["domain"] for one in await told(site, "/service/recent-events")] == [
        "badge", "door"
    ]  # fmt: skip
    await site.connection.execute("delete from badge_description where id = %s", [description])
    given, _ = await told(site, "/service/recent-events")
    assert given["badge_description"] is None


async def test_at_most_a_hundred_and_of_many_people_in_few_statements(
    site: Site, kari: int, monkeypatch: pytest.MonkeyPatch
):
    people = [await makerspace.account(site.connection) for _ in range(81)]
    for number in range(120):
        await event(
            site, people[number % 81], "door", "open",
            ago=timedelta(minutes=number), text1=f"door-{number}",
        )  # fmt: skip
    browser = await site.browser("kari")
    statements = record_statements(monkeypatch)
    events = await (await browser.get("/service/recent-events")).json()
    assert 0 < len(statements) <= 6
    assert [one["door"] for one in events] == [f"door-{number}" for number in range(100)]


async def test_tools_of_a_week(site: Site, kari: int):
    for days, name in ((8, "checkout"), (6, "checkout"), (1, "checkin")):
        await event(site, kari, "tool", name, ago=timedelta(days=days), text1="lathe")
    await event(site, kari, "door", "open", ago=timedelta(0), text1="front")
    checkin, checkout = await told(site, "/service/tool/recent-events")
    assert checkin == {
        "created_at": (NOW - timedelta(days=1)).isoformat(),
        "created_by": kari,
        "created_by_username": "kari",
        "domain": "tool",
        "name": "checkin",
        "tool_name": "lathe",
    }
    assert checkout["name"] == "checkout"


async def test_strangers_are_told_no_names_only_how_many_came(site: Site, kari: int):
    today = NOW - datetime.now(UTC)  # midnight may have passed since NOW
    for account in (kari, kari, 3):
        await event(site, account, "door", "open", ago=today, text1="front")
    await event(site, kari, "door", "open", ago=timedelta(days=8), text1="front")
    stranger = await site.browser()
    for path in ("/service/recent-events", "/service/tool/recent-events"):
        assert (await stranger.get(path)).status == 401
    answer = await stranger.get("/frontpage-graph")
    assert answer.status == 200
    assert answer.content_type == "text/html"
    page = await answer.text()
    people = re.findall(r'<td class="number">(\d+)</td>', page)
    assert people == ["0"] * 6 + ["2"]
    assert "kari" not in html.unescape(page)
    assert "<script>" not in page
    assert "style=" not in page


def test_the_days_are_the_spaces_own(monkeypatch: pytest.MonkeyPatch):
    import time

    monkeypatch.setenv("TZ", "Europe/Oslo")
    time.tzset()
    try:
        # Summer time ends on 25 October 2026: that day has 25 hours.
        starts = day_starts(datetime(2026, 10, 25, 22, 30, tzinfo=UTC))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert [start.day for start in starts] == [19, 20, 21, 22, 23, 24, 25, 26]
    hours = [(b - a) / timedelta(hours=1) for a, b in pairwise(starts)]
    assert hours == [24] * 6 + [25]
