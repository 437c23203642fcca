"""The log: who sees what of it, how an event is found, and that the page follows what happens."""

import asyncio
import html
import re
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestServer

from console.database import Connection, Database
from console.events import log_queries
from console.events.log import Sort, kinds_of
from console.events.log_queries import Search
from console.web.keys import LIVE
from tests.support import makerspace
from tests.support.console_app import Client, Site, admin, application, member, settings_for
from tests.support.recorded import event
from tests.support.waiting import eventually

LOG = "/log"


@pytest.fixture
async def house(site: Site) -> Site:
    """A door, a tool at a controller and one without, Kari, Anne at the desk, Ola the admin."""
    await makerspace.controller(site.connection)
    await makerspace.door(site.connection)
    await makerspace.tool_point(site.connection, tool=await makerspace.tool(site.connection))
    await makerspace.tool(site.connection, name="Drill")
    await admin(site.connection, "ola")
    return site


async def told(client: Client, query: str = "") -> list[str]:
    """The lines of the log, the newest first."""
    answer = await client.get(LOG + query)
    assert answer.status == 200
    page = await answer.text()
    lists = re.findall(r'<ol class="log">(.*?)</ol>', page, re.DOTALL)
    lines = [line for each in lists for line in re.findall(r"<li.*?</li>", each, re.DOTALL)]
    return [" ".join(html.unescape(re.sub(r"<[^>]*>", " ", line)).split()) for line in lines]


async def take(connection: Connection, who: int, *, name: str = "checkout") -> None:
    await connection.execute(
        "insert into event (created_at, created_by, domain, name, text1)"
        " values (now(), %s, 'tool', %s, %s)",
        [who, name, "Drill"],
    )


async def order(
    connection: Connection, who: int, *, result: str | None, operation: str = "open"
) -> None:
    await connection.execute(
        "insert into access.command (id, controller, point, operation, actor, counter, result)"
        " values (gen_random_uuid(), 'front-pi', 'front', %s, %s,"
        "  (select count(*) + 1 from access.command), %s)",
        [operation, who, result],
    )


async def test_everything_that_happened_stands_there_newest_first(house: Site) -> None:
    kari = await member(house.connection, "kari", name="Kari")
    await event(house.connection, account=kari, seconds_ago=50)
    await event(house.connection, kind="door_forced", seconds_ago=40)
    await event(house.connection, kind="fault_began", seconds_ago=30, reason="relay_stuck")
    await event(house.connection, point="laser", account=kari, seconds_ago=20)
    await event(house.connection, kind="access_denied", seconds_ago=10, reason="unknown_card")
    await take(house.connection, kari)
    await take(house.connection, kari, name="checkin")
    await order(house.connection, kari, result=None)
    lines = await told(await house.browser("ola"))
    did = [re.sub(r"^\d\d:\d\d ", "", line) for line in lines]
    assert did[0].startswith("Kari asked to open Front door from the console")
    assert "It is not known whether it was done." in did[0]
    assert did[1:3] == ["Kari gave Drill back", "Kari took Drill"]
    assert did[3].startswith("An unknown card was refused at Front door")
    assert did[4].startswith("Kari switched Laser on Why")
    assert did[5].startswith("Front door has a fault")
    assert did[6].startswith("Front door was forced open")
    assert did[7].startswith("Kari opened Front door Why")
    assert len(did) == 8


async def test_the_front_desk_sees_what_people_did_and_members_see_no_log(
    database: Database, database_url: str, house: Site
) -> None:
    kari = await member(house.connection, "kari")
    await makerspace.circle(house.connection, name="desk")
    anne = await member(house.connection, "anne")
    await makerspace.circle_member(house.connection, account=anne, circle="desk")
    await event(house.connection, account=kari, seconds_ago=40)
    await event(house.connection, kind="access_denied", reason="unknown_card", seconds_ago=30)
    await event(house.connection, kind="door_forced")
    plain = settings_for(database_url)
    settings = replace(plain, roles=replace(plain.roles, front_desk_circle="desk"))
    async with AsyncExitStack() as stack:
        app = await application(database, settings, house.broker)
        server = await stack.enter_async_context(TestServer(app))
        site = Site(stack, app, server, house.connection, house.broker)
        client = await site.browser("anne")
        refused, opened = await told(client)
        assert "An unknown card was refused" in refused
        assert "Kari opened" in opened
        assert (await client.get(f"{LOG}?sort=trouble")).status == 422
        assert "Alarms and faults" not in await (await client.get(LOG)).text()
        assert len(await told(await site.browser("ola"))) == 3
        refusal = await (await site.browser("kari")).get(LOG)
        assert refusal.status == 403
        assert "desk" in await refusal.text()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?place=/doors/front", ["opened", "refused", "forced", "locked", "unlocked"]),
        ("?place=/tools/{laser}", ["switched"]),
        ("?place=/tools/{drill}", ["took"]),
        ("?username=kari", ["opened", "refused", "switched", "took"]),
        ("?sort=refused", ["refused"]),
        ("?sort=openings", ["opened", "unlocked"]),
        ("?sort=trouble", ["forced"]),
        ("?sort=tools", ["switched", "took"]),
        ("?sort=tools&username=ola", []),
    ],
)
async def test_a_search_finds_what_is_meant_and_nothing_else(
    house: Site, query: str, found: list[str]
) -> None:
    kari = await member(house.connection, "kari")
    ola = await house.connection.execute("select id from account where username = 'ola'")
    row = await ola.fetchone()
    assert row is not None
    await event(house.connection, account=kari)
    await event(house.connection, account=kari, kind="access_denied", reason="no_right")
    await event(house.connection, kind="door_forced")
    await event(house.connection, point="laser", account=kari)
    await take(house.connection, kari)
    for operation in ("lockdown", "unlock_until"):
        await house.connection.execute(
            "insert into access.command (id, controller, point, operation, actor, counter, result)"
            " values (gen_random_uuid(), 'front-pi', 'front', %s, %s,"
            " (select count(*) + 1 from access.command), 'executed')",
            [operation, row[0]],
        )
        done = await event(house.connection, kind="command_executed", account=int(row[0]))
        await house.connection.execute(
            "update access.event set command = (select id from access.command where operation = %s)"
            " where id = %s",
            [operation, done],
        )
    ids = await house.connection.execute("select lower(name), id from tool_description")
    names = {str(name): str(number) for name, number in await ids.fetchall()}
    lines = await told(await house.browser("ola"), query.format(**names))
    words = ("opened", "refused", "forced", "switched", "took", "locked", "unlocked")
    assert sorted(
        re.findall(rf"\b({'|'.join(words)})\b", re.sub(r"Why.*", "", line))[0] for line in lines
    ) == sorted(found)


async def test_days_are_those_of_the_space(house: Site) -> None:
    day = 24 * 3600
    for days_ago in (1, 3, 5):
        await event(house.connection, kind="door_forced", seconds_ago=days_ago * day)
    now = datetime.now(UTC).astimezone()
    since, until = (f"{now - timedelta(days=ago):%Y-%m-%d}" for ago in (4, 2))
    client = await house.browser("ola")
    assert len(await told(client, f"?since={since}")) == 2
    assert len(await told(client, f"?since={since}&until={until}")) == 1
    assert len(await told(client, f"?until={until}")) == 2


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?since=yesterday", "since"),
        ("?since=2026-12-02&until=2026-12-01", "until"),
        ("?username=nobody-at-all", "username"),
        ("?place=/doors/none", "place"),
        ("?sort=everything", "sort"),
        ("?place=%3Cscript%3E", "place"),
    ],
)
async def test_what_is_wrong_is_said_beside_its_field(house: Site, query: str, field: str) -> None:
    answer = await (await house.browser("ola")).get(LOG + query)
    page = await answer.text()
    assert answer.status == 422
    assert f'id="{field}-mistake"' in page
    assert page.count('class="mistake"') == 1
    assert 'class="log"' not in page
    assert "<script>" not in page


async def test_pages_leave_nothing_out_and_tell_nothing_twice(house: Site) -> None:
    kari = await member(house.connection, "kari")
    await event(house.connection, kind="door_forced", seconds_ago=3600)
    for seconds_ago in range(59):
        await event(house.connection, account=kari, seconds_ago=60 + seconds_ago // 3)
    for _ in range(30):
        await take(house.connection, kari)
        await order(house.connection, kari, result=None)
    client, path, lines = await house.browser("ola"), "", list[str]()
    for page in range(5):
        lines += await told(client, path)
        text = await (await client.get(LOG + path)).text()
        older = re.search(r'href="/log(\?[^"]*before=[^"]*)"', text)
        assert (older is None) is (page >= 3)
        if older is None:
            break
        path = html.unescape(older[1])
        assert 'sse-swap="log"' not in await (await client.get(LOG + path)).text()
    assert len(lines) == 120
    assert "forced open" in lines[-1]
    assert sum("took Drill" in line for line in lines) == 30
    assert sum("asked to open" in line for line in lines) == 30


async def test_what_is_empty_says_what_belongs_there(house: Site) -> None:
    client = await house.browser("ola")
    assert "Nothing has happened yet." in await (await client.get(LOG)).text()
    assert "Nothing fits." in await (await client.get(LOG + "?sort=refused")).text()
    old = "?before=2001-01-01T00:00:00%2B00:00&event=1"
    assert "Nothing older" in await (await client.get(LOG + old)).text()
    for nowhere in ("?before=yesterday&event=1", "?before=2001-01-01&event=1", "?event=x"):
        assert "Nothing has happened yet." in await (await client.get(LOG + nowhere)).text()


async def test_the_log_and_the_changes_are_two_places_of_the_navigation(house: Site) -> None:
    client = await house.browser("ola")
    for path in (LOG, "/log/changes"):
        current = re.findall(
            r'href="([^"]*)" aria-current="page"', await (await client.get(path)).text()
        )
        assert path in current
        assert ({LOG, "/log/changes"} - {path}).isdisjoint(current)


async def test_an_open_log_hears_that_something_is_new(house: Site) -> None:
    client = await house.browser("ola")
    page = await (await client.get(LOG)).text()
    mark = re.search(r'sse-swap="log"[^>]*>\s*([0-9a-f]+)\s*<', page)
    assert mark is not None
    assert await eventually(lambda: house.app[LIVE].is_listening)
    async with client.get("/live") as stream, asyncio.timeout(20):
        assert await _next_mark(stream) == mark[1]
        await event(house.connection, kind="door_forced")
        assert await _next_mark(stream) != mark[1]


async def _next_mark(stream: ClientResponse) -> str:
    """The next thing that the stream says to pages that show the log."""
    name = ""
    while True:
        line = (await stream.content.readline()).decode()
        assert line, "the stream ended"
        key, _, value = line.strip().partition(": ")
        name = value if key == "event" else name
        if key == "data" and name == "log" and value:
            return value


async def test_what_is_rare_is_found_among_much_else(house: Site) -> None:
    await house.connection.execute(
        """
        insert into access.event (controller, journal_id, seq, hash, happened_at, clock_trusted,
          kind, point, payload)
        select 'front-pi', 'many', n, '\\x00', now() - n * interval '1 min', true,
          case when n % 5000 = 0 then 'door_forced' else 'door_closed' end, 'front', '{}'
        from generate_series(1, 20000) n
        """
    )
    await house.connection.execute("analyze access.event")
    search = Search(kinds=kinds_of(Sort.TROUBLE, sees_all=True))
    found = await log_queries.happened(house.connection, search=search, before=None, limit=51)
    assert [row.kind for row in found] == ["door_forced"] * 4
