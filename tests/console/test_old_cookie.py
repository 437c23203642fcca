"""Whoever is logged in at the old web app is logged in here, and no longer than that."""

import itertools
import json
import time
from collections.abc import AsyncGenerator

import pytest

from console.database import Connection, Database
from console.settings import LegacySettings
from console.web.old_cookie import LIFETIME_SECONDS, OldSession, read_old_cookie
from console.web.session import COOKIE
from tests.legacy.sites import legacy_settings, site_with
from tests.support.console_app import PASSWORD, Client, Site, member
from tests.support.old_cookies import SECRET, cookie, payload, serializer, signed

DAY = 24 * 3600


def read(value: str, *, now_s: float | None = None, secret: str = SECRET) -> OldSession | None:
    return read_old_cookie(value, secret_key=secret, now_s=now_s or time.time())


def test_a_cookie_names_the_account() -> None:
    assert read(cookie(7)) == OldSession(7)
    assert read(cookie(None)) == OldSession(None)


def test_a_compressed_cookie_does_too() -> None:
    crowded = serializer().dumps({**payload(7), "_flashes": [{" t": ["info", "x" * 900]}]})
    assert crowded.startswith(".")
    assert read(crowded) == OldSession(7)
    assert read(signed(json.dumps(payload(7)).encode(), is_zipped=True)) == OldSession(7)


def test_a_cookie_holds_for_31_days() -> None:
    content = json.dumps(payload(7)).encode()
    assert LIFETIME_SECONDS == 31 * DAY
    assert read(signed(content, age_s=31 * DAY - 5)) == OldSession(7)
    assert read(signed(content, age_s=31 * DAY + 5)) is None
    assert read(signed(content, age_s=-30)) == OldSession(7), "the other clock may be ahead"
    assert read(signed(content, age_s=-90)) is None


@pytest.mark.parametrize(
    "value",
    [
        "",
        ".",
        "..",
        "eyJfdXNlcl9pZCI6IjEifQ.aaaa.bad",
        cookie(7, secret="another secret"),
        cookie(7)[:-1],
        cookie(7)[1:],
        cookie(7).upper(),
        "x" + cookie(7),
        cookie(7) * 60,
        "\udcff" * 20,
        "é.é.é",
        serializer().dumps([7]),
        serializer().dumps("7"),
        serializer().dumps(None),
        signed(b"no json"),
        signed(b"\xff\xfe"),
        signed(b"[" * 3000),
        signed(b"{}").replace(".", ".0", 1),
        signed(b"not zipped")[::-1],
        signed(json.dumps({**payload(7), "x": "y" * 5000}).encode()),
    ],
    ids=itertools.count(),
)
def test_what_is_forged_or_garbled_is_nobody(value: str) -> None:
    assert read(value) is None


@pytest.mark.parametrize(
    "odd", ["", "x", "-1", "1.0", "٣", " 7", "7\n", "9" * 19, 7, True, None, [7]]
)
def test_an_account_that_is_no_number_is_nobody(odd: object) -> None:
    assert read(serializer().dumps({"_user_id": odd})) == OldSession(None)


@pytest.fixture
async def old_site(database: Database, connection: Connection) -> AsyncGenerator[Site]:
    """A console that has the old web app's key."""
    settings = legacy_settings(database, LegacySettings(secret_key=SECRET))
    async with site_with(database, connection, settings) as site:
        yield site


def bring(client: Client, value: str) -> None:
    """As if the old web app had set it: it does so with each answer."""
    client.session.cookie_jar.update_cookies({"session": value}, client.make_url("/"))


def cookies(client: Client) -> dict[str, str]:
    return {morsel.key: morsel.value for morsel in client.session.cookie_jar}


async def who(client: Client) -> str | None:
    """Who is logged in, asked by a program."""
    async with client.get("/protected") as answer:
        return (await answer.text()).rpartition("=")[2] if answer.status == 200 else None


async def sessions(site: Site) -> list[tuple[int, bool]]:
    cursor = await site.connection.execute(
        "select account, beside_old from access.session order by created_at"
    )
    return await cursor.fetchall()


async def test_a_page_begins_a_session_that_needs_the_old_cookie_no_more(old_site: Site) -> None:
    kari = await member(old_site.connection, "kari")
    client = await old_site.browser()
    bring(client, cookie(kari))
    assert (await client.get("/me", allow_redirects=False)).status == 200
    assert await sessions(old_site) == [(kari, True)]
    token = cookies(client)[COOKIE]
    async with client.get("/circles") as again:
        assert COOKIE not in again.cookies
    other = await old_site.browser()
    other.session.cookie_jar.update_cookies({COOKIE: token})
    assert await who(other) == "kari"


async def test_the_log_in_page_leads_on(old_site: Site) -> None:
    kari = await member(old_site.connection, "kari")
    client = await old_site.browser()
    bring(client, cookie(kari))
    answer = await client.get("/login?next=/circles", allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/circles")
    assert COOKIE in answer.cookies


async def test_a_program_is_answered_without_a_session(old_site: Site) -> None:
    kari = await member(old_site.connection, "kari")
    client = await old_site.browser()
    bring(client, cookie(kari))
    async with client.get("/protected") as answer:
        assert await answer.text() == f"Logged in as: {kari}, username=kari"
        assert "Set-Cookie" not in answer.headers
    async with client.post("/service/edit-profile", json={"phone": "1"}) as answer:
        assert answer.status == 200
    async with client.head("/me") as answer:
        assert answer.status == 200
    assert await sessions(old_site) == []


@pytest.mark.parametrize(
    "statement",
    [
        b"update account set system = true where username = 'kari'",
        b"delete from account where username = 'kari'",
        b"insert into access.old_session_refusal select id, now() + interval '1 s' from account",
    ],
    ids=["a system account", "deleted", "refused"],
)
async def test_some_accounts_are_nobody(old_site: Site, statement: bytes) -> None:
    kari = await member(old_site.connection, "kari")
    client = await old_site.browser()
    bring(client, cookie(kari))
    assert await who(client) == "kari"
    await old_site.connection.execute(statement)
    assert await who(client) is None
    assert (await client.get("/me", allow_redirects=False)).status == 303
    assert await sessions(old_site) == []


async def test_a_refusal_ends(old_site: Site) -> None:
    kari = await member(old_site.connection, "kari")
    await old_site.connection.execute(
        "insert into access.old_session_refusal values (%s, now() - interval '1 s')", [kari]
    )
    client = await old_site.browser()
    bring(client, cookie(kari))
    assert await who(client) == "kari"


async def test_without_the_key_an_old_cookie_is_nothing(site: Site) -> None:
    kari = await member(site.connection, "kari")
    client = await site.browser()
    bring(client, cookie(kari))
    assert await who(client) is None
    await client.post("/logout", allow_redirects=False)
    assert "session" in cookies(client), "it belongs to somebody else"


@pytest.mark.parametrize("path", ["/logout", "/service/authz/log-out"])
async def test_logging_out_here_deletes_both_cookies(old_site: Site, path: str) -> None:
    kari = await member(old_site.connection, "kari")
    client = await old_site.browser()
    bring(client, cookie(kari))
    await client.get("/me")
    assert set(cookies(client)) == {COOKIE, "session"}
    await client.post(path, allow_redirects=False)
    assert cookies(client) == {}
    assert await sessions(old_site) == []
    assert await who(client) is None


async def test_logging_out_there_ends_the_session_here(old_site: Site) -> None:
    kari = await member(old_site.connection, "kari")
    client = await old_site.browser()
    bring(client, cookie(kari))
    await client.get("/me")
    bring(client, cookie(None))
    assert await who(client) is None
    assert await sessions(old_site) == [], "dropping the old cookie doesn't bring it back"


async def test_somebody_else_who_logs_in_there_is_somebody_else_here(old_site: Site) -> None:
    kari, ola = await member(old_site.connection, "kari"), await member(old_site.connection, "ola")
    client = await old_site.browser()
    bring(client, cookie(kari))
    await client.get("/me")
    bring(client, cookie(ola))
    assert await who(client) == "ola"
    await client.get("/me")
    assert await sessions(old_site) == [(ola, True)]


async def test_a_log_in_here_holds_whatever_the_old_web_app_says(old_site: Site) -> None:
    await member(old_site.connection, "kari")
    ola = await member(old_site.connection, "ola")
    client = await old_site.browser()
    await client.post("/login", data={"username": "kari", "password": PASSWORD})
    bring(client, cookie(None))  # what the old web app gives every visitor
    assert await who(client) == "kari"
    bring(client, cookie(ola))
    assert await who(client) == "kari"
    bring(client, "garbled")
    assert await who(client) == "kari"


async def test_a_session_outlives_an_old_cookie_that_has_expired(old_site: Site) -> None:
    kari = await member(old_site.connection, "kari")
    client = await old_site.browser()
    bring(client, cookie(kari))
    await client.get("/me")
    bring(client, signed(json.dumps(payload(kari)).encode(), age_s=40 * DAY))
    assert await who(client) == "kari"


async def test_another_site_can_do_nothing_with_the_old_cookie(old_site: Site) -> None:
    """Its forms carry the cookie, which isn't SameSite, and are refused for their origin."""
    kari = await member(old_site.connection, "kari")
    client = await old_site.browser()
    bring(client, cookie(kari))
    answer = await client.post(
        "/service/edit-profile", json={"phone": "1"}, headers={"Origin": "https://evil.example"}
    )
    assert answer.status == 403
