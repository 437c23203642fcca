"""A new password: whoever was logged in with the old one no longer is."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from console.accounts import admission, new_password
from console.accounts.passwords import hash_password
from console.database import Connection, Database
from console.settings import LegacySettings
from console.web import queries
from console.web.session import COOKIE
from tests.legacy.sites import legacy_settings, site_with
from tests.support.console_app import PASSWORD, Client, Site, log_in, member, settings_for
from tests.support.old_cookies import SECRET, cookie

NEW = "a longer one than before"


@pytest.fixture
async def old_site(database: Database, connection: Connection) -> AsyncGenerator[Site]:
    """A console that has the old web app's key."""
    settings = legacy_settings(database, LegacySettings(secret_key=SECRET))
    async with site_with(database, connection, settings) as site:
        yield site


async def change(client: Client, *, old: str = PASSWORD, new: str = NEW) -> tuple[int, Any]:
    body = {"oldPassword": old, "newPassword": new}
    async with client.post("/service/set-password", json=body) as answer:
        return answer.status, await answer.json(content_type=None)


async def row(site: Site, columns: str = "password") -> tuple[Any, ...]:
    query = f"select {columns} from account where username = 'kari'"  # noqa: S608
    found = await (await site.connection.execute(query.encode())).fetchone()
    assert found is not None
    return found


async def status(client: Client) -> int:
    async with client.get("/protected") as answer:
        return answer.status


async def test_the_new_password_holds_and_the_old_one_no_more(site: Site) -> None:
    await member(site.connection, "kari")
    client = await site.browser("kari")
    assert await change(client) == (200, {})
    (stored,) = await row(site)
    assert stored.startswith("$2b$12$"), "as the old web app reads it"
    other = await site.browser()
    assert (await log_in(other, "kari")).headers["Location"].startswith("/login")
    assert (await log_in(other, "kari", NEW)).headers["Location"] == "/"


async def test_all_other_sessions_end_and_this_one_goes_on_under_a_new_token(site: Site) -> None:
    await member(site.connection, "kari")
    await member(site.connection, "ola")
    here, there, ola = [await site.browser(name) for name in ("kari", "kari", "ola")]
    before = {morsel.key: morsel.value for morsel in here.session.cookie_jar}[COOKIE]
    await change(here)
    assert [await status(one) for one in (here, there, ola)] == [200, 401, 200]
    thief = await site.browser()
    thief.session.cookie_jar.update_cookies({COOKIE: before})
    assert await status(thief) == 401


async def test_old_cookies_of_the_account_are_refused_for_31_days(old_site: Site) -> None:
    kari, ola = await member(old_site.connection, "kari"), await member(old_site.connection, "ola")
    here = await old_site.browser("kari")
    await change(here)
    for account, expected in ((kari, 401), (ola, 200)):
        client = await old_site.browser()
        client.session.cookie_jar.update_cookies({"session": cookie(account)})
        assert await status(client) == expected
    cursor = await old_site.connection.execute(
        "select account, until - now() > interval '30 days 23 hours', until - now() <= '31 days'"
        " from access.old_session_refusal"
    )
    assert await cursor.fetchall() == [(kari, True, True)]
    here.session.cookie_jar.update_cookies({"session": cookie(kari)})
    assert await status(here) == 200, "the session of ours goes on beside an old cookie"


async def test_somebody_with_an_old_cookie_only_goes_on_by_a_session_of_ours(
    old_site: Site,
) -> None:
    kari = await member(old_site.connection, "kari")
    client = await old_site.browser()
    client.session.cookie_jar.update_cookies({"session": cookie(kari)})
    assert await change(client) == (200, {})
    assert await status(client) == 200
    thief = await old_site.browser()
    thief.session.cookie_jar.update_cookies({"session": cookie(kari)})
    assert await status(thief) == 401


async def test_a_wrong_old_password_changes_nothing(site: Site) -> None:
    await member(site.connection, "kari")
    here, there = await site.browser("kari"), await site.browser("kari")
    before = await row(site, "password, updated_at")
    assert await change(here, old="wrong") == (400, {"message": "Bad password"})
    assert await change(here, old="wrong", new="x") == (400, {"message": "Bad password"})
    assert await change(here, old="x" * 60_000) == (400, {"message": "Bad password"})
    assert await row(site, "password, updated_at") == before
    assert await status(there) == 200


@pytest.mark.parametrize(
    ("new", "words"),
    [("seven77", "at least 8 characters"), ("", "newPassword"), ("x" * 1001, "newPassword")],
)
async def test_a_weak_new_password_is_refused_in_words(site: Site, new: str, words: str) -> None:
    await member(site.connection, "kari")
    client = await site.browser("kari")
    before = await row(site, "password, updated_at")
    answered, body = await change(client, new=new)
    assert answered == 400
    assert words in body["message"]
    assert await row(site, "password, updated_at") == before


async def test_a_reset_that_was_asked_for_is_void_then(site: Site) -> None:
    await member(site.connection, "kari")
    await site.connection.execute(
        "update account set reset_token = 'x', reset_token_validity = now() + interval '1 day'"
        " where username = 'kari'"
    )
    await change(await site.browser("kari"))
    assert await row(site, "reset_token, reset_token_validity") == (None, None)


async def test_guessing_the_old_password_is_throttled(
    database: Database, connection: Connection, database_url: str
) -> None:
    settings = settings_for(database_url, failures_per_minute=2)
    async with site_with(database, connection, settings) as site:
        await member(connection, "kari")
        client = await site.browser("kari")
        for _ in range(2):
            assert (await change(client, old="wrong"))[0] == 400
        answered, body = await change(client)
        assert answered == 429
        assert "Wait" in body["message"]


async def test_strangers_who_guess_do_not_keep_her_from_changing_it(
    database: Database, connection: Connection, database_url: str
) -> None:
    settings = settings_for(database_url, failures_per_minute=2)
    async with site_with(database, connection, settings) as site:
        await member(connection, "kari")
        hers, stranger = await site.browser("kari"), await site.browser()
        for _ in range(3):
            await log_in(stranger, "kari", "wrong")
        assert (await log_in(stranger, "kari")).status == 429
        assert (await change(hers))[0] == 200


async def test_a_password_that_was_changed_meanwhile_stays(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    await member(site.connection, "kari")
    client = await site.browser("kari")
    meanwhile = hash_password("changed by the old web app")

    async def check_and_change(*arguments: Any) -> Any:
        admitted = await admitted_before(*arguments)
        await site.connection.execute("update account set password = %s", [meanwhile])
        return admitted

    admitted_before = new_password.admission.check
    monkeypatch.setattr(new_password.admission, "check", check_and_change)
    answered, body = await change(client)
    assert answered == 400
    assert "a moment ago" in body["message"]
    assert await row(site) == (meanwhile,)


async def test_a_log_in_that_was_under_way_is_too_late(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    await member(site.connection, "kari")
    owner, thief = await site.browser("kari"), await site.browser()

    async def check_and_be_overtaken(*arguments: Any) -> Any:
        admitted = await admitted_before(*arguments)
        monkeypatch.setattr(admission, "check", admitted_before)
        await change(owner)
        return admitted

    admitted_before = admission.check
    monkeypatch.setattr(admission, "check", check_and_be_overtaken)
    assert (await log_in(thief, "kari")).headers["Location"].startswith("/login?")
    assert [await status(one) for one in (owner, thief)] == [200, 401]


async def test_an_old_cookie_that_was_under_way_is_too_late(
    old_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    kari = await member(old_site.connection, "kari")
    owner, thief = await old_site.browser("kari"), await old_site.browser()
    thief.session.cookie_jar.update_cookies({"session": cookie(kari)}, thief.make_url("/"))

    async def read_and_be_overtaken(*arguments: Any, **named: Any) -> Any:
        found = await found_before(*arguments, **named)
        monkeypatch.setattr(queries, "sessions", found_before)
        await change(owner)
        return found

    found_before = queries.sessions
    monkeypatch.setattr(queries, "sessions", read_and_be_overtaken)
    assert (await thief.get("/me", allow_redirects=False)).status == 303
    assert COOKIE not in {morsel.key for morsel in thief.session.cookie_jar}
    assert [await status(one) for one in (owner, thief)] == [200, 401]
