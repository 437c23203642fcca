"""The console as a browser meets it: the real application on a real database."""

import hashlib
import html
import re
import secrets
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, CookieJar
from aiohttp.test_utils import BaseTestServer, TestClient, TestServer
from aiohttp.web import Application

from console.accounts.passwords import hash_password
from console.app import build_app
from console.database import Connection, Database
from console.settings import ConsoleSettings
from console.site_keys import SiteIdentity
from console.web.session import COOKIE
from tests.support import makerspace
from tests.support.postgres import console_settings

SALT = bytes(range(16))
IDENTITY = SiteIdentity(b"r" * 32, b"s" * 32, SALT)
PASSWORD = "correct horse battery"
PASSWORD_HASH = hash_password(PASSWORD)
"""Made once: it takes a fifth of a second."""

Client = TestClient[Any, Any]


def settings_for(
    database_url: str, *, public_url: str | None = None, failures_per_minute: int = 1000
) -> ConsoleSettings:
    """Settings as the web frame reads them."""
    plain = console_settings(Path("/nonexistent"), database_url=database_url)
    return replace(
        plain,
        http=replace(plain.http, public_url=public_url),
        login=replace(plain.login, failures_per_minute=failures_per_minute),
    )


@dataclass(slots=True)
class Broker:
    """Whether the broker answers, as far as the console is told."""

    answers: bool = True

    async def ask(self) -> bool:
        return self.answers


async def application(database: Database, settings: ConsoleSettings, broker: Broker) -> Application:
    """The console, not served yet."""
    return await build_app(
        settings=settings,
        database=database,
        site_salt=SALT,
        broker_answers=broker.ask,
        identity=IDENTITY,
    )


@asynccontextmanager
async def served(database: Database, settings: ConsoleSettings) -> AsyncGenerator[BaseTestServer]:
    """The console, listening on a free port."""
    async with TestServer(await application(database, settings, Broker())) as server:
        yield server


@asynccontextmanager
async def visiting(server: BaseTestServer) -> AsyncGenerator[Client]:
    """A browser with cookies of its own, which follows no redirects unless told to."""
    client: Client = TestClient(server, cookie_jar=CookieJar(unsafe=True))
    async with client:
        yield client


async def log_in(client: Client, username: str, password: str = PASSWORD) -> ClientResponse:
    """Sends the log-in form; a redirect is not followed."""
    return await client.post(
        "/login", data={"username": username, "password": password}, allow_redirects=False
    )


async def see_and_save(
    client: Client,
    path: str,
    *,
    data: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> ClientResponse:
    """Sends a form, looks at what it would do, and saves it. A redirect is not followed.

    The last answer; the first one, if that asked nothing.
    """
    preview = await client.post(path, data=data, headers=headers, allow_redirects=False)
    hidden = re.findall(
        r'<input type="hidden" name="([^"]*)" value="([^"]*)">', await preview.text()
    )
    fields = {name: html.unescape(value) for name, value in hidden}
    if preview.status != 200 or "seen" not in fields:
        return preview
    return await client.post(path, data=fields, headers=headers, allow_redirects=False)


def hidden_fields(text: str, *, beside: str = "") -> dict[str, str]:
    """What the first form with `beside` in it posts by itself; an empty one: it has no button."""
    for form in text.split("<form")[1:]:
        form = form.split("</form>")[0]
        if beside in form and "<button" in form:
            found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', form)
            return {name: html.unescape(value) for name, value in found}
    return {}


async def member(connection: Connection, username: str, *, name: str | None = None) -> int:
    """Somebody who can log in with PASSWORD."""
    return await makerspace.account(
        connection, username=username, password_hash=PASSWORD_HASH, name=name
    )


async def admin(connection: Connection, username: str = "ola") -> int:
    """The same, in the circle `admin`."""
    account_id = await member(connection, username)
    await makerspace.circle_member(connection, account=account_id, circle="admin")
    return account_id


class Site:
    """A console with its database, and browsers that come to it."""

    def __init__(
        self,
        stack: AsyncExitStack,
        app: Application,
        server: BaseTestServer,
        connection: Connection,
        broker: Broker,
    ) -> None:
        self._stack = stack
        self.app = app
        self.server = server
        self.connection = connection
        self.broker = broker

    async def browser(self, username: str | None = None) -> Client:
        """A new browser, with a session of `username`."""
        client = await self._stack.enter_async_context(visiting(self.server))
        if username is not None:
            client.session.cookie_jar.update_cookies({COOKIE: await self.session(username)})
        return client

    async def session(self, username: str) -> str:
        """The token of a new session.

        It is a row that we write: logging in takes a fifth of a second.
        """
        token = secrets.token_urlsafe(32)
        cursor = await self.connection.execute(
            """
            insert into access.session (token_digest, account, expires_at)
            select %s, id, now() + interval '1 day' from account where username = %s
            """,
            [hashlib.sha256(token.encode()).digest(), username],
        )
        assert cursor.rowcount == 1, f"nobody is called {username}"
        return token


@pytest.fixture
async def site(
    database: Database, database_url: str, connection: Connection
) -> AsyncGenerator[Site]:
    """A console without a public URL."""
    broker = Broker()
    async with AsyncExitStack() as stack:
        app = await application(database, settings_for(database_url), broker)
        server = await stack.enter_async_context(TestServer(app))
        yield Site(stack, app, server, connection, broker)
