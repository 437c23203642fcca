"""The page of changes: who sees it, how a change is told, how one is found."""

import re
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest

from console.audit.change import ChangeRow, Thing
from console.audit.routes import LOOKED_AT, PAGE_CHANGES, PERSON_CHANGES
from console.audit.search import Days, Typed, read_days
from console.audit.wording import tell
from console.database import Author, Database
from tests.support import makerspace
from tests.support.console_app import Site, admin, member, see_and_save

NOW = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>"
PATH = "/log/changes"


def row(place: str, operation: str, **of: Any) -> ChangeRow:
    given: dict[str, Any] = {
        "id": 1,
        "happened_at": NOW,
        "actor": 7,
        "actor_name": "Ola",
        "address": "10.0.0.5",
        "doing": "POST /x",
        "object": "12",
        "account": None,
        "account_name": None,
        "old": None,
        "new": None,
        "about": None,
    }
    return ChangeRow(**(given | of), place=place, operation=operation)


KNOWN = {
    (Thing.CIRCLE, "5"): "laser",
    (Thing.ACCOUNT, "9"): "Kari",
    (Thing.POINT, "front"): "Front door",
    (Thing.CARD, "3"): "blue fob",
}
KARI: dict[str, Any] = {"account": 9, "account_name": "Kari"}


def said(place: str, operation: str, **of: Any) -> str:
    told = tell(row(place, operation, **of), KNOWN, NOW)
    return f"{told.who} {told.did}"


def test_a_change_is_a_sentence_with_before_and_after():
    about = {"about": {"circle": 5}}
    assert (
        said(
            *("public.circle_member", "changed"),
            **KARI,
            **about,
            old={"comment": None},
            new={"comment": "helps on Thursdays"},
        )
        == "Ola changed the circle laser of Kari: comment nothing → “helps on Thursdays”"
    )
    assert said("public.circle_member", "added", **KARI, new={"circle": 5, "account": 9}) == (
        "Ola added Kari to the circle laser"
    )
    assert said("access.door_circle", "removed", old={"door": "front", "circle": 5}) == (
        "Ola no longer lets the circle laser open Front door"
    )
    hours = {"door": "front", "weekday": 2, "opens_minute": 1080, "closes_minute": 1320}
    assert said("access.open_hours", "added", new=hours) == (
        "Ola set open hours of Front door: tue 18:00-22:00"
    )
    assert said("access.break_glass_card", "added", **KARI, new={"slot": 1, "card": 3}) == (
        "Ola made Kari's card blue fob a break-glass card"
    )
    assert (
        said("access.card", "added", **KARI, new={"label": ""}) == "Ola gave Kari the card no. 12"
    )
    order = {"point": "front", "operation": "lockdown", "controller": "front-pi"}
    assert said("access.command", "added", new=order) == (
        "Ola gave Front door the order “lock down”"
    )


def test_moments_yes_and_no_and_names_are_words():
    told = said(
        *("public.company", "changed"),
        about={"name": "Acme"},
        old={"active": True, "contact": 9, "started": "2026-12-01T09:00:00+00:00"},
        new={"active": False, "contact": 10, "started": None},
    )
    assert told.startswith(
        "Ola changed the company Acme: active yes → no, contact Kari → no. 10, started today "
    )
    assert told.endswith(":00 → nothing")


def test_a_secret_is_said_to_have_changed():
    told = said(
        *("public.account", "changed"),
        **KARI,
        old={"password": "(secret)", "reset_token": None},
        new={"password": "(secret)", "reset_token": "(secret)"},
    )
    assert told == (
        "Ola changed the account of Kari: password (secret), link for a new password (secret)"
    )


def test_a_sentence_stays_short_however_much_changed():
    columns = {f"c{number}": "x" * 5000 for number in range(5)}
    told = said("public.circle", "changed", about={"name": "laser"}, old=columns, new=columns)
    assert told.endswith(", 2 more")
    assert len(told) < 600


def test_whoever_did_it_has_a_name():
    def who(**of: Any) -> str:
        return tell(row("public.circle", "added", new={"name": "x"}, **of), KNOWN, NOW).who

    assert who() == "Ola"
    assert who(actor_name=None) == "account no. 7"
    nobody: dict[str, Any] = {"actor": None, "actor_name": None}
    assert who(**nobody) == "Somebody who was not logged in"
    assert who(**nobody, doing=None) == "The program"
    assert who(**nobody, doing="p2k16-console doors add") == "Somebody at the server's prompt"
    assert who(**nobody, doing="POST /membership/stripe/webhook") == "Stripe"


def test_a_table_without_words_is_told_anyway():
    assert said("access.locker", "added", new={"id": 12}) == "Ola added 12 in access.locker"
    assert said("public.circle", "added", new={}) == "Ola made the circle ?"


def test_days_are_read_in_the_zone_of_the_space():
    both = read_days(Typed(since="2026-11-30", until="2026-12-01"), UTC)
    assert both == Days(datetime(2026, 11, 30, tzinfo=UTC), datetime(2026, 12, 2, tzinfo=UTC))
    assert read_days(Typed(), UTC) == Days(None, None)


@pytest.mark.parametrize(
    "text", ["2026-13-01", "yesterday", "0001-01-01", "9999-12-31", "20261201"]
)
def test_what_is_no_day_is_refused(text: str):
    wrong = read_days(Typed(since=text), UTC)
    assert not isinstance(wrong, Days)
    assert set(wrong) == {"since"}


async def changed(
    database: Database, statement: str, *values: object, by: Author | None = None
) -> None:
    async with database.writing(by=by) as conn:
        await conn.execute(statement.encode(), values)


def sentences(page: str) -> list[str]:
    found = re.findall(r'<div class="grow">(.*?)(?:<details|</div>)', page, re.DOTALL)
    told = [re.sub(r"<small>.*?</small>", "", one, flags=re.DOTALL) for one in found]
    return [unescape(re.sub(r"<[^>]+>", "", one)).strip() for one in told]


async def test_it_is_for_admins(site: Site):
    await member(site.connection, "kari")
    await admin(site.connection, "ola")
    assert (await (await site.browser("kari")).get(PATH)).status == 403
    ola = await site.browser("ola")
    answer = await ola.get(PATH)
    assert answer.status == 200
    assert "Nothing was changed yet" in await answer.text()
    assert PATH in await (await ola.get("/run")).text()
    assert PATH not in await (await (await site.browser("kari")).get("/run")).text()


async def test_what_an_admin_does_is_told_at_once_and_on_the_persons_page(site: Site):
    kari = await member(site.connection, "kari", name="Kari Nordmann")
    await admin(site.connection, "ola")
    ola = await site.browser("ola")
    fields = {"username": "kari", "comment": HOSTILE}
    await see_and_save(ola, "/circles/1/members", data=fields)
    page = await (await ola.get(PATH)).text()
    assert sentences(page) == ["Ola added Kari Nordmann to the circle admin"]
    assert "127.0.0.1" in page
    assert "POST /circles/{circle}/members" in page
    assert HOSTILE not in page
    hers = await (await ola.get(f"/members/{kari}")).text()
    assert "Ola added Kari Nordmann to the circle admin" in sentences(hers)
    assert f"{PATH}?person=%40kari" in hers


async def test_others_do_not_see_what_was_changed_about_a_person(site: Site, database: Database):
    kari = await member(site.connection, "kari")
    await changed(database, "update account set phone = '98765432' where id = %s", kari)
    page = await (await (await site.browser("kari")).get("/me")).text()
    assert "What was changed" not in page


async def test_a_persons_page_shows_the_latest_and_only_hers(site: Site, database: Database):
    kari, ola = await member(site.connection, "kari"), await admin(site.connection, "ola")
    by = Author(kari, "10.0.0.5", "POST /x")
    await changed(database, "update account set phone = '1' where id = %s", ola, by=by)
    browser = await site.browser("ola")
    assert (
        "Nothing about Kari was changed yet" in await (await browser.get(f"/members/{kari}")).text()
    )
    for number in range(PERSON_CHANGES + 2):
        await changed(database, "update account set phone = %s where id = %s", number, kari)
    told = sentences(await (await browser.get(f"/members/{kari}")).text())
    assert len(told) == PERSON_CHANGES
    assert told[0].endswith(f"→ “{PERSON_CHANGES + 1}”")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["wood", "phone", "metal"]),
        ("person=kari", ["phone", "metal"]),
        ("person=Kari+Nordmann&place=public.circle", ["metal"]),
        ("place=public.account", ["phone"]),
        ("text=9876", ["phone"]),
        ("text=METAL", ["metal"]),
        ("text=x/metal", ["metal"]),
        ("text=10.0.0.7", ["metal"]),
        ("text=nordmann", ["phone", "metal"]),
        ("text=100%25", []),
        ("place=public.session", ["wood", "phone", "metal"]),
        ("until=2026-01-31", ["metal"]),
        ("since=2026-02-01&until=2026-02-28", ["phone"]),
        ("since=2026-02-01", ["wood", "phone"]),
        ("until=2025-12-31", []),
        ("before=abc&text=", ["wood", "phone", "metal"]),
    ],
)
async def test_changes_are_found(site: Site, database: Database, query: str, found: list[str]):
    """Kari made a circle in January; in February her phone was changed; later Ola made one."""
    kari = await member(site.connection, "kari", name="Kari Nordmann")
    ola = await admin(site.connection, "ola")
    async with database.writing(by=Author(kari, "10.0.0.7", "POST /x/metal")) as conn:
        await makerspace.circle(conn, name="metal")
    await changed(database, "update account set phone = '98765432' where id = %s", kari)
    async with database.writing(by=Author(ola, None, "POST /wood")) as conn:
        await makerspace.circle(conn, name="wood")
    for name, day in (("metal", "2026-01-15"), ("98765432", "2026-02-15"), ("wood", "2026-03-15")):
        await site.connection.execute(
            "update access.audit set happened_at = %s::timestamptz where new::text like %s",
            [f"{day} 12:00Z", f"%{name}%"],
        )
    answer = await (await site.browser("ola")).get(f"{PATH}?{query}")
    told = sentences(await answer.text())
    assert answer.status == 200
    assert [
        next(word for word in ("wood", "phone", "metal") if word in one) for one in told
    ] == found


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("person=nobody", "Nobody is called “nobody”"),
        ("since=soon", "A day is written like 2026-12-24."),
        ("since=2026-02-02&until=2026-02-01", "This is before the first day."),
    ],
)
async def test_what_cannot_be_meant_is_said_beside_its_field(site: Site, query: str, words: str):
    await admin(site.connection, "ola")
    answer = await (await site.browser("ola")).get(f"{PATH}?{query}")
    page = await answer.text()
    assert answer.status == 422
    assert words in page
    assert 'aria-describedby="mistake-' in page
    name, _, value = query.rpartition("&")[2].partition("=")
    assert re.search(rf'name="{name}"[^>]* value="{value}"', page), "what was typed is kept"


async def test_older_ones_follow_page_by_page_each_once(site: Site, database: Database):
    await admin(site.connection, "ola")
    count = 2 * PAGE_CHANGES + 5
    await changed(
        database,
        "insert into circle (created_at, created_by, updated_at, updated_by, name,"
        " management_style) select now(), 3, now(), 3, 'c' || i, 'SELF_ADMIN'"
        " from generate_series(1, %s) i",
        count,
    )
    # All at the same moment: the number decides.
    await site.connection.execute("update access.audit set happened_at = now()")
    browser = await site.browser("ola")
    path, seen = f"{PATH}?place=public.circle", list[str]()
    pages = 0
    while path:
        page = await (await browser.get(path)).text()
        assert len(page) < 100_000
        seen += sentences(page)
        pages += 1
        following = re.search(r'href="([^"]+)" rel="next"', page)
        path = unescape(following[1]) if following else ""
    assert pages == 3
    assert seen == [f"The program made the circle c{number}" for number in range(count, 0, -1)]


async def test_a_text_is_looked_for_in_so_many_then_in_the_next(site: Site, database: Database):
    await admin(site.connection, "ola")
    await changed(
        database,
        "insert into circle (created_at, created_by, updated_at, updated_by, name,"
        " management_style) values (now(), 3, now(), 3, 'needle', 'SELF_ADMIN')",
    )
    await site.connection.execute(
        "insert into access.audit (place, object, operation, new)"
        " select 'public.circle', i, 'added', '{}' from generate_series(1, %s) i",
        [LOOKED_AT],
    )
    browser = await site.browser("ola")
    first = await (await browser.get(f"{PATH}?text=needle")).text()
    assert "No change fits so far" in first
    assert "Looked at all that was changed since" in first
    following = re.search(r'href="([^"]+)" rel="next"', first)
    assert following is not None
    second = await (await browser.get(unescape(following[1]))).text()
    assert sentences(second) == ["The program made the circle needle"]
    assert 'rel="next"' not in second


async def test_a_name_of_what_is_gone_is_still_known(site: Site, database: Database):
    await admin(site.connection, "ola")
    kari = await member(site.connection, "kari")
    async with database.writing() as conn:
        circle = await makerspace.circle(conn, name="short-lived")
        await makerspace.circle_member(conn, account=kari, circle=circle)
        await conn.execute("delete from circle_member where circle = %s", [circle])
        await conn.execute("delete from circle where id = %s", [circle])
    told = sentences(await (await (await site.browser("ola")).get(PATH)).text())
    assert told[:2] == [
        "The program removed the circle short-lived",
        "The program removed Kari from the circle short-lived",
    ]
