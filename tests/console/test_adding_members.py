"""An admin adds a member, who chooses her password herself."""

import re
from collections.abc import AsyncGenerator

import pytest

from console.accounts.passwords import PasswordThreads
from console.database import Connection, Database
from tests.console.test_accounts_reset import Post, posting, set_password, token_in
from tests.support.console_app import Client, Site, admin, log_in, member

NEW = {"name": "Eva Lunde", "username": "eva", "email": "eva@example.org", "phone": "98765432"}
CHOSEN = "a long password"


@pytest.fixture
async def post(database: Database, connection: Connection) -> AsyncGenerator[Post]:
    await admin(connection, "ola")
    async with posting(database, connection) as post:
        yield post


async def added(site: Site, client: Client, **changed: str) -> tuple[str, str]:
    """The answer to the form, followed to its page: where that is, and its text."""
    answer = await client.post("/members/new", data={**NEW, **changed})
    assert answer.status == 200
    return answer.url.path_qs, await answer.text()


async def account_id(site: Site, username: str = "eva") -> int:
    cursor = await site.connection.execute("select id from account where username = %s", [username])
    found = await cursor.fetchone()
    assert found is not None
    return int(found[0])


async def test_a_member_who_is_added_chooses_her_password_by_a_link_in_a_mail(post: Post) -> None:
    ola = await post.site.browser("ola")
    assert 'href="/members/new"' in await (await ola.get("/members")).text()
    there, text = await added(post.site, ola)
    eva = await account_id(post.site)
    assert there == f"/members/{eva}/account?said=added"
    assert "The account is there. A link to choose its password was sent by mail." in text
    assert "reset_token" not in text, "the link is for her alone"
    [mail] = await post.mails()
    assert mail.recipients == ("<eva@example.org>",)
    assert mail.message["Subject"] == "Your account at Bitraf"
    assert "The account “eva” at Bitraf was made for you." in mail.html
    hers, token = await post.site.browser(), token_in(mail)
    assert (await log_in(hers, "eva", "")).headers["Location"].startswith("/login")
    answer = await set_password(hers, reset_token=token, password=CHOSEN)
    assert answer.headers["Location"] == "/"
    assert (await log_in(hers, "eva", CHOSEN)).headers["Location"] == "/"
    profile = await (await hers.get("/me")).text()
    for fact in NEW.values():
        assert fact in profile, fact
    again = await set_password(hers, reset_token=token, password=CHOSEN)
    assert "recovery-invalid-request" in again.headers["Location"], "the link works once"


async def test_whoever_adds_her_twice_at_once_is_led_to_her_page(post: Post) -> None:
    ola = await post.site.browser("ola")
    await added(post.site, ola)
    there, text = await added(post.site, ola)
    eva = await account_id(post.site)
    assert there == f"/members/{eva}/account"
    assert "reset_token" not in text
    assert len(await post.mails()) == 1
    await admin(post.site.connection, "per")
    for username, changed in (("per", {}), ("ola", {"email": "eva@example.com"})):
        browser = await post.site.browser(username)
        refused = await browser.post("/members/new", data={**NEW, **changed})
        assert refused.status == 422


async def test_who_added_her_is_written_down(post: Post) -> None:
    await added(post.site, await post.site.browser("ola"))
    eva, ola = await account_id(post.site), await account_id(post.site, "ola")
    cursor = await post.site.connection.execute(
        "select actor, doing, operation, coalesce(new ->> 'password', '') from access.audit"
        " where place = 'public.account' and account = %s order by id",
        [eva],
    )
    assert await cursor.fetchall() == [
        (ola, "POST /members/new", "added", "(secret)"),
        (ola, "POST /members/new", "changed", ""),
    ]


async def test_what_is_typed_as_a_password_is_nobodys(post: Post) -> None:
    await added(post.site, await post.site.browser("ola"), password=CHOSEN)
    stored = (await post.row("eva"))[2]
    assert not (await PasswordThreads().verify(CHOSEN, stored)).is_right
    assert not (await PasswordThreads().verify("", stored)).is_right


async def test_a_mail_that_is_not_taken_leaves_the_account_and_a_way_to_try_again(
    post: Post,
) -> None:
    ola = await post.site.browser("ola")
    post.sink.replies["RCPT"] = "550 no"
    there, text = await added(post.site, ola)
    assert "the mail server didn't take the mail" in text.replace("&#39;", "'")
    assert (await post.row("eva"))[0] is None, "no link is out"
    post.sink.replies.clear()
    answer = await ola.post(f"{there.partition('?')[0]}/link")
    assert "A link for a new password was sent by mail." in await answer.text()
    assert token_in((await post.mails())[-1])


async def test_without_mail_an_admin_is_shown_the_link_once(site: Site) -> None:
    await admin(site.connection, "ola")
    ola = await site.browser("ola")
    assert "sends no mail" in await (await ola.get("/members/new")).text()
    _, text = await added(site, ola)
    link = re.search(r'value="(http://[^"]*/reset-password-form\?reset_token=([^"]*))"', text)
    assert link is not None
    eva = await account_id(site)
    assert link[2] not in await (await ola.get(f"/members/{eva}/account")).text()
    cursor = await site.connection.execute("select reset_token from account where username = 'eva'")
    assert (await cursor.fetchone() or [""])[0].startswith("sha256:")
    hers = await site.browser()
    assert (await hers.get(f"/reset-password-form?reset_token={link[2]}")).status == 200
    answer = await set_password(hers, reset_token=link[2], password=CHOSEN)
    assert answer.headers["Location"] == "/"
    assert (await log_in(hers, "eva", CHOSEN)).headers["Location"] == "/"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", " ", "Name cannot be empty."),
        ("username", "eva lunde", "Username cannot contain spaces"),
        ("username", "_eva", "Username begins with a letter or a digit"),
        ("username", "OLA", "Username is taken"),
        ("email", "eva", "Email must look like name@example.org"),
        ("email", "OLA@example.org", "Email is already registered"),
        ("phone", "1" * 51, "Phone can have at most 50 characters"),
        ("phone", "at work", "Phone has at least 5 digits, or is left empty"),
    ],
)
async def test_each_mistake_stands_beside_its_field_and_nobody_is_added(
    site: Site, field: str, value: str, words: str
) -> None:
    await admin(site.connection, "ola")
    client = await site.browser("ola")
    answer = await client.post("/members/new", data={**NEW, field: value})
    text = await answer.text()
    assert answer.status == 422
    assert f'id="{field}-mistake"' in text
    assert words in text
    assert (field == "name") or 'value="Eva Lunde"' in text
    cursor = await site.connection.execute("select from account where username like 'eva%'")
    assert cursor.rowcount == 0


async def test_only_admins_add_members(site: Site) -> None:
    await member(site.connection, "kari")
    kari = await site.browser("kari")
    assert (await kari.post("/members/new", data=NEW)).status == 403
    assert "/members/new" not in await (await kari.get("/members")).text()
