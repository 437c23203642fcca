"""An admin changes a member's account: who she is, where she is logged in, a new password."""

import asyncio
import re
from collections.abc import AsyncGenerator

import pytest

from console.accounts.reset import RESETS
from console.database import Connection, Database
from tests.console.test_accounts_reset import Post, posting, set_password, token_in
from tests.console.test_own_account import row, version_in
from tests.support import makerspace
from tests.support.console_app import Client, Site, admin, log_in, member

NEW_PASSWORD = "a longer one than before"


@pytest.fixture
async def post(database: Database, connection: Connection) -> AsyncGenerator[Post]:
    await admin(connection, "ola")
    async with posting(database, connection) as post:
        yield post


async def save(client: Client, path: str, **changed: str) -> tuple[int, str]:
    """Sends the form of Kari as it is shown, but for what is changed; follows the answer."""
    shown = await (await client.get(path)).text()
    fields = {"name": "Kari", "email": "kari@example.org", "phone": ""}
    async with client.post(path, data={"version": version_in(shown), **fields, **changed}) as got:
        return got.status, (await got.text()).replace("&#39;", "'")


async def kari_of(site: Site, *circles: str) -> str:
    """The page of Kari's account, who is in these circles."""
    kari = await member(site.connection, "kari", name="Kari")
    for name in circles:
        circle = name if name == "admin" else await makerspace.circle(site.connection, name=name)
        await makerspace.circle_member(site.connection, account=kari, circle=circle)
    return f"/members/{kari}/account"


async def test_an_admin_changes_a_name_and_a_phone_number_from_her_page(site: Site) -> None:
    await admin(site.connection, "ola")
    path, ola = await kari_of(site), await site.browser("ola")
    her_page = await (await ola.get(path.removesuffix("/account"))).text()
    assert f'href="{path}"' in her_page
    status, text = await save(ola, path, name="Kari N", phone="98765432")
    assert (status, "Saved." in text) == (200, True)
    assert await row(site.connection, "kari") == ("Kari N", "kari@example.org", "98765432")
    cursor = await site.connection.execute(
        "select a.username, u.doing, u.old, u.new from access.audit u"
        " join account a on a.id = u.actor"
    )
    assert await cursor.fetchall() == [
        (
            "ola",
            "POST /members/{account}/account",
            {"name": "Kari", "phone": None},
            {"name": "Kari N", "phone": "98765432"},
        )
    ]


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", " "), ("phone", "1" * 51), ("email", "kari"), ("email", "OLA@example.org")],
)
async def test_what_an_account_cant_be_like_stands_beside_the_field(
    site: Site, field: str, value: str
) -> None:
    await admin(site.connection, "ola")
    path, ola = await kari_of(site), await site.browser("ola")
    status, text = await save(ola, path, **{field: value})
    assert status == 422
    assert f'id="{field}-mistake"' in text
    assert await row(site.connection, "kari") == ("Kari", "kari@example.org", "")


async def test_a_form_that_somebody_overtook_is_refused_and_nobody_is_told(post: Post) -> None:
    path, ola = await kari_of(post.site), await post.site.browser("ola")
    version = version_in(await (await ola.get(path)).text())
    await post.site.connection.execute("update account set phone = '12345' where username = 'kari'")
    late = {"version": version, "name": "K", "email": "other@example.org", "phone": ""}
    answer = await ola.post(path, data=late)
    text = await answer.text()
    assert answer.status == 422
    assert "Somebody changed this meanwhile" in text
    assert 'value="12345"' in text
    assert await row(post.site.connection, "kari") == ("Kari", "kari@example.org", "12345")
    assert post.sink.mails == []


async def test_another_address_is_told_to_the_old_one(post: Post) -> None:
    path, ola = await kari_of(post.site, "admin"), await post.site.browser("ola")
    status, text = await save(ola, path, email="other@example.org")
    assert (status, "was sent a mail that says so" in text) == (200, True)
    [mail] = await post.mails()
    assert mail.recipients == ("<kari@example.org>",)
    assert "gives your account “kari” at Bitraf another e-mail address" in mail.html
    assert "other@example.org" not in mail.html
    assert (await row(post.site.connection, "kari"))[1] == "other@example.org"


@pytest.mark.parametrize("circle", ["admin", "despot"])
async def test_whoever_has_a_role_keeps_her_address_where_the_old_one_cant_be_told(
    post: Post, circle: str
) -> None:
    path, ola = await kari_of(post.site, circle), await post.site.browser("ola")
    post.sink.replies["RCPT"] = "550 no"
    status, text = await save(ola, path, email="other@example.org", phone="98765432")
    assert status == 422
    assert 'id="email-mistake"' in text
    assert f"in the circle “{circle}” is told to the old one first" in text
    assert await row(post.site.connection, "kari") == ("Kari", "kari@example.org", "")
    assert (await save(ola, path, phone="98765432"))[0] == 200, "the rest may be changed"


async def test_the_address_of_a_mere_member_is_changed_all_the_same_and_it_is_said(
    post: Post,
) -> None:
    path, ola = await kari_of(post.site, "workshop"), await post.site.browser("ola")
    post.sink.replies["RCPT"] = "550 no"
    status, text = await save(ola, path, email="other@example.org")
    assert (status, "tell her yourself" in text) == (200, True)
    assert (await row(post.site.connection, "kari"))[1] == "other@example.org"


async def test_an_admin_has_a_link_for_a_new_password_sent(post: Post) -> None:
    path, ola = await kari_of(post.site, "admin"), await post.site.browser("ola")
    kari = await post.site.browser("kari")
    text = await (await ola.post(f"{path}/link")).text()
    assert "A link for a new password was sent by mail." in text
    assert "reset_token" not in text
    [mail] = await post.mails()
    assert mail.recipients == ("<kari@example.org>",)
    assert (await kari.get("/me", allow_redirects=False)).status == 200, "until she uses it"
    anew = await post.site.browser()
    await set_password(anew, reset_token=token_in(mail), password=NEW_PASSWORD)
    assert (await log_in(anew, "kari", NEW_PASSWORD)).headers["Location"] == "/"
    assert (await kari.get("/me", allow_redirects=False)).status == 303


async def test_a_link_that_went_to_a_wrong_address_is_void_once_the_address_is_another(
    post: Post,
) -> None:
    path, ola = await kari_of(post.site), await post.site.browser("ola")
    await ola.post(f"{path}/link")
    [mail] = await post.mails()
    await save(ola, path, phone="98765432")
    stranger = await post.site.browser()
    form = f"/reset-password-form?reset_token={token_in(mail)}"
    assert (await stranger.get(form, allow_redirects=False)).status == 200
    await save(ola, path, email="right@example.org", phone="98765432")
    assert (await stranger.get(form, allow_redirects=False)).status == 302
    answer = await set_password(stranger, reset_token=token_in(mail), password=NEW_PASSWORD)
    assert "recovery-invalid-request" in answer.headers["Location"]


async def test_only_so_many_links_are_sent_to_one_person(
    database: Database, connection: Connection
) -> None:
    await admin(connection, "ola")
    async with posting(database, connection, often=2) as post:
        path, ola = await kari_of(post.site), await post.site.browser("ola")
        for _ in range(2):
            assert (await ola.post(f"{path}/link")).status == 200
        answer = await ola.post(f"{path}/link")
        assert (answer.status, "Too often. Wait" in await answer.text()) == (429, True)
        anne = await member(connection, "anne")
        assert (await ola.post(f"/members/{anne}/account/link")).status == 200
        await post.site.app[RESETS].close()
        assert len(post.sink.mails) == 3


async def test_without_mail_the_link_of_a_mere_member_is_shown_and_no_other(site: Site) -> None:
    await admin(site.connection, "ola")
    kari, ola = await kari_of(site, "workshop"), await site.browser("ola")
    text = await (await ola.post(f"{kari}/link")).text()
    token = re.search(r"reset_token=([^\"]*)\"", text)
    assert token is not None
    assert token[1] not in await (await ola.get(kari)).text()
    anew = await site.browser()
    await set_password(anew, reset_token=token[1], password=NEW_PASSWORD)
    assert (await log_in(anew, "kari", NEW_PASSWORD)).headers["Location"] == "/"
    anne = await admin(site.connection, "anne")
    answer = await ola.post(f"/members/{anne}/account/link")
    text = await answer.text()
    assert (answer.status, "reset_token" in text) == (422, False)
    assert "somebody in the circle “admin” is shown to nobody else" in text
    cursor = await site.connection.execute(
        "select reset_token from account where username = 'anne'"
    )
    assert await cursor.fetchall() == [(None,)]


async def test_somebodys_sessions_are_seen_and_ended_one_by_one_or_all(site: Site) -> None:
    await admin(site.connection, "ola")
    path, ola = await kari_of(site), await site.browser("ola")
    browsers = [await site.browser("kari") for _ in range(3)]

    async def alive() -> list[int]:
        found = [browser.get("/me", allow_redirects=False) for browser in browsers]
        return sorted([answer.status for answer in await asyncio.gather(*found)])

    await site.connection.execute("update access.session set address = '203.0.113.5'")
    text = await (await ola.get(path)).text()
    assert text.count("from 203.0.113.5") == 3
    ids = re.findall(rf"{path}/sessions/([0-9a-f]+)/end", text)
    assert len(ids) == 3
    own = await ola.get("/me/account")
    mine = await member(site.connection, "anne")
    await ola.post(f"/members/{mine}/account/sessions/{ids[0]}/end")
    assert await alive() == [200, 200, 200], "those are Kari's"
    assert "Logged out there." in await (await ola.post(f"{path}/sessions/{ids[0]}/end")).text()
    assert await alive() == [200, 200, 303]
    await ola.post(f"{path}/sessions/end")
    assert await alive() == [303, 303, 303]
    assert own.status == (await ola.get("/me/account")).status == 200


async def test_an_admins_own_account_is_changed_where_it_needs_the_password(site: Site) -> None:
    ola = await admin(site.connection, "ola")
    client, path = await site.browser("ola"), f"/members/{ola}/account"
    asked = (
        ("GET", path),
        ("POST", path),
        *(("POST", f"{path}/{rest}") for rest in ("link", "sessions/0/end", "sessions/end")),
    )
    body = {"name": "Ola", "email": "other@example.org", "phone": "", "version": ""}
    for method, there in asked:
        answer = await client.request(method, there, data=body, allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (303, "/me/account"), there
    assert (await row(site.connection, "ola"))[1] == "ola@example.org"
    assert (await client.get("/me", allow_redirects=False)).status == 200
