"""Joining, and one's own account: who I am, my password, where I am logged in."""

import asyncio
from typing import Any

import pytest

from console.accounts import settings_queries
from console.accounts.admission import PASSWORDS
from console.accounts.passwords import Verdict
from console.database import Connection, Database
from console.web.user_agent import browser_name
from tests.support.console_app import PASSWORD, Site, log_in, member, served, settings_for, visiting

NEW = {
    "name": "Eva Lunde",
    "username": "eva",
    "email": "eva@example.org",
    "phone": "",
    "password": "a long password",
}


async def test_whoever_joins_is_logged_in(site: Site) -> None:
    client = await site.browser()
    answer = await client.post("/join", data=NEW, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    assert "Eva Lunde" in await (await client.get("/me")).text()


async def test_whoever_presses_join_twice_has_joined(site: Site) -> None:
    client = await site.browser()
    answers = await asyncio.gather(
        *(client.post("/join", data=NEW, allow_redirects=False) for _ in range(2))
    )
    assert [answer.status for answer in answers] == [303, 303]
    assert "Eva Lunde" in await (await client.get("/me")).text()
    for other in ({"password": "another password"}, {"name": "Eva"}, {"email": "e@example.org"}):
        stranger = await site.browser()
        answer = await stranger.post("/join", data=NEW | other, allow_redirects=False)
        assert answer.status == 422
        assert "Username is taken" in await answer.text()
    await site.connection.execute(
        "update access.audit set happened_at = happened_at - interval '61 seconds'"
    )
    later = await (await site.browser()).post("/join", data=NEW, allow_redirects=False)
    assert later.status == 422


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", " ", "Name cannot be empty."),
        ("name", "x" * 101, "Name can have at most 100 characters"),
        ("username", "eva lunde", "Username cannot contain spaces"),
        ("username", "", "Username can only contain"),
        ("username", "_parity", "Username begins with a letter or a digit"),
        ("email", "eva", "Email must look like name@example.org"),
        ("phone", "1" * 51, "Phone can have at most 50 characters"),
        ("phone", "1234", "Phone has at least 5 digits, or is left empty"),
        ("password", "short", "A password has at least 8 characters"),
        ("password", "å" * 37, "A password has at most 72 letters; letters such as å count as two"),
    ],
)
async def test_each_mistake_stands_beside_its_field_and_the_rest_is_kept(
    site: Site, field: str, value: str, words: str
) -> None:
    client = await site.browser()
    answer = await client.post("/join", data={**NEW, field: value})
    text = await answer.text()
    assert answer.status == 422
    assert f'id="{field}-mistake"' in text
    assert words in text
    assert (field == "name") or 'value="Eva Lunde"' in text
    assert "a long password" not in text
    cursor = await site.connection.execute("select from account where username like 'eva%'")
    assert cursor.rowcount == 0


async def test_a_name_or_an_address_that_is_taken_is_said_beside_its_field(site: Site) -> None:
    await member(site.connection, "eva")
    client = await site.browser()
    text = await (await client.post("/join", data={**NEW, "username": "EVA"})).text()
    assert 'id="username-mistake"' in text
    text = await (
        await client.post("/join", data={**NEW, "username": "eva2", "email": "EVA@example.org"})
    ).text()
    assert 'id="email-mistake"' in text


async def test_whoever_tries_too_often_waits_and_types_nothing_again(
    database: Database, database_url: str
) -> None:
    settings = settings_for(database_url, failures_per_minute=1)
    async with served(database, settings) as server, visiting(server) as client:
        await client.post("/join", data=NEW, allow_redirects=False)
        answer = await client.post("/join", data={**NEW, "username": "per"})
        text = await answer.text()
    seconds = answer.headers["Retry-After"]
    assert (answer.status, 0 < int(seconds) <= 60) == (429, True)
    assert f"Too many tries. Wait {seconds} s, then press Join again." in text
    assert 'value="Eva Lunde"' in text
    assert "a long password" not in text


async def row(connection: Connection, username: str) -> tuple[str, str, str]:
    cursor = await connection.execute(
        "select name, email, coalesce(phone, '') from account where username = %s", [username]
    )
    found = await cursor.fetchone()
    assert found is not None
    return found


def version_in(text: str) -> str:
    return text.split('name="version" value="')[1].split('"')[0]


async def test_name_and_phone_are_changed_without_the_password(site: Site) -> None:
    await member(site.connection, "kari", name="Kari")
    client = await site.browser("kari")
    version = version_in(await (await client.get("/me/account")).text())
    changed = {
        "version": version,
        "name": "Kari N",
        "email": "kari@example.org",
        "phone": "98765 (work)",
    }
    answer = await client.post("/me/account/profile", data=changed, allow_redirects=False)
    assert answer.status == 303
    assert await row(site.connection, "kari") == ("Kari N", "kari@example.org", "98765 (work)")
    again = await client.post("/me/account/profile", data=changed, allow_redirects=False)
    assert again.status == 303, "what is so already was saved"


async def test_a_password_that_is_changed_just_then_moves_no_address(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    await member(site.connection, "kari", name="Kari")
    thief, kari = await site.browser("kari"), await site.browser("kari")
    text = await (await thief.get("/me/account")).text()
    passwords = site.app[PASSWORDS]
    verify = passwords.verify

    async def slowly(password: str, stored: str | None) -> Verdict:
        verdict = await verify(password, stored)
        monkeypatch.setattr(passwords, "verify", verify)
        change = {"old": PASSWORD, "new": "another long one"}
        saved = await kari.post("/me/account/password", data=change, allow_redirects=False)
        assert saved.status == 303
        return verdict

    monkeypatch.setattr(passwords, "verify", slowly)
    moved = {"name": "Kari", "email": "thief@example.org", "phone": "", "password": PASSWORD}
    answer = await thief.post(
        "/me/account/profile", data={**moved, "version": version_in(text)}, allow_redirects=False
    )
    assert answer.status != 303
    assert await row(site.connection, "kari") == ("Kari", "kari@example.org", "")


async def test_two_who_take_the_same_address_at_once_are_not_both_given_it(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = settings_queries.set_profile

    async def slowly(conn: Connection, **said: Any) -> None:
        await asyncio.sleep(0.3)
        await stored(conn, **said)

    monkeypatch.setattr(settings_queries, "set_profile", slowly)
    for name in ("kari", "per"):
        await member(site.connection, name, name="K")
    browsers = [await site.browser(name) for name in ("kari", "per")]
    pages = [await (await browser.get("/me/account")).text() for browser in browsers]
    answers = await asyncio.gather(
        *(
            browser.post(
                "/me/account/profile",
                data={
                    "version": version_in(page),
                    "name": "K",
                    "email": email,
                    "phone": "",
                    "password": PASSWORD,
                },
                allow_redirects=False,
            )
            for browser, page, email in zip(
                browsers, pages, ("k@example.org", "K@example.org"), strict=True
            )
        )
    )
    assert sorted(answer.status for answer in answers) == [303, 422]


async def test_what_the_old_web_app_took_may_stay_when_the_rest_is_changed(site: Site) -> None:
    kari = await member(site.connection, "kari", name="Kari")
    await site.connection.execute(
        "update account set email = 'kari', phone = ' 112' where id = %s", [kari]
    )
    client = await site.browser("kari")
    text = await (await client.get("/me/account")).text()
    assert 'type="email"' not in text, "a browser would not send it"
    fields = {"version": version_in(text), "name": "Kari N", "email": "kari", "phone": "112"}
    for field, value in (("email", "kari2"), ("phone", "113")):
        refused = await client.post("/me/account/profile", data={**fields, field: value})
        assert refused.status == 422
        assert f'id="{field}-mistake"' in await refused.text()
    answer = await client.post("/me/account/profile", data=fields, allow_redirects=False)
    assert answer.status == 303
    assert await row(site.connection, "kari") == ("Kari N", "kari", "112")


async def test_another_address_needs_the_password(site: Site) -> None:
    await member(site.connection, "kari", name="Kari")
    client = await site.browser("kari")
    version = version_in(await (await client.get("/me/account")).text())
    changed = {"version": version, "name": "Kari", "email": "new@example.org", "phone": ""}
    for password in ("", "wrong password"):
        answer = await client.post("/me/account/profile", data={**changed, "password": password})
        assert answer.status == 422
        assert 'id="password-mistake"' in await answer.text()
        assert (await row(site.connection, "kari"))[1] == "kari@example.org"
    proven = {**changed, "password": PASSWORD}
    answer = await client.post("/me/account/profile", data=proven, allow_redirects=False)
    assert answer.status == 303
    assert (await row(site.connection, "kari"))[1] == "new@example.org"


async def test_a_form_that_somebody_overtook_is_refused_and_shows_what_there_is_now(
    site: Site,
) -> None:
    await member(site.connection, "kari", name="Kari")
    client = await site.browser("kari")
    version = version_in(await (await client.get("/me/account")).text())
    await site.connection.execute("update account set phone = '12345' where username = 'kari'")
    changed = {"version": version, "name": "K", "email": "kari@example.org", "phone": ""}
    answer = await client.post("/me/account/profile", data=changed)
    text = await answer.text()
    assert answer.status == 422
    assert "Somebody changed this meanwhile" in text
    assert 'value="12345"' in text
    assert (await row(site.connection, "kari"))[0] == "Kari"


async def test_a_new_password_ends_the_sessions_elsewhere(site: Site) -> None:
    await member(site.connection, "kari")
    here, there = await site.browser("kari"), await site.browser("kari")
    wrong = await here.post("/me/account/password", data={"old": "no", "new": "new password"})
    assert 'id="old-mistake"' in await wrong.text()
    short = await here.post("/me/account/password", data={"old": PASSWORD, "new": "new"})
    assert 'id="new-mistake"' in await short.text()
    answer = await here.post(
        "/me/account/password", data={"old": PASSWORD, "new": "new password"}, allow_redirects=False
    )
    assert answer.status == 303
    assert (await here.get("/me", allow_redirects=False)).status == 200
    assert (await there.get("/me", allow_redirects=False)).status == 303
    anew = await site.browser()
    assert (await log_in(anew, "kari", "new password")).headers["Location"] == "/"


async def test_sessions_are_listed_and_ended_one_by_one_or_all_others(site: Site) -> None:
    await member(site.connection, "kari")
    await member(site.connection, "ola")
    here, there, third = [await site.browser("kari") for _ in range(3)]
    hers = await site.browser("ola")
    text = await (await here.get("/me/account")).text()
    ids = [part.split("/")[0] for part in text.split("/me/account/sessions/")[1:]]
    assert len(ids) == 3, "two others, and all others"
    foreign = await hers.post(f"/me/account/sessions/{ids[0]}/end", allow_redirects=False)
    assert foreign.status == 303
    alive = [(await client.get("/me", allow_redirects=False)).status for client in (there, third)]
    assert alive == [200, 200], "nobody ends somebody else's"
    await here.post(f"/me/account/sessions/{ids[0]}/end")
    alive = [(await client.get("/me", allow_redirects=False)).status for client in (there, third)]
    assert sorted(alive) == [200, 303]
    await here.post("/me/account/sessions/others/end")
    alive = [(await client.get("/me", allow_redirects=False)).status for client in (there, third)]
    assert alive == [303, 303]
    assert (await here.get("/me", allow_redirects=False)).status == 200


def test_browsers_have_names_that_people_know() -> None:
    chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36"
    assert browser_name(chrome) == "Chrome on Linux"
    safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Safari/604.1"
    assert browser_name(safari) == "Safari on iPhone"
    assert browser_name("curl/8.1") == "curl/8.1"
    assert browser_name(None) == "a browser that says no name"
