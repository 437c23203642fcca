"""The old API of accounts, where the recordings don't look."""

import asyncio
from typing import Any

import pytest

from console.accounts import queries
from console.accounts.passwords import hash_password
from console.database import Connection, Database
from console.web.session import COOKIE
from tests.legacy.sites import site_with
from tests.support import makerspace
from tests.support.console_app import (
    PASSWORD,
    PASSWORD_HASH,
    Client,
    Site,
    member,
    settings_for,
)

NEW = {"username": "kari", "email": "kari@example.org", "name": "Kari", "password": "abc"}
ENDLESS = "x" * 2000
"""A password that the old web app would take, though bcrypt looks at its beginning only."""


async def post(client: Client, path: str, body: object) -> tuple[int, Any]:
    async with client.post(path, json=body) as answer:
        expected = "application/json" if answer.status < 400 else "application/vnd.error+json"
        assert answer.content_type == expected
        return answer.status, await answer.json(content_type=None)


async def register(client: Client, **changed: object) -> tuple[int, Any]:
    body = {key: value for key, value in {**NEW, **changed}.items() if value is not ...}
    return await post(client, "/service/register-account", body)


async def rows(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    return await (await connection.execute(query.encode())).fetchall()


async def test_registering_makes_an_account_that_may_log_in(site: Site) -> None:
    client = await site.browser()
    assert await register(client, phone="90000001", system=True, id=1) == (200, {})
    assert COOKIE not in {morsel.key for morsel in client.session.cookie_jar}, "no log-in"
    query = "select email, name, phone, system from account where username = 'kari'"
    assert await rows(site.connection, query) == [("kari@example.org", "Kari", "90000001", False)]
    status, profile = await post(
        client, "/service/authz/log-in", {"username": "KARI", "password": "abc"}
    )
    assert (status, profile["account"]["username"], profile["badges"]) == (200, "kari", {})
    async with client.get("/protected") as answer:
        assert (answer.content_type, answer.status) == ("text/html", 200)
        text = await answer.text()
    assert text == f"Logged in as: {profile['account']['id']}, username=kari"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"username": "OLA", "email": "OLA@example.org", "name": ...}, "Username is taken"),
        ({"email": "OLA@example.org", "name": ...}, "Email is already registered"),
        ({"username": "a b", "name": ...}, "Name cannot be empty."),
        ({"username": "a b\u00e6"}, "Username cannot contain spaces"),
        ({"username": "b\u00e6"}, "Username can only contain a-z, 0-9, @, ., _, + and -."),
        ({"username": "kari\n"}, "Username can only contain a-z, 0-9, @, ., _, + and -."),
        ({"name": "   "}, "Name cannot be empty."),
        ({"email": "a\r\nBcc: b"}, "Email can have at most 120 characters, all printable"),
        ({"name": "Kari\nOla"}, "Name can have at most 100 characters, all printable"),
        ({"phone": "1\n2"}, "Phone can have at most 50 characters, all printable"),
        ({"username": "x" * 51}, "username: at most 50 characters"),
        ({"email": "x" * 121}, "email: at most 120 characters"),
        ({"name": "x" * 101}, "name: at most 100 characters"),
        ({"phone": "x" * 51}, "phone: at most 50 characters"),
        ({"password": "ab"}, "password: needs at least 3 characters"),
        ({"password": "x" * 1001}, "password: at most 1000 characters"),
        ({"name": None}, "name: a text is expected"),
        ({"phone": None}, "phone: a text is expected"),
        ({"email": ...}, "email: is missing"),
    ],
)
async def test_what_keeps_an_account_from_being_made(
    site: Site, changed: dict[str, object], words: str
) -> None:
    await member(site.connection, "ola")
    client = await site.browser()
    assert await register(client, **changed) == (400, {"message": words})
    assert await rows(site.connection, "select id from account where name = 'Kari'") == []


async def test_of_many_who_want_the_same_name_at_once_one_gets_it(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert = queries.insert_account

    async def slow(conn: Connection, **columns: Any) -> int:
        await asyncio.sleep(0.5)
        return await insert(conn, **columns)

    monkeypatch.setattr(queries, "insert_account", slow)
    client = await site.browser()
    names = ["kari", "Kari", "KARI", "kari"]
    outcomes = await asyncio.gather(
        *(register(client, username=one, email=f"{n}@example.org") for n, one in enumerate(names))
    )
    assert sorted(status for status, _ in outcomes) == [200, 400, 400, 400]
    assert [body for status, body in outcomes if status == 400] == [
        {"message": "Username is taken"}
    ] * 3


async def test_the_old_web_app_may_be_quicker(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    insert = queries.insert_account

    async def late(conn: Connection, **columns: Any) -> int:
        await makerspace.account(
            site.connection, username="elsewhere", email="kari@example.org", name="Elsewhere"
        )
        return await insert(conn, **columns)

    monkeypatch.setattr(queries, "insert_account", late)
    client = await site.browser()
    assert await register(client) == (400, {"message": "Email is already registered"})


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("kari", "wrong"),
        ("nobody", PASSWORD),
        ("robot", PASSWORD),
        ("nopass", PASSWORD),
        ("kari@example.org", PASSWORD),
        (" kari", PASSWORD),
        ("k" * 60_000, PASSWORD),
        ("kari", "x" * 60_000),
        ("endless", ENDLESS),
    ],
)
async def test_whoever_cant_log_in_is_told_nothing_else(
    site: Site, username: str, password: str
) -> None:
    await member(site.connection, "kari")
    await makerspace.account(site.connection, username="nopass")
    await makerspace.account(
        site.connection, username="endless", password_hash=hash_password(ENDLESS)
    )
    await makerspace.account(
        site.connection, username="robot", password_hash=PASSWORD_HASH, system=True
    )
    client = await site.browser()
    answered = await post(
        client, "/service/authz/log-in", {"username": username, "password": password}
    )
    assert answered == (400, {"message": "Invalid credentials"})
    assert not list(client.session.cookie_jar)


async def test_log_ins_are_throttled_as_those_of_the_page(
    database: Database, connection: Connection, database_url: str
) -> None:
    await member(connection, "kari")
    settings = settings_for(database_url, failures_per_minute=2)
    async with site_with(database, connection, settings) as site:
        client = await site.browser()
        for _ in range(2):
            await client.post("/login", data={"username": "kari", "password": "wrong"})
        async with client.post(
            "/service/authz/log-in", json={"username": "kari", "password": PASSWORD}
        ) as answer:
            assert answer.status == 429
            assert 1 <= int(answer.headers["Retry-After"]) <= 60
            assert "Wait" in (await answer.json(content_type=None))["message"]


async def test_logging_out_ends_the_session_and_asks_for_nothing(site: Site) -> None:
    await member(site.connection, "kari")
    client = await site.browser("kari")
    async with client.post("/service/authz/log-out", json={}) as answer:
        assert (answer.status, await answer.json()) == (200, {})
        assert answer.cookies[COOKIE]["max-age"] == "0"
    assert await rows(site.connection, "select account from access.session") == []
    async with client.post("/service/authz/log-out") as answer:
        assert (answer.status, await answer.json()) == (200, {})


@pytest.mark.parametrize("path", ["/service/set-password", "/service/edit-profile", "/protected"])
async def test_strangers_are_401(site: Site, path: str) -> None:
    client = await site.browser()
    method = "GET" if path == "/protected" else "POST"
    async with client.request(method, path) as answer:
        assert answer.status == 401


async def test_only_the_phone_number_changes_and_only_when_it_is_another(site: Site) -> None:
    await member(site.connection, "kari")
    client = await site.browser("kari")
    query = "select phone, name, email, updated_at from account where username = 'kari'"
    body = {"phone": "9", "name": "Hacked", "email": "h@x"}
    assert await post(client, "/service/edit-profile", body) == (200, {})
    [(phone, name, email, at)] = await rows(site.connection, query)
    assert (phone, name, email) == ("9", "Kari", "kari@example.org")
    assert await post(client, "/service/edit-profile", {"phone": "9"}) == (200, {})
    assert (await rows(site.connection, query))[0][3] == at
    assert await post(client, "/service/edit-profile", {"phone": ""}) == (200, {})
    assert (await rows(site.connection, query))[0][0] == ""


@pytest.mark.parametrize("phone", [None, 5, "9" * 51, "a\0b", "a\nb", "\ud800", ["9"]])
async def test_what_is_no_phone_number_changes_nothing(site: Site, phone: object) -> None:
    await member(site.connection, "kari")
    client = await site.browser("kari")
    status, body = await post(client, "/service/edit-profile", {"phone": phone})
    assert status == 400
    assert "phone" in body["message"].lower()
    assert await rows(site.connection, "select phone from account where phone is not null") == []


async def test_each_change_leaves_one_row_of_history(site: Site) -> None:
    client = await site.browser()
    await register(client)
    await post(client, "/service/authz/log-in", {"username": "kari", "password": "abc"})
    await post(client, "/service/edit-profile", {"phone": "9"})
    await post(client, "/service/edit-profile", {"phone": "9"})
    change = {"oldPassword": "abc", "newPassword": "long enough"}
    assert await post(client, "/service/set-password", change) == (200, {})
    found = await rows(
        site.connection,
        "select v.operation_type, v.phone, end_transaction_id is null, t.remote_addr"
        " from account_version v join transaction t on t.id = v.transaction_id"
        " where username = 'kari' order by t.id",
    )
    here = "127.0.0.1"
    assert found == [(0, None, False, here), (1, "9", False, here), (1, "9", True, here)]


async def test_a_user_name_brings_no_markup(site: Site) -> None:
    await makerspace.account(site.connection, username="<b>x", password_hash=hash_password("x" * 8))
    client = await site.browser("<b>x")
    async with client.get("/protected") as answer:
        assert "<b>" not in await answer.text()
