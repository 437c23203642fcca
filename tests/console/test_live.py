"""The stream that keeps open pages true."""

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager

import jinja2
import pytest
from aiohttp import ClientTimeout

from console.errors import Busy, DatabaseUnavailable
from console.events import log_routes
from console.web import live as live_route
from console.web import live_hub
from console.web.keys import DATABASE, LIVE
from console.web.live_hub import (
    STREAMS_PER_ACCOUNT_MAX,
    STREAMS_PER_BROWSER_MAX,
    LiveFragment,
    LiveHub,
)
from console.web.routing import Who
from console.web.server_sent import LiveMessage, encode
from console.web.subscription import Subscription
from console.web.template_sets import TemplateSets
from console.words import Language
from tests.support import makerspace
from tests.support.console_app import Client, Site, admin, member
from tests.support.recorded import event
from tests.support.streams import Stream, streaming
from tests.support.waiting import eventually

STREAM = ClientTimeout(total=30)


@pytest.fixture
async def kari(site: Site) -> int:
    """A member, a door, and an admin called ola."""
    await admin(site.connection, "ola")
    await makerspace.controller(site.connection)
    await makerspace.door(site.connection)
    return await member(site.connection, "kari", name="Kari Nordmann")


async def test_an_opening_reaches_members_as_it_stands_in_the_page(site: Site, kari: int) -> None:
    client = await site.browser("kari")
    async with streaming(client) as stream:
        first = await stream.next()
        assert "Nothing yet" in first
        await event(site.connection, account=kari)
        told = await stream.next()
        assert "Kari Nordmann" in told
        assert "opened Front door" in told
        page = await (await client.get("/")).text()
        assert flat(told) in flat(page), "the page and the stream hold the same fragment"


def flat(html: str) -> str:
    return re.sub(r"\s+", " ", html).strip()


async def test_who_was_refused_is_told_to_admins_only(site: Site, kari: int) -> None:
    members, admins = await site.browser("kari"), await site.browser("ola")
    async with streaming(members) as hers, streaming(admins) as his:
        await hers.next()
        await his.next()
        card = await makerspace.card(site.connection, account=kari, label="blue fob")
        await event(
            site.connection, kind="access_denied", reason="expired", account=kari, card=card
        )
        told = await his.next()
        assert "was refused at Front door" in told
        assert "The membership has ended" in told
        assert "blue fob" in told
        assert "Nothing yet" in await hers.next()
        await event(site.connection, account=kari, card=card)
        told = await hers.next()
        assert "opened" in told
        assert "refused" not in told
    assert "refused" not in await (await members.get("/")).text()


async def test_an_unknown_card_appears_to_admins_at_once(site: Site, kari: int) -> None:
    members, admins = await site.browser("kari"), await site.browser("ola")
    async with streaming(members) as hers, streaming(admins) as his:
        assert "Whose is it?" not in await his.next("unknown-cards")
        await event(site.connection, kind="access_denied", site_digest=b"x" * 16)
        assert "Seen at Front door" in await his.next("unknown-cards")
        await hers.next()
        with pytest.raises(TimeoutError):
            await hers.next("unknown-cards", seconds=0.5)


async def test_after_the_listening_connection_was_lost_nothing_is_missing(
    site: Site, kari: int
) -> None:
    client = await site.browser("kari")
    async with streaming(client) as stream:
        await stream.next()
        await site.connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen%'"
        )
        await stream.end()
    await event(site.connection, account=kari)
    async with streaming(client) as again:
        assert "Kari Nordmann" in await again.next()
        await event(site.connection, account=kari)
        assert (await again.next()).count("Kari Nordmann") == 2


async def test_a_stream_ends_with_its_session_at_once_and_no_other_does(
    site: Site, kari: int
) -> None:
    client, elsewhere = await site.browser("kari"), await site.browser("kari")
    async with streaming(client) as stream, streaming(elsewhere) as other:
        await stream.next()
        await other.next()
        assert (await client.post("/logout")).status == 200
        await stream.end()
        await event(site.connection, account=kari)
        assert "Kari Nordmann" in await other.next()
        await site.connection.execute("delete from access.session")
        await other.end()
    assert (await elsewhere.get("/live")).status == 401


async def test_an_admin_who_is_one_no_longer_gets_no_more_refusals(site: Site, kari: int) -> None:
    client = await site.browser("ola")
    async with streaming(client) as stream:
        await stream.next()
        await site.connection.execute("delete from circle_member")
        await stream.end()
    await event(site.connection, kind="access_denied", account=kari)
    async with streaming(client) as again:
        assert "refused" not in await again.next()


async def test_a_stream_that_prolongs_the_session_prolongs_its_cookie(site: Site) -> None:
    await member(site.connection, "kari")
    client = await site.browser("kari")
    async with streaming(client) as stream:
        assert "Set-Cookie" not in stream.response.headers
    await site.connection.execute(
        "update access.session set seen_at = now() - interval '1 hour',"
        " expires_at = now() + interval '1 day'"
    )
    async with streaming(client) as stream:
        assert "Max-Age=2678400" in stream.response.headers["Set-Cookie"]


async def test_a_page_that_stays_open_prolongs_no_session_that_has_its_cookie_elsewhere(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_route, "HEARTBEAT_SECONDS", 0.05)
    await member(site.connection, "kari")
    client = await site.browser("kari")
    async with streaming(client) as stream:
        await stream.next()
        await site.connection.execute(
            "update access.session set seen_at = now() - interval '1 hour'"
        )
        beats = stream.beats
        reading = asyncio.create_task(stream.next("nothing", seconds=30))
        await eventually(lambda: stream.beats >= beats + 3)
        reading.cancel()
        answer = await client.get("/me")
        assert "Set-Cookie" in answer.headers


async def test_a_silent_stream_has_a_heartbeat(
    site: Site, kari: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_route, "HEARTBEAT_SECONDS", 0.05)
    client = await site.browser("kari")
    async with streaming(client) as stream:
        await stream.next()
        waiting = asyncio.create_task(stream.next())
        await eventually(lambda: stream.beats >= 3)
        await event(site.connection, account=kari)
        await waiting


async def test_the_stream_ends_when_the_console_stops(site: Site, kari: int) -> None:
    del kari
    client = await site.browser("kari")
    async with streaming(client) as stream:
        await stream.next()
        async with asyncio.timeout(5):
            await site.server.close()


class Counter:
    """A source that says what it was told."""

    channels = frozenset({"access_event"})

    async def fragments(
        self, audience: Who, changed: frozenset[str] | None
    ) -> Sequence[LiveFragment]:
        said = f"{audience.value} {sorted(changed or ())}"
        return [LiveFragment("count", "count.html", {"said": said})]


class Same(Counter):
    """A source that always says the same, until `said` is another."""

    said = "one"

    async def fragments(
        self, audience: Who, changed: frozenset[str] | None
    ) -> Sequence[LiveFragment]:
        return [LiveFragment("count", "count.html", {"said": self.said})]


def templates() -> TemplateSets:
    """One template, which says in which language it is."""
    return TemplateSets(
        {
            each: jinja2.Environment(
                loader=jinja2.DictLoader({"count.html": f"{each.value}: {{{{ said }}}}"}),
                autoescape=True,
            )
            for each in Language
        },
        {},
    )


@asynccontextmanager
async def hub(conninfo: str, source: Counter) -> AsyncGenerator[LiveHub]:
    running = LiveHub(conninfo, [source], templates())
    task = asyncio.create_task(running.run())
    try:
        yield running
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_a_page_that_does_not_keep_up_gets_the_newest_once(
    site: Site, kari: int, database_url: str
) -> None:
    del kari
    source = Same()
    async with hub(database_url, source) as running:
        await eventually(lambda: running.is_listening)
        with subscribed(running, 1) as slow, subscribed(running, 2) as quick:
            for number in range(10):
                source.said = f"number {number}"
                await event(site.connection)
                assert source.said.encode() in (await quick.next(seconds=5) or b"")
            assert (await slow.next(seconds=5) or b"").count(b"event: ") == 1
            assert await slow.next(seconds=0.1) is None


def subscribed(
    running: LiveHub, account: int, language: Language = Language.ENGLISH
) -> AbstractContextManager[Subscription]:
    return running.subscribe(Who.MEMBER, language, account)


async def test_what_says_the_same_as_before_is_not_sent_again(
    site: Site, kari: int, database_url: str
) -> None:
    del kari
    source = Same()
    async with hub(database_url, source) as running:
        await eventually(lambda: running.is_listening)
        with subscribed(running, 1) as page:
            await event(site.connection)
            assert await page.next(seconds=5) is not None
            await event(site.connection)
            assert await page.next(seconds=0.5) is None
            source.said = "two"
            # A page that came in between has the new words already, the other one has not.
            assert b"two" in await running.current(Who.MEMBER, Language.ENGLISH)
            await event(site.connection)
            assert b"two" in (await page.next(seconds=5) or b"")


class Slow(Same):
    """A source that takes its time, and counts how often it was asked."""

    asked = 0

    def __init__(self) -> None:
        self.has_looked, self.may_tell = asyncio.Event(), asyncio.Event()

    async def fragments(
        self, audience: Who, changed: frozenset[str] | None
    ) -> Sequence[LiveFragment]:
        self.asked += 1
        said = self.said  # as it is now, not when it is told
        self.has_looked.set()
        await self.may_tell.wait()
        return [LiveFragment("count", "count.html", {"said": said})]


async def test_many_pages_that_come_at_once_share_a_look_but_none_that_began_before_them() -> None:
    source = Slow()
    running = LiveHub("", [source], templates())
    first = asyncio.create_task(running.current(Who.MEMBER, Language.ENGLISH))
    await source.has_looked.wait()
    source.said = "two"
    others = [running.current(Who.MEMBER, Language.ENGLISH) for _ in range(50)]
    asyncio.get_running_loop().call_soon(source.may_tell.set)
    told = await asyncio.gather(first, *others)
    assert [b"one" in chunk for chunk in told] == [True] + [False] * 50
    assert [b"two" in chunk for chunk in told] == [False] + [True] * 50
    assert source.asked == 2


async def test_each_open_page_hears_its_own_language(
    site: Site, kari: int, database_url: str
) -> None:
    del kari
    async with hub(database_url, Counter()) as running:
        await eventually(lambda: running.is_listening)
        with (
            subscribed(running, 1) as english,
            subscribed(running, 2, Language.NORWEGIAN) as norwegian,
            subscribed(running, 3, Language.NORWEGIAN) as another,
        ):
            await event(site.connection)
            heard = [await each.next(seconds=5) for each in (english, norwegian, another)]
            texts = [chunk.split(b"data: ")[1][:10] for chunk in heard if chunk is not None]
            assert texts == [b"en: member", b"nb: member", b"nb: member"]


async def test_the_stream_speaks_the_language_of_the_page(site: Site, kari: int) -> None:
    client = await site.browser("kari")
    client.session.headers["Accept-Language"] = "nb-NO,nb;q=0.9,en;q=0.8"
    async with streaming(client) as stream:
        await stream.next()
        await event(site.connection, account=kari)
        told = await stream.next()
        assert "Kari Nordmann" in told
        assert "åpnet Front door" in told
        page = await (await client.get("/")).text()
        assert flat(told) in flat(page), "the page and the stream hold the same fragment"


async def test_a_browser_that_takes_nothing_is_cut_off(
    site: Site, kari: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    del kari
    monkeypatch.setattr(live_route, "WRITE_SECONDS", 0.3)
    client = await site.browser("kari")
    cookie = next(iter(client.session.cookie_jar))
    running = hub_of(site)
    await eventually(lambda: running.is_listening)
    _reader, writer = await asyncio.open_connection(client.host, client.port, limit=1000)
    writer.write(
        f"GET /live HTTP/1.1\r\nHost: x\r\nCookie: {cookie.key}={cookie.value}\r\n\r\n".encode()
    )
    await eventually(lambda: running.streams == 1)
    for subscription in list(running._subscriptions):  # pyright: ignore[reportPrivateUsage]
        much = encode(LiveMessage("recent", "x" * 40_000_000))
        subscription.offer({"recent": much})
    await eventually(lambda: running.streams == 0)
    writer.close()


def hub_of(site: Site) -> LiveHub:
    return site.app[LIVE]


async def test_nothing_is_live_while_nobody_listens_to_the_database() -> None:
    running = LiveHub("host=/nonexistent", [Counter()], templates())
    with pytest.raises(DatabaseUnavailable), subscribed(running, 1):
        pass


async def test_a_page_that_has_just_come_is_sent_only_what_it_may_not_show(
    site: Site, kari: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await site.browser("kari")
    await eventually(lambda: hub_of(site).is_listening)
    assert "Nothing yet" in await first_of(client), "the console has just begun to listen"
    monkeypatch.setattr(live_hub, "STALE_SECONDS", 0)

    async def nothing_is_new() -> bool:
        return await first_of(client) == ""

    await eventually(nothing_is_new)  # hints of what was made for this test may still come
    page = await address_in(client)
    await event(site.connection, account=kari)
    assert "Kari Nordmann" in await first_of(client, page), "it happened after the page"


async def address_in(client: Client) -> str:
    """Of the stream, as the front page says it."""
    found = re.search(r'sse-connect="([^"]+)"', await (await client.get("/")).text())
    assert found is not None
    return found[1]


async def first_of(client: Client, address: str | None = None) -> str:
    """What the stream of a page says before its first beat."""
    response = await client.get(address or await address_in(client), timeout=STREAM)
    told = await response.content.readuntil(b"event: beat")
    response.close()
    return told.decode().removesuffix("event: beat")


async def test_what_was_sent_to_those_who_are_gone_is_sent_again(
    site: Site, kari: int, database_url: str
) -> None:
    del kari
    source = Same()
    async with hub(database_url, source) as running:
        await eventually(lambda: running.is_listening)
        with subscribed(running, 1) as page:
            await event(site.connection)
            assert b"one" in (await page.next(seconds=5) or b"")
        source.said = "two"
        await event(site.connection)
        with subscribed(running, 2, Language.NORWEGIAN) as elsewhere:
            await event(site.connection)
            assert b"two" in (await elsewhere.next(seconds=5) or b"")
            with subscribed(running, 1) as page:
                source.said = "one"
                await event(site.connection)
                assert b"one" in (await page.next(seconds=5) or b"")


async def test_of_one_browser_the_newest_pages_are_live_and_the_oldest_is_told_to_wait(
    site: Site, kari: int
) -> None:
    client, elsewhere = await site.browser("kari"), await site.browser("kari")
    async with streaming(client) as oldest, streaming(elsewhere) as other:
        await oldest.next("beat")
        await other.next("beat")
        more = [await client.get("/live", timeout=STREAM) for _ in range(STREAMS_PER_BROWSER_MAX)]
        await oldest.next("pause")
        await oldest.end()
        await event(site.connection, account=kari)
        for stream in (other, *map(Stream, more)):
            await stream.next("recent")
        assert hub_of(site).streams == STREAMS_PER_BROWSER_MAX + 1
        for response in more:
            response.close()


async def test_one_person_opens_only_so_many_pages(site: Site, kari: int) -> None:
    del kari
    running = hub_of(site)
    await eventually(lambda: running.is_listening)
    with ExitStack() as stack:
        for number in range(STREAMS_PER_ACCOUNT_MAX):
            stack.enter_context(running.subscribe(Who.MEMBER, Language.ENGLISH, 1, b"%d" % number))
        with pytest.raises(Busy), subscribed(running, 1):
            pass
        with subscribed(running, 2):
            pass


async def test_that_the_log_has_something_new_is_told_to_those_who_may_read_it(
    site: Site, kari: int
) -> None:
    del kari
    mark = log_routes.LogMark(site.app[DATABASE])
    told = {who: await mark.fragments(who, None) for who in (Who.MEMBER, Who.FRONT_DESK, Who.ADMIN)}
    assert [len(fragments) for fragments in told.values()] == [0, 1, 1]


def test_a_message_can_hold_no_second_message() -> None:
    sneaky = LiveMessage("recent", "a\n\nevent: evil\ndata: x\r\rb")
    text = encode(sneaky).decode()
    assert (
        text
        == "event: recent\ndata: a\ndata: \ndata: event: evil\ndata: data: x\ndata: \ndata: b\n\n"
    )
    assert encode(LiveMessage("recent", "")) == b"event: recent\ndata: \n\n"
