"""Pages of people: who sees what of whom, and in which words."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from console.accounts.passwords import PasswordThreads
from console.database import Connection, Database
from console.errors import BadRequest
from console.membership.standing import Facts, standing
from console.people.commands import add_account
from tests.support import makerspace
from tests.support.console_app import PASSWORD, Site, admin, log_in, member

NOW = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>'\"&{{7*7}}"
ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt;&#39;&#34;&amp;{{7*7}}"


def sentence(*, days: float | None = None, companies: tuple[str, ...] = ()) -> tuple[bool, str]:
    paid_until = None if days is None else NOW + timedelta(days=days)
    found = standing(Facts(paid_until, companies), NOW)
    return found.is_active, found.sentence


def test_a_membership_is_told_in_one_sentence() -> None:
    assert sentence() == (False, "No membership")
    assert sentence(days=2) == (True, "Paid until 3 December")
    assert sentence(days=40) == (True, "Paid until 10 January 2027")
    assert sentence(companies=("Acme AS",)) == (True, "Employed by Acme AS")
    assert sentence(days=2, companies=("Acme", "Bolt")) == (
        True,
        "Employed by Acme and Bolt; paid until 3 December",
    )


def test_the_day_of_slack_is_named_with_its_end() -> None:
    is_active, words = sentence(days=-0.5)
    assert is_active
    assert re.fullmatch(
        r"Payment ended \d+ (Nov|Dec)ember; doors work until \D*\d.*\d\d:\d\d", words
    )
    assert sentence(days=-1.01) == (False, "Membership ended 30 November")
    assert sentence(days=-9, companies=("Acme",))[0]


async def test_members_see_names_and_circles_but_nothing_private(site: Site) -> None:
    await member(site.connection, "kari")
    anne = await makerspace.account(
        site.connection, username="anne", name="Anne Hansen", email="anne@secret.example"
    )
    await site.connection.execute("update account set phone = '98765432' where id = %s", [anne])
    await makerspace.circle_member(site.connection, account=anne)
    await makerspace.payment(site.connection, account=anne)
    await makerspace.card(site.connection, account=anne, label="blue fob")
    client = await site.browser("kari")
    pages = [await (await client.get(path)).text() for path in ("/members", f"/members/{anne}")]
    for page in pages:
        assert "Anne Hansen" in page
        assert "door" in page
        for private in ("secret.example", "98765432", "Paid until", "blue fob", "kr\xa0500"):
            assert private not in page, private


@pytest.mark.parametrize("username", ["ola", "anne"])
async def test_admins_and_the_person_herself_see_all_of_it(site: Site, username: str) -> None:
    await admin(site.connection, "ola")
    anne = await member(site.connection, "anne", name="Anne Hansen")
    await site.connection.execute("update account set phone = '98765432' where id = %s", [anne])
    await makerspace.payment(site.connection, account=anne, amount=350)
    await makerspace.card(site.connection, account=anne, label="blue fob")
    client = await site.browser(username)
    page = await (await client.get(f"/members/{anne}")).text()
    for private in ("anne@example.org", "98765432", "Paid until", "blue fob", "kr\xa0350"):
        assert private in page, private
    if username == "anne":
        assert "that is you" in await (await client.get("/me")).text()


@pytest.mark.parametrize(
    ("start", "end"),
    [("-infinity", "infinity"), ("2026-01-01", "9999-12-31"), ("20000-01-01", "30000-01-01")],
)
async def test_a_membership_without_an_end_breaks_no_page(site: Site, start: str, end: str) -> None:
    ola = await admin(site.connection, "ola")
    payment = await makerspace.payment(site.connection, account=ola)
    await site.connection.execute(
        "update stripe_payment set start_date = %s, end_date = %s where id = %s",
        [start, end, payment],
    )
    await site.connection.execute("update circle_member set created_at = 'infinity'")
    client = await site.browser("ola")
    for path in ("/", "/me", "/members", "/circles/1"):
        assert (await client.get(path)).status == 200, path


async def test_a_payment_counts_on_pages_as_soon_as_it_does_at_doors(site: Site) -> None:
    await admin(site.connection, "ola")
    client = await site.browser("ola")
    now = datetime.now(UTC)
    for hours, is_paying in ((0, True), (1, False)):
        begins = now + timedelta(hours=hours)
        someone = await makerspace.account(site.connection, username=f"in-{hours}-hours")
        await makerspace.payment(site.connection, account=someone, start=begins)
        page = await (await client.get(f"/members/{someone}")).text()
        assert ("Paid until" in page, "Paid from" in page) == (is_paying, not is_paying)


@pytest.mark.parametrize(
    ("amount", "shown"), [("-5.50", "\u2212kr\xa05.50"), ("0.05", "kr\xa00.05"), ("NaN", "–")]
)
async def test_an_odd_amount_is_shown_as_it_is(site: Site, amount: str, shown: str) -> None:
    ola = await admin(site.connection, "ola")
    await makerspace.payment(site.connection, account=ola, amount=Decimal(amount))
    page = await (await (await site.browser("ola")).get("/me")).text()
    assert f'<td class="number">{shown}</td>' in page
    assert ("Paid until" in page) == (amount == "0.05")


async def test_people_are_found_by_name_and_user_name(site: Site) -> None:
    await admin(site.connection, "ola")
    await member(site.connection, "kari", name="Kari Åsen")
    await member(site.connection, "per", name="Per")
    client = await site.browser("ola")
    for text, found in (
        ("åsen", ["Kari Åsen"]),
        ("KAR", ["Kari Åsen"]),
        ("per", ["Per"]),
        ("%", []),
        ("_", []),
        ("\\", []),
        ("", ["Kari Åsen", "Ola", "Per"]),
    ):
        page = await (await client.get("/members", params={"q": text})).text()
        listed = re.findall(r'href="/members/\d+">.*?<strong>(.*?)</strong>', page, re.DOTALL)
        assert listed == found, text
        assert "system" not in listed


async def test_a_hostile_name_is_only_ever_text(site: Site) -> None:
    await admin(site.connection, "ola")
    await makerspace.controller(site.connection)
    evil = await makerspace.account(site.connection, username="evil", name=HOSTILE)
    circle = await makerspace.circle(site.connection, name="<i>x</i>", admin_circle=1)
    await makerspace.circle_member(site.connection, account=evil, circle=circle)
    await makerspace.card(site.connection, account=evil, label=HOSTILE)
    await site.connection.execute("update circle_member set comment = %s", [HOSTILE])
    client = await site.browser("ola")
    for path in (
        "/members",
        f"/members/{evil}",
        "/circles",
        f"/circles/{circle}",
        f"/members?q={'%3Cscript%3E'}",
        "/suggestions/people?username=evil",
    ):
        page = await (await client.get(path)).text()
        assert "<script>alert" not in page, path
        assert "<i>x</i>" not in page, path
    assert ESCAPED in await (await client.get(f"/members/{evil}")).text()


async def accounts(connection: Connection) -> int:
    cursor = await connection.execute("select count(*) from account")
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


async def test_an_account_made_at_the_prompt_can_log_in_and_is_in_its_circles(
    site: Site, database: Database
) -> None:
    account_id = await add_account(
        database,
        username="Ola.N",
        email="ola@example.org",
        name="Ola Nordmann",
        circles=["admin", "door", "door"],
        password=PASSWORD,
    )
    client = await site.browser()
    assert (await log_in(client, "ola.n")).status == 302
    assert (await client.get("/cards/unknown")).status == 200
    cursor = await site.connection.execute(
        "select circle, created_by from circle_member where account = %s order by circle",
        [account_id],
    )
    assert await cursor.fetchall() == [(1, makerspace.SYSTEM), (2, makerspace.SYSTEM)]
    cursor = await site.connection.execute(
        "select password from account where id = %s", [account_id]
    )
    row = await cursor.fetchone()
    assert row is not None
    assert row[0].startswith("$2b$12$")


async def test_an_account_that_breaks_a_rule_is_not_made(
    database: Database, connection: Connection
) -> None:
    await makerspace.account(connection, username="Kari", email="Kari@Example.org")
    good = {
        "username": "ola",
        "email": "ola@example.org",
        "name": "Ola",
        "password": PASSWORD,
    }
    before = await accounts(connection)
    for change, words in (
        ({"username": "kARI"}, "Username is taken"),
        ({"email": "kari@example.ORG"}, "Email is already registered"),
        ({"name": "  "}, "Name cannot be empty."),
        ({"username": "o la"}, "Username cannot contain spaces"),
        ({"username": "ola\n"}, "Username can only contain"),
        ({"username": "ø"}, "Username can only contain"),
        ({"username": ""}, "Username can only contain"),
        ({"username": "x" * 51}, "at most 50"),
        ({"email": "nothing"}, "name@example.org"),
        ({"email": "a@b\n"}, "name@example.org"),
        ({"email": "x@" + "y" * 120}, "at most 120"),
        ({"name": "x" * 101}, "at most 100"),
        ({"name": "a\0b"}, "printable"),
        ({"password": ""}, "empty"),
        ({"password": "nul\0nul\0nul"}, "NUL"),
        ({"password": "\ud800" * 8}, "UTF-8"),
    ):
        with pytest.raises(BadRequest, match=re.escape(words)):
            await add_account(database, circles=[], **{**good, **change})
    with pytest.raises(BadRequest, match="No such circle: Door"):
        await add_account(database, circles=["door", "Door"], **good)
    assert await accounts(connection) == before


async def test_a_name_that_somebody_takes_at_that_moment_is_not_given_twice(
    site: Site, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed = PasswordThreads.hash

    async def slowly(self: PasswordThreads, password: str) -> str:
        monkeypatch.setattr(PasswordThreads, "hash", hashed)
        joined = {"name": "K", "username": "kari", "email": "k@example.org", "password": PASSWORD}
        answer = await (await site.browser()).post("/join", data=joined, allow_redirects=False)
        assert answer.status == 303
        return await hashed(self, password)

    monkeypatch.setattr(PasswordThreads, "hash", slowly)
    with pytest.raises(BadRequest, match="Username is taken"):
        await add_account(
            database, username="Kari", email="x@y", name="Kari", circles=[], password=PASSWORD
        )


async def test_every_mistake_of_a_new_account_is_named_at_once(database: Database) -> None:
    with pytest.raises(BadRequest, match=r"spaces; .*example\.org; Name cannot .*; A password"):
        await add_account(database, username="a b", email="x", name="", circles=[], password="")
