"""Logging in, staying logged in, and no longer being logged in."""

import asyncio
import hashlib
import re
from collections.abc import AsyncGenerator
from typing import LiteralString

import pytest
from yarl import URL

from console.accounts.passwords import hash_password
from console.database import Connection, Database
from console.web import requests
from console.web.session import COOKIE
from tests.support import makerspace
from tests.support.console_app import (
    PASSWORD,
    PASSWORD_HASH,
    Client,
    Site,
    admin,
    log_in,
    member,
    served,
    settings_for,
    visiting,
)

SHA512_OF_OLDHASH = (
    "$6$abcdefgh$z2cBjbfdIW6UHigD7EfjE.40vdE8W2nYObWavmhLrJX1iy3NxTOp3MFqIOlD0nXY53VedRufFsAtkk41"
    "FPnhf/"
)


async def sessions(connection: Connection) -> int:
    cursor = await connection.execute("select count(*) from access.session")
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


def token_of(client: Client) -> str | None:
    cookies = {morsel.key: morsel.value for morsel in client.session.cookie_jar}
    return cookies.get(COOKIE)


async def test_logging_in_starts_a_session_and_leads_to_the_page_that_was_asked_for(
    database: Database, connection: Connection, database_url: str
) -> None:
    await member(connection, "kari")
    async with served(database, settings_for(database_url)) as server, visiting(server) as client:
        first = await client.get("/members?q=ola", allow_redirects=False)
        assert first.status == 303
        log_in_page = URL(first.headers["Location"])
        assert (log_in_page.path, log_in_page.query["next"]) == ("/login", "/members?q=ola")
        form = await client.get(first.headers["Location"])
        assert 'name="next" value="/members?q=ola"' in await form.text()
        answer = await client.post(
            "/login",
            data={"username": "KARI", "password": PASSWORD, "next": "/members?q=ola"},
            allow_redirects=False,
        )
        assert (answer.status, answer.headers["Location"]) == (302, "/members?q=ola")
        assert (await client.get("/")).status == 200
        assert await sessions(connection) == 1


async def test_the_database_holds_only_a_digest_of_the_token(
    database: Database, connection: Connection, database_url: str
) -> None:
    await member(connection, "kari")
    async with served(database, settings_for(database_url)) as server, visiting(server) as client:
        await log_in(client, "kari")
        token = token_of(client)
        assert token is not None
        cursor = await connection.execute("select token_digest, address from access.session")
        row = await cursor.fetchone()
        assert row is not None
        assert row[0] == hashlib.sha256(token.encode()).digest()
        assert len(token) >= 43, "32 random bytes"


@pytest.mark.parametrize(
    ("public_url", "is_secure"),
    [(None, False), ("http://space.example", False), ("https://space.example", True)],
)
async def test_the_cookie_is_hidden_from_scripts_and_secure_exactly_with_https(
    database: Database,
    connection: Connection,
    database_url: str,
    public_url: str | None,
    is_secure: bool,
) -> None:
    await member(connection, "kari")
    settings = settings_for(database_url, public_url=public_url)
    async with served(database, settings) as server, visiting(server) as client:
        cookie = (await log_in(client, "kari")).headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert f"Max-Age={31 * 24 * 3600}" in cookie
        assert ("Secure" in cookie) is is_secure


async def test_a_new_token_comes_with_each_log_in_and_the_old_one_dies(
    database: Database, connection: Connection, database_url: str
) -> None:
    await member(connection, "kari")
    async with served(database, settings_for(database_url)) as server, visiting(server) as client:
        client.session.cookie_jar.update_cookies({COOKIE: "chosen-by-an-attacker"})
        await log_in(client, "kari")
        first = token_of(client)
        assert first not in {None, "chosen-by-an-attacker"}
        await log_in(client, "kari")
        second = token_of(client)
        assert second not in {None, first}
        assert await sessions(connection) == 1
        async with visiting(server) as thief:
            thief.session.cookie_jar.update_cookies({COOKIE: first or ""})
            assert (await thief.get("/", allow_redirects=False)).status == 303


async def test_logging_out_ends_the_session_on_the_server(
    database: Database, connection: Connection, database_url: str
) -> None:
    await member(connection, "kari")
    async with served(database, settings_for(database_url)) as server, visiting(server) as client:
        await log_in(client, "kari")
        token = token_of(client) or ""
        assert (await client.get("/logout", allow_redirects=False)).status == 405
        answer = await client.post("/logout", allow_redirects=False)
        assert answer.headers["Location"] == "/login"
        assert token_of(client) is None
        assert await sessions(connection) == 0
        client.session.cookie_jar.update_cookies({COOKIE: token})
        assert (await client.get("/me", allow_redirects=False)).status == 303


@pytest.mark.parametrize(
    "statement",
    [
        b"update access.session set expires_at = now() - interval '1 second'",
        b"update account set system = true where username = 'kari'",
        b"delete from account where username = 'kari'",
        b"delete from access.session",
    ],
    ids=["expired", "turned into a system account", "account deleted", "session deleted"],
)
async def test_a_session_that_no_longer_holds_is_nobody(
    database: Database, connection: Connection, database_url: str, statement: bytes
) -> None:
    await member(connection, "kari")
    async with served(database, settings_for(database_url)) as server, visiting(server) as client:
        await log_in(client, "kari")
        assert (await client.get("/me", allow_redirects=False)).status == 200
        await connection.execute(statement)
        assert (await client.get("/me", allow_redirects=False)).status == 303


async def test_using_a_session_prolongs_it_but_not_with_every_request(
    database: Database, connection: Connection, database_url: str
) -> None:
    await member(connection, "kari")
    async with served(database, settings_for(database_url)) as server, visiting(server) as client:
        await log_in(client, "kari")
        assert "Set-Cookie" not in (await client.get("/me")).headers
        await connection.execute(
            "update access.session set seen_at = now() - interval '6 minutes',"
            " expires_at = now() + interval '1 day'"
        )
        assert COOKIE in (await client.get("/me")).headers["Set-Cookie"]
        cursor = await connection.execute(
            "select expires_at > now() + interval '30 days', seen_at > now() - interval '1 minute'"
            " from access.session"
        )
        assert await cursor.fetchone() == (True, True)
        assert "Set-Cookie" not in (await client.get("/me")).headers


async def test_an_account_keeps_only_its_latest_sessions(
    database: Database, connection: Connection, database_url: str
) -> None:
    kari = await member(connection, "kari")
    await connection.execute(
        """
        insert into access.session (token_digest, account, seen_at, expires_at)
        select sha256(n::text::bytea), %s, now() - make_interval(hours => n),
          now() + interval '1 day'
        from generate_series(1, 30) n
        """,
        [kari],
    )
    async with served(database, settings_for(database_url)) as server, visiting(server) as client:
        await log_in(client, "kari")
        assert await sessions(connection) == 20
        assert (await client.get("/me", allow_redirects=False)).status == 200


async def test_rights_are_those_of_the_moment_not_of_the_log_in(
    database: Database, connection: Connection, database_url: str
) -> None:
    ola = await admin(connection, "ola")
    async with served(database, settings_for(database_url)) as server, visiting(server) as client:
        await log_in(client, "ola")
        assert (await client.get("/cards/unknown")).status == 200
        await connection.execute("delete from circle_member where account = %s", [ola])
        answer = await client.get("/cards/unknown")
        assert answer.status == 403
        assert "circle “admin”" in await answer.text()


async def test_unknown_user_wrong_password_and_system_account_get_the_same_answer(
    database: Database, connection: Connection, database_url: str
) -> None:
    await member(connection, "kari")
    await makerspace.account(connection, username="nopass")
    await makerspace.account(connection, username="robot", password_hash=PASSWORD_HASH, system=True)
    await makerspace.account(connection, username="oddhash", password_hash="$1$abc$def")
    answers: set[tuple[int, str, str, tuple[str, ...]]] = set()
    async with served(database, settings_for(database_url)) as server, visiting(server) as client:
        for username in ("kari", "nobody", "robot", "nopass", "oddhash"):
            password = PASSWORD if username != "kari" else "wrong"
            answer = await log_in(client, username, password)
            there = answer.headers["Location"]
            assert "Wrong user name or password" in await (await client.get(there)).text()
            headers = tuple(sorted(answer.headers))
            there = there.replace(username, "…")
            answers.add((answer.status, there, await answer.text(), headers))
        assert token_of(client) is None
    assert len(answers) == 1


async def test_an_old_hash_is_verified_and_replaced(
    database: Database, connection: Connection, database_url: str
) -> None:
    await makerspace.account(connection, username="oldhash", password_hash=SHA512_OF_OLDHASH)
    async with served(database, settings_for(database_url)) as server, visiting(server) as client:
        assert (await log_in(client, "oldhash", "wrong")).headers["Location"].startswith("/login")
        assert (await log_in(client, "oldhash", "oldhash")).headers["Location"] == "/"
        cursor = await connection.execute("select password from account where username = 'oldhash'")
        row = await cursor.fetchone()
        assert row is not None
        assert re.fullmatch(r"\$2b\$12\$.{53}", row[0])
        assert (await log_in(client, "oldhash", "oldhash")).headers["Location"] == "/"


async def test_of_two_user_names_that_differ_in_case_only_an_exact_one_is_meant(
    database: Database, connection: Connection, database_url: str
) -> None:
    lower = await member(connection, "kari")
    await makerspace.account(connection, username="Kari", password_hash=hash_password("another"))
    async with served(database, settings_for(database_url)) as server, visiting(server) as client:
        assert (await log_in(client, "KARI")).headers["Location"].startswith("/login")
        assert (await log_in(client, "Kari")).headers["Location"].startswith("/login")
        assert (await log_in(client, "kari")).headers["Location"] == "/"
        cursor = await connection.execute("select account from access.session")
        assert await cursor.fetchone() == (lower,)


async def test_failures_are_throttled_for_known_and_unknown_names_alike(
    database: Database, connection: Connection, database_url: str
) -> None:
    await member(connection, "kari")
    settings = settings_for(database_url, failures_per_minute=2)
    async with served(database, settings) as server, visiting(server) as client:
        assert (await log_in(client, "kari")).status == 302, "a success doesn't count"
        assert (await log_in(client, "nobody", "wrong")).status == 302
        assert (await log_in(client, "nobody", "wrong")).status == 302
        blocked = await log_in(client, "nobody", "wrong")
        assert blocked.status == 429
        assert 1 <= int(blocked.headers["Retry-After"]) <= 60
        assert re.search(r"Wait \d+ s", await blocked.text())
        assert (await log_in(client, "kari")).status == 429, "the address is throttled, too"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:1",
    ],
)
async def test_nobody_is_sent_to_another_site_after_logging_in(
    database: Database, connection: Connection, database_url: str, elsewhere: str
) -> None:
    await member(connection, "kari")
    async with served(database, settings_for(database_url)) as server, visiting(server) as client:
        answer = await client.post(
            "/login",
            data={"username": "kari", "password": PASSWORD, "next": elsewhere},
            allow_redirects=False,
        )
        assert answer.headers["Location"] == "/"


@pytest.mark.parametrize("losing", ["delete from access.session", "delete from circle_member"])
async def test_a_form_that_takes_its_time_is_asked_again_whose_it_is(
    site: Site, monkeypatch: pytest.MonkeyPatch, losing: LiteralString
) -> None:
    monkeypatch.setattr(requests, "QUICK_SECONDS", 0.2)
    await admin(site.connection, "ola")
    kari = await member(site.connection, "kari")
    browser = await site.browser("ola")

    async def body() -> AsyncGenerator[bytes]:
        yield b"credential=em4100:"
        await asyncio.sleep(0.5)
        await site.connection.execute(losing)
        yield b"0102345678"

    async with browser.post(
        f"/members/{kari}/cards",
        data=body(),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        allow_redirects=False,
    ) as answer:
        assert (answer.status, answer.headers.get("Location")) in {(403, None), (303, "/login")}
    cursor = await site.connection.execute("select from access.card")
    assert cursor.rowcount == 0
