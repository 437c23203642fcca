"""Basic credentials are believed for a minute, and no longer than the password holds."""

import asyncio
import base64
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestServer

from console.accounts.admission import PASSWORDS
from console.accounts.basic import BASIC, BasicCredentials
from console.accounts.passwords import PasswordThreads, Verdict, hash_password
from console.app import build_app
from console.database import Connection, Database
from console.web.routing import Route, Who
from tests.support import makerspace
from tests.support.console_app import (
    PASSWORD,
    PASSWORD_HASH,
    SALT,
    Broker,
    Client,
    member,
    settings_for,
    visiting,
)


class CountedThreads(PasswordThreads):
    """Counts how often a password is really looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    async def verify(self, password: str, stored: str | None) -> Verdict:
        self.count += 1
        return await super().verify(password, stored)


@dataclass
class Asked:
    """A console with one route that answers whose credentials came."""

    client: Client
    threads: CountedThreads
    now: list[float] = field(default_factory=lambda: [1000.0])

    async def ask(self, username: str, password: str) -> ClientResponse:
        encoded = base64.b64encode(f"{username}:{password}".encode()).decode()
        return await self.ask_with(f"Basic {encoded}")

    async def ask_with(self, header: str | None) -> ClientResponse:
        headers = {} if header is None else {"Authorization": header}
        async with self.client.get("/whose", headers=headers) as answer:
            await answer.read()
            return answer

    async def whose(self, username: str, password: str = PASSWORD) -> str:
        answer = await self.ask(username, password)
        assert answer.status == 200
        return await answer.text()


async def whose(request: web.Request) -> web.StreamResponse:
    return web.Response(text=str(await request.app[BASIC].account_of(request)))


@pytest.fixture(params=[1000])
async def asked(
    database: Database, database_url: str, request: pytest.FixtureRequest
) -> AsyncGenerator[Asked]:
    app = await build_app(
        settings=settings_for(database_url, failures_per_minute=request.param),
        database=database,
        site_salt=SALT,
        broker_answers=Broker().ask,
        routes=[Route("GET", "/whose", Who.ANYONE, whose)],
    )
    now, threads = [1000.0], CountedThreads()
    app[PASSWORDS].close()
    app[PASSWORDS] = threads
    app[BASIC] = BasicCredentials(clock=lambda: now[0])
    async with TestServer(app) as server, visiting(server) as client:
        yield Asked(client, threads, now)


async def test_right_credentials_name_their_account_in_any_case(
    asked: Asked, connection: Connection
) -> None:
    kari = await member(connection, "kari")
    assert await asked.whose("kari") == str(kari)
    assert await asked.whose("KARI") == str(kari)


async def test_others_name_nobody(asked: Asked, connection: Connection) -> None:
    await member(connection, "kari")
    await makerspace.account(connection, username="nopass")
    await makerspace.account(connection, username="robot", password_hash=PASSWORD_HASH, system=True)
    assert await asked.whose("kari", "wrong") == "None"
    assert await asked.whose("kari", "") == "None"
    assert await asked.whose("kari@example.org") == "None"
    for username in ("nobody", "nopass", "robot", ""):
        assert await asked.whose(username) == "None"


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Basic",
        "Basic !!!",
        "Basic bm9jb2xvbg==",
        "Basic /zp4",
        "Basic YQA6eA==",
        "Bearer YTpi",
    ],
)
async def test_what_is_no_such_header_is_nobody(asked: Asked, header: str | None) -> None:
    assert await (await asked.ask_with(header)).text() == "None"
    assert asked.threads.count == 0


async def test_a_password_is_looked_at_once_a_minute(asked: Asked, connection: Connection) -> None:
    kari = await member(connection, "kari")
    for _ in range(5):
        assert await asked.whose("kari") == str(kari)
    assert asked.threads.count == 1
    asked.now[0] += 59
    assert await asked.whose("kari") == str(kari)
    assert asked.threads.count == 1
    asked.now[0] += 2
    assert await asked.whose("kari") == str(kari)
    assert asked.threads.count == 2


async def test_a_wrong_password_is_looked_at_each_time(
    asked: Asked, connection: Connection
) -> None:
    await member(connection, "kari")
    await asked.whose("kari")
    for _ in range(2):
        assert await asked.whose("kari", "wrong") == "None"
    assert asked.threads.count == 3


async def test_a_hundred_at_once_look_once(asked: Asked, connection: Connection) -> None:
    kari = await member(connection, "kari")
    names = await asyncio.gather(*(asked.whose("kari") for _ in range(100)))
    assert set(names) == {str(kari)}
    assert asked.threads.count == 1


async def test_a_changed_password_holds_at_once(asked: Asked, connection: Connection) -> None:
    kari = await member(connection, "kari")
    await asked.whose("kari")
    await connection.execute(
        "update account set password = %s where id = %s", [hash_password("another one"), kari]
    )
    assert await asked.whose("kari") == "None"
    assert await asked.whose("kari", "another one") == str(kari)
    await connection.execute("update account set system = true where id = %s", [kari])
    assert await asked.whose("kari", "another one") == "None"


@pytest.mark.parametrize("asked", [2], indirect=True)
async def test_failures_count_as_at_the_log_in(asked: Asked, connection: Connection) -> None:
    kari = await member(connection, "kari")
    assert await asked.whose("kari") == str(kari)
    for _ in range(2):
        assert await asked.whose("kari", "wrong") == "None"
    blocked = await asked.ask("kari", "wrong")
    assert blocked.status == 429
    assert 1 <= int(blocked.headers["Retry-After"]) <= 60
    form = {"username": "kari", "password": PASSWORD}
    assert (await asked.client.post("/login", data=form)).status == 429
    assert await asked.whose("kari") == str(kari), "what was right lately still is"
