"""A forgotten password: a link by mail, a new password by the link, nothing for anybody else."""

import asyncio
import hashlib
import re
import uuid
from base64 import urlsafe_b64encode
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import ClientResponse

from console.accounts import reset, reset_queries
from console.accounts.reset import RESETS
from console.accounts.reset_queries import Token
from console.accounts.settings_queries import set_profile
from console.database import Connection, Database
from console.settings import LegacySettings, MailSettings
from tests.legacy.sites import site_with
from tests.support import makerspace
from tests.support.brokers import free_port
from tests.support.console_app import PASSWORD, Client, Site, log_in, member, settings_for
from tests.support.old_cookies import SECRET, cookie
from tests.support.smtp_sink import Kept, SmtpSink, smtp_sink
from tests.support.waiting import eventually

NEW = "a longer one than before"
EMAIL = "kari@example.org"
INVALID = "/login?show_message=recovery-invalid-request"
SAME = {
    "message": "If we found your user in our systems we have sent an email to your registered"
    " email."
}


@dataclass
class Post:
    """A console that sends mail to a sink."""

    site: Site
    sink: SmtpSink

    async def ask(self, name: str, **headers: str) -> ClientResponse:
        client = await self.site.browser()
        async with client.post(
            "/service/start-reset-password", json={"username": name}, headers=headers
        ) as answer:
            await answer.read()
            return answer

    async def mails(self, count: int = 1) -> list[Kept]:
        await eventually(lambda: len(self.sink.mails) >= count)
        return self.sink.mails

    async def token(self, name: str = "kari") -> str:
        """Of a new mail."""
        count = len(self.sink.mails)
        assert (await self.ask(name)).status == 200
        return token_in((await self.mails(count + 1))[-1])

    async def row(self, username: str = "kari") -> Any:
        cursor = await self.site.connection.execute(
            "select reset_token, reset_token_validity - now(), password, updated_at"
            " from account where username = %s",
            [username],
        )
        return await cursor.fetchone()


def token_in(mail: Kept) -> str:
    link = re.search(r'href="([^"]+)"', mail.html)
    assert link is not None
    return parse_qs(urlsplit(link[1]).query)["reset_token"][0]


@asynccontextmanager
async def posting(
    database: Database, connection: Connection, *, often: int = 1000, **changed: Any
) -> AsyncGenerator[Post]:
    async with AsyncExitStack() as stack:
        sink = await stack.enter_async_context(smtp_sink())
        settings = replace(
            settings_for(
                database.conninfo,
                public_url=changed.pop("public_url", "http://space.example/"),
                failures_per_minute=often,
            ),
            mail=changed.pop("mail", None) or MailSettings(sink.url, "Bitraf <post@bitraf.no>"),
            legacy=LegacySettings(secret_key=SECRET),
        )
        site = await stack.enter_async_context(site_with(database, connection, settings))
        yield Post(site, sink)


@pytest.fixture
async def post(database: Database, connection: Connection) -> AsyncGenerator[Post]:
    await member(connection, "kari")
    async with posting(database, connection) as post:
        yield post


async def set_password(client: Client, **fields: str) -> ClientResponse:
    async with client.post("/set-new-password", data=fields, allow_redirects=False) as answer:
        await answer.read()
        return answer


@pytest.mark.parametrize("name", ["kari", "KARI", "kari@example.org", "Kari@Example.ORG"])
async def test_a_link_goes_to_whoever_is_called_so(post: Post, name: str) -> None:
    answer = await post.ask(name)
    assert (answer.status, await answer.json()) == (200, SAME)
    [mail] = await post.mails()
    assert mail.recipients == ("<kari@example.org>",)
    assert mail.sender == "<post@bitraf.no>"
    assert mail.message["Subject"] == "Reset password for Bitraf"
    token = token_in(mail)
    cursor = await post.site.connection.execute("select doing, actor, new from access.audit")
    [(doing, actor, new)] = await cursor.fetchall()
    assert (doing, actor) == ("POST /service/start-reset-password", None)
    assert new["reset_token"] == "(secret)"
    assert f'href="http://space.example/reset-password-form?reset_token={token}"' in mail.html
    assert "kari" in mail.html
    assert len(token) >= 22, "128 random bits"


async def test_the_link_leads_to_the_public_url_whatever_the_request_says(post: Post) -> None:
    evil = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    await post.ask("kari", **evil)
    [mail] = await post.mails()
    assert b"evil" not in mail.data


async def test_only_a_digest_is_stored_and_it_is_no_token_itself(post: Post) -> None:
    token = await post.token()
    stored, validity, _, _ = await post.row()
    digest = urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).decode().rstrip("=")
    assert stored == f"sha256:{digest}"
    assert len(stored) <= 50, "the column"
    assert 23.9 < validity.total_seconds() / 3600 <= 24
    client = await post.site.browser()
    for guess in (stored, digest, token.swapcase(), token + "x", token[:-1]):
        answer = await set_password(client, reset_token=guess, password=NEW)
        assert (answer.status, answer.headers["Location"]) == (302, INVALID), guess


@pytest.mark.parametrize(
    "name", ["nobody", "robot", "robot@example.org", "kari ", "kar%", "k" * 60_000]
)
async def test_others_get_the_same_answer_and_no_mail(post: Post, name: str) -> None:
    await makerspace.account(post.site.connection, username="robot", system=True)
    answer = await post.ask(name)
    assert (answer.status, await answer.json()) == (200, SAME)
    await post.ask("kari")
    await post.site.app[RESETS].close()
    assert [mail.recipients for mail in post.sink.mails] == [("<kari@example.org>",)]
    assert (await post.row("robot"))[0] is None


async def test_whoever_takes_an_address_as_user_name_keeps_nobody_from_it(post: Post) -> None:
    await makerspace.account(
        post.site.connection, username="kari@example.org", email="thief@example.org"
    )
    await post.ask("kari@example.org")
    mails = {mail.recipients: mail.html for mail in await post.mails(2)}
    assert set(mails) == {("<kari@example.org>",), ("<thief@example.org>",)}
    assert "“kari”" in mails["<kari@example.org>",]


async def test_a_user_name_cant_bring_markup_into_the_mail(post: Post) -> None:
    await makerspace.account(post.site.connection, username="<b>x", email="x@example.org")
    await post.ask("<b>x")
    [mail] = await post.mails()
    assert "<b>" not in mail.html


@pytest.mark.parametrize("body", [{}, {"username": ""}, {"username": 5}])
async def test_a_request_without_a_name_is_refused(post: Post, body: dict[str, object]) -> None:
    client = await post.site.browser()
    assert (await client.post("/service/start-reset-password", json=body)).status == 400


async def test_a_link_leads_to_a_form_and_the_form_to_a_new_password(post: Post) -> None:
    token = await post.token()
    client = await post.site.browser()
    form = await client.get("/reset-password-form", params={"reset_token": token})
    assert (form.status, form.content_type) == (200, "text/html")
    assert form.headers["Referrer-Policy"] == "strict-origin"
    text = await form.text()
    assert f'name="reset_token" value="{token}"' in text
    assert 'action="/set-new-password"' in text
    answer = await set_password(client, reset_token=token, username="kari", password=NEW)
    assert (answer.status, answer.headers["Location"]) == (302, "/")
    stored, validity, password, _ = await post.row()
    assert (stored, validity) == (None, None)
    assert password.startswith("$2b$12$")
    assert (await log_in(client, "kari", NEW)).headers["Location"] == "/"
    other = await post.site.browser()
    assert (await log_in(other, "kari", PASSWORD)).headers["Location"].startswith("/login")


async def test_a_token_of_the_old_web_app_works_here(post: Post) -> None:
    token = str(uuid.uuid4())
    await post.site.connection.execute(
        "update account set reset_token = %s, reset_token_validity = now() + interval '1 hour'"
        " where username = 'kari'",
        [token],
    )
    client = await post.site.browser()
    for other in (token.upper(), token.replace("-", "")):
        answer = await set_password(client, reset_token=other, password=NEW)
        assert answer.headers["Location"] == INVALID
    answer = await set_password(client, reset_token=token, password=NEW)
    assert answer.headers["Location"] == "/"


async def test_a_token_works_once_and_the_newest_only(post: Post) -> None:
    first, second = await post.token(), await post.token()
    client = await post.site.browser()
    for token, there in ((first, INVALID), (second, "/"), (second, INVALID), ("", INVALID)):
        answer = await set_password(client, reset_token=token, password=NEW)
        assert answer.headers["Location"] == there
    assert (await set_password(client, password=NEW)).headers["Location"] == INVALID
    page = await client.get("/reset-password-form", allow_redirects=False)
    assert (page.status, page.headers["Location"]) == (302, INVALID)


@pytest.mark.parametrize(
    "statement",
    [
        b"update account set reset_token_validity = now() - interval '1 second'",
        b"update account set reset_token_validity = null",
        b"update account set system = true",
    ],
    ids=["expired", "never valid", "a system account"],
)
async def test_some_tokens_are_void(post: Post, statement: bytes) -> None:
    token = await post.token()
    await post.site.connection.execute(statement)
    client = await post.site.browser()
    page = await client.get(f"/reset-password-form?reset_token={token}", allow_redirects=False)
    assert (page.status, page.headers["Location"]) == (302, INVALID)
    assert "no longer works" in await (await client.get(INVALID)).text()
    answer = await set_password(client, reset_token=token, password=NEW)
    assert (answer.status, answer.headers["Location"]) == (302, INVALID)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "at least 8 characters"),
        ({"password": ""}, "at least 8 characters"),
        ({"password": "seven77"}, "at least 8 characters"),
        ({"password": "x" * 73}, "at most 72 letters"),
    ],
)
async def test_a_weak_password_leaves_the_token_valid(
    post: Post, fields: dict[str, str], words: str
) -> None:
    token = await post.token()
    client = await post.site.browser()
    before = await post.row()
    async with client.post("/set-new-password", data={"reset_token": token, **fields}) as answer:
        text = await answer.text()
    assert answer.status == 422
    assert answer.headers["Referrer-Policy"] == "strict-origin"
    assert words in text
    assert 'aria-describedby="mistake"' in text
    assert f'value="{token}"' in text
    assert (await post.row())[2:] == before[2:]
    assert (await set_password(client, reset_token=token, password=NEW)).headers["Location"] == "/"


async def test_all_sessions_end_with_the_old_password(post: Post) -> None:
    here = await post.site.browser("kari")
    there = await post.site.browser()
    cursor = await post.site.connection.execute("select id from account where username = 'kari'")
    found = await cursor.fetchone()
    assert found is not None
    there.session.cookie_jar.update_cookies({"session": cookie(found[0])})
    assert [(await one.get("/protected")).status for one in (here, there)] == [200, 200]
    token = await post.token()
    assert (await here.get("/protected")).status == 200, "asking for it ends nothing"
    await set_password(here, reset_token=token, password=NEW)
    assert [(await one.get("/protected")).status for one in (here, there)] == [401, 401]


async def test_only_so_many_links_are_sent(database: Database, connection: Connection) -> None:
    await member(connection, "kari")
    async with posting(database, connection, often=2) as post:
        for name in ("kari", "nobody"):
            assert (await post.ask(name)).status == 200
        blocked = await post.ask("ola")
        assert blocked.status == 429
        assert 60 < int(blocked.headers["Retry-After"]) <= 900
        client = await post.site.browser()
        page = await client.post("/forgot-password", data={"username": "ola"})
        assert page.status == 429
        assert re.search(r"Wait \d+ s", await page.text())
        assert (await log_in(client, "kari")).headers["Location"] == "/", "log-ins count apart"


@pytest.mark.parametrize(
    "changed",
    [
        {"mail": MailSettings(f"smtp://127.0.0.1:{free_port()}")},
        {"mail": MailSettings()},
        {"public_url": None},
    ],
    ids=["the server is down", "no server", "no public URL"],
)
async def test_mail_that_cant_be_sent_is_told_to_the_log_alone(
    database: Database,
    connection: Connection,
    changed: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    await member(connection, "kari")
    async with posting(database, connection, **changed) as post:
        answer = await post.ask("kari")
        assert (answer.status, await answer.json()) == (200, SAME)
        told = ""

        def log() -> bool:
            nonlocal told
            told += capsys.readouterr().out
            return "reset.failed" in told or "reset.impossible" in told

        await eventually(log)
        assert "example.org" not in told
        assert "reset_token" not in told
        assert post.sink.mails == []


async def test_a_link_that_was_sent_before_holds_when_another_mail_fails(
    post: Post, capsys: pytest.CaptureFixture[str]
) -> None:
    token = await post.token()
    before = await post.row()
    post.sink.replies = {"RCPT": "550 no"}
    answer = await post.ask("kari")
    assert (answer.status, await answer.json()) == (200, SAME)
    await eventually(lambda: "reset.failed" in capsys.readouterr().out)
    assert (await post.row())[0] == before[0]
    client = await post.site.browser()
    answer = await set_password(client, reset_token=token, password=NEW)
    assert answer.headers["Location"] == "/"


async def test_of_a_mail_that_failed_no_token_stays(
    post: Post, capsys: pytest.CaptureFixture[str]
) -> None:
    post.sink.replies = {"RCPT": "550 no"}
    await post.ask("kari")
    await eventually(lambda: "reset.failed" in capsys.readouterr().out)
    assert (await post.row())[:2] == (None, None)


async def test_a_token_comes_back_only_in_place_of_the_one_that_replaced_it(
    post: Post, database: Database
) -> None:
    cursor = await post.site.connection.execute("select id from account where username = 'kari'")
    found = await cursor.fetchone()
    assert found is not None
    kari: int = found[0]
    async with database.writing() as conn:
        nothing = await reset_queries.store_token(
            conn, account_id=kari, email=EMAIL, token_form="first", valid_hours=1
        )
        first = await reset_queries.store_token(
            conn, account_id=kari, email=EMAIL, token_form="second", valid_hours=1
        )
        assert (nothing, first and first.form) == (Token(None, None), "first")
        assert first is not None
        await reset_queries.restore_token(conn, account_id=kari, token_form="other", token=first)
    assert (await post.row())[0] == "second"
    async with database.writing() as conn:
        await reset_queries.restore_token(conn, account_id=kari, token_form="second", token=first)
    assert (await post.row())[0] == "first"


async def test_no_link_goes_to_an_address_that_was_left_at_that_moment(
    post: Post, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    cursor = await post.site.connection.execute("select id from account where username = 'kari'")
    found = await cursor.fetchone()
    assert found is not None
    async with database.writing() as conn:
        await set_profile(conn, account_id=found[0], name="Kari", email="new@example.org", phone="")
        assert (await post.ask("kari")).status == 200
        await asyncio.sleep(0.3)  # so that it waits for what is being saved
    assert await post.token("new@example.org")
    assert [mail.recipients for mail in post.sink.mails] == [("<new@example.org>",)]


async def test_the_answer_doesnt_wait_for_the_mail_server(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reset, "RUNNING_MAX", 2)
    monkeypatch.setattr(reset, "END_SECONDS", 0.1)
    monkeypatch.setattr("console.mail.STEP_SECONDS", 1)
    post.sink.is_silent = True
    for _ in range(5):
        assert (await post.ask("kari")).status == 200


async def test_the_log_in_page_leads_to_the_form_for_a_link(post: Post) -> None:
    client = await post.site.browser()
    assert 'href="/forgot-password"' in await (await client.get("/login")).text()
    assert 'action="/forgot-password"' in await (await client.get("/forgot-password")).text()
    empty = await client.post("/forgot-password", data={"username": " "})
    assert (empty.status, "Type your user name" in await empty.text()) == (422, True)
    for name in (" kari ", "nobody"):
        answer = await client.post(
            "/forgot-password", data={"username": name}, allow_redirects=False
        )
        assert (answer.status, answer.headers["Location"]) == (302, "/login?show_message=recovery")
    assert "on its way" in await (await client.get("/login?show_message=recovery")).text()
    assert len(await post.mails()) == 1


async def test_a_console_without_mail_says_so(site: Site) -> None:
    client = await site.browser()
    text = await (await client.get("/forgot-password")).text()
    assert "sends no mail" in text
    assert 'action="/forgot-password"' not in text
