"""Connections that say nothing, or are too many, keep nobody else from the pages."""

import asyncio
import logging
import resource
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from aiohttp import ClientError, ClientSession, web
from structlog.testing import capture_logs

from console import logs
from console.settings import HttpSettings
from console.web import requests
from console.web import serving as module
from console.web.serving import CannotListen, Connections, serving
from sync.settings_values import Address
from tests.support.console_app import Site
from tests.support.waiting import eventually

HALF_A_HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"
NOBODY = b""


@asynccontextmanager
async def pages(public_url: str | None = None) -> AsyncGenerator[int]:
    """One page, and one that goes on for ever; gives the port."""

    async def page(_request: web.Request) -> web.StreamResponse:
        return web.Response(text="here")

    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b".")
            await asyncio.sleep(0.01)

    app = web.Application()
    app.router.add_get("/", page)
    app.router.add_get("/live", stream)
    async with serving(app, HttpSettings(Address("127.0.0.1", 0), public_url)) as address:
        yield int(address.rstrip("/").rpartition(":")[2])
        let_go()


async def connected(port: int, said: bytes) -> asyncio.StreamReader:
    """Says something, and keeps the connection as long as the test lasts."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    KEPT.append(writer)
    writer.write(said)
    return reader


KEPT: list[asyncio.StreamWriter] = []


def let_go() -> None:
    """Ends all connections."""
    while KEPT:
        KEPT.pop().transport.abort()


@pytest.fixture(autouse=True)
def _limit_of_files() -> Generator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


async def is_dropped(reader: asyncio.StreamReader, *, seconds: float = 5) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await reader.read() == NOBODY
    except ConnectionError:
        return True
    except TimeoutError:
        return False


async def is_here(port: int) -> bool:
    async with ClientSession() as browser, browser.get(f"http://127.0.0.1:{port}/") as answer:
        return await answer.text() == "here"


@pytest.mark.parametrize("said", [NOBODY, HALF_A_HEAD], ids=["nothing", "half a head"])
async def test_who_sends_no_head_in_time_is_dropped(monkeypatch: pytest.MonkeyPatch, said: bytes):
    monkeypatch.setattr(module, "HEAD_SECONDS", 0.2)
    async with pages() as port:
        assert await is_dropped(await connected(port, said))
        assert await is_here(port)


async def test_a_stream_that_is_being_answered_goes_on(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "HEAD_SECONDS", 0.1)
    async with pages() as port:
        reader = await connected(port, b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n")
        until = asyncio.get_running_loop().time() + 0.5
        while asyncio.get_running_loop().time() < until:
            assert await reader.read(100) != NOBODY


async def test_one_address_takes_its_share_and_gets_it_back(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "PER_ADDRESS_MAX", 5)
    async with pages() as port, AsyncExitStack() as stack:
        readers = [await connected(port, HALF_A_HEAD) for _ in range(5)]
        with capture_logs() as logged:
            for _ in range(10):
                assert await is_dropped(await connected(port, HALF_A_HEAD))
        assert [(line["event"], line["limit"]) for line in logged] == [
            ("connection.refused", "address")
        ], "one line, however many"
        elsewhere = socket.socket()
        stack.callback(elsewhere.close)
        elsewhere.bind(("127.0.0.2", 0))
        elsewhere.setblocking(False)
        await asyncio.get_running_loop().sock_connect(elsewhere, ("127.0.0.1", port))
        reader, writer = await asyncio.open_connection(sock=elsewhere)
        writer.write(HALF_A_HEAD + b"Connection: close\r\n\r\n")
        assert b"here" in await reader.read(), "others are let in"
        writer.close()
        let_go()
        await eventually(lambda: came_through(port))
        assert len(readers) == 5


async def came_through(port: int) -> bool:
    try:
        return await is_here(port)
    except ClientError:
        return False


async def test_a_proxy_is_not_one_visitor(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "PER_ADDRESS_MAX", 2)
    monkeypatch.setattr(module, "HEAD_SECONDS", 0.1)
    async with pages(public_url="https://p2k16.example.org") as port:
        readers = [await connected(port, HALF_A_HEAD) for _ in range(5)]
        assert await is_here(port)
        assert not await is_dropped(readers[0], seconds=0.4), "it is never in haste"


def test_all_together_are_limited_too():
    connections = Connections(most=3, has_proxy=True)

    async def come() -> list[bool]:
        return [
            connections.enter(address) for address in ("127.0.0.1", "127.0.0.1", "10.0.0.1", "::1")
        ]

    assert asyncio.run(come()) == [True, True, True, False]
    connections.leave("10.0.0.1")
    assert connections.enter("2001:db8::1")


async def test_a_network_of_ipv6_is_one_address_and_ipv4_in_its_clothes_is_itself(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(module, "PER_ADDRESS_MAX", 1)
    connections = Connections(most=100, has_proxy=False)
    assert connections.enter("2001:db8::1")
    assert not connections.enter("2001:db8::2")
    assert connections.enter("::ffff:10.0.0.1")
    assert connections.enter("::ffff:10.0.0.2")
    assert not connections.enter("10.0.0.2")


async def test_as_many_descriptors_are_taken_as_are_needed_and_allowed():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
    async with pages():
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        assert soft == min(hard, module.FILES)


async def test_an_address_that_is_taken_is_told():
    async with pages() as port:
        with pytest.raises(CannotListen, match="listen names another address"):
            async with serving(web.Application(), HttpSettings(Address("127.0.0.1", port), None)):
                pass


async def test_a_body_that_does_not_come_is_not_waited_for(
    site: Site, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(requests, "BODY_SECONDS", 0.2)
    for path, kind in (
        ("/login", "application/x-www-form-urlencoded"),
        ("/service/authz/log-in", "application/json"),
    ):
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: 99\r\n"
        reader = await connected(site.server.make_url("/").port or 0, f"{head}\r\nuser".encode())
        async with asyncio.timeout(5):
            assert b" 400 " in await reader.readline()
        let_go()


def test_that_descriptors_are_out_is_said_once(monkeypatch: pytest.MonkeyPatch):
    def is_said(words: str) -> bool:
        return lines.filter(logging.LogRecord("asyncio", logging.ERROR, "", 0, words, None, None))

    now, lines = 1000.0, logs.NowAndThen()
    monkeypatch.setattr(logs.time, "monotonic", lambda: now)
    crowded = f"{logs.OUT_OF_DESCRIPTORS}\nsocket: <asyncio.TransportSocket>"
    assert [is_said(crowded) for _ in range(3)] == [True, False, False]
    assert is_said("something else")
    now += logs.QUIET_SECONDS
    assert is_said(crowded)
