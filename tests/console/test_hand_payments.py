"""Payments that the treasurer enters by hand: cash, a transfer to the bank account."""

import asyncio
import html
import re
from collections.abc import AsyncGenerator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from aiohttp import ClientResponse
from hypothesis import given
from hypothesis import strategies as st

from console.database import Connection, Database
from console.membership.hand_payment import Entry, Typed, months_later, offered, read
from console.rights.access import standings
from console.rights.publish import unix_ms
from tests.console.test_own_account import version_in
from tests.support import makerspace
from tests.support.console_app import see_and_save
from tests.support.paying_site import PayingSite, paying_site

TODAY = date(2026, 12, 1)
OSLO = ZoneInfo("Europe/Oslo")
DAY = timedelta(days=1)


def typed(first: str = "2026-12-01", last: str = "2026-12-31", amount: str = "500") -> Typed:
    return Typed(first, last, amount)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("500", "500"),
        ("499,50", "499.50"),
        ("499.5", "499.5"),
        (" 1 200 ", "1200"),
        ("0.01", ".01"),
    ],
)
def test_an_amount_is_typed_with_a_point_or_a_comma(text: str, amount: str):
    entry = read(typed(amount=text), TODAY)
    assert isinstance(entry, Entry)
    assert entry.amount == Decimal(amount)


@pytest.mark.parametrize(
    "text", ["", "-5", "0", "0,00", "1e3", "NaN", "five", "1,234.50", "1000000", "5.005", "٥٠٠"]
)
def test_what_is_no_amount_of_crowns_is_refused(text: str):
    entry = read(typed(amount=text), TODAY)
    assert isinstance(entry, Mapping)
    assert set(entry) == {"amount"}


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [
        ("", "2026-12-31", "from"),
        ("2026-02-30", "2026-12-31", "from"),
        ("2026-12-01", "yesterday", "until"),
        ("2026-12-02", "2026-12-01", "until"),
        ("2026-12-01", "2028-01-01", "until"),
        ("2025-10-31", "2025-11-30", "from"),
        ("2028-01-02", "2028-02-01", "from"),
        ("9999-12-01", "9999-12-31", "from"),
    ],
)
def test_days_that_are_none_too_many_or_far_away_are_refused(first: str, last: str, field: str):
    entry = read(typed(first, last), TODAY)
    assert isinstance(entry, Mapping)
    assert set(entry) == {field}


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("2026-12-01", "2026-12-01"),
        ("2026-12-01", "2027-12-31"),
        ("2025-11-01", "2025-11-30"),
        ("2028-01-01", "2028-01-31"),
    ],
)
def test_a_day_and_thirteen_months_are_a_period(first: str, last: str):
    assert isinstance(read(typed(first, last), TODAY), Entry)


def test_a_payment_holds_from_midnight_to_the_last_second_of_its_last_day():
    entry = read(typed(), TODAY)
    assert isinstance(entry, Entry)
    begins, ends = entry.moments(OSLO)
    assert (begins.isoformat(), ends.isoformat()) == (
        "2026-12-01T00:00:00+01:00",
        "2026-12-31T23:59:59+01:00",
    )


@pytest.mark.parametrize(
    ("paid_until", "first", "last"),
    [
        (None, "2026-12-01", "2026-12-31"),
        (date(2026, 11, 30), "2026-12-01", "2026-12-31"),
        (date(2026, 12, 1), "2026-12-02", "2027-01-01"),
        (date(2027, 1, 30), "2027-01-31", "2027-02-27"),
        (date(8999, 12, 31), "2026-12-01", "2026-12-31"),
    ],
)
def test_the_month_after_what_is_paid_is_offered(paid_until: date | None, first: str, last: str):
    assert offered(paid_until, TODAY) == Typed(first, last)


@given(
    day=st.dates(date(1975, 1, 1), date(2099, 1, 1)),
    months=st.integers(min_value=-24, max_value=24),
)
def test_so_many_months_later_is_in_that_month(day: date, months: int):
    later = months_later(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day <= day.day
    assert later.day == day.day or (later + DAY).day == 1


@pytest.fixture
async def paid(database: Database, connection: Connection) -> AsyncGenerator[PayingSite]:
    async with paying_site(database, connection, takes_payments=False) as opened:
        circle = await makerspace.circle(connection, name="keyholders")
        await makerspace.controller(connection)
        await makerspace.door(connection, key="front", name="Front door", circles=(circle,))
        await makerspace.circle_member(connection, account=opened.kari, circle=circle)
        yield opened


def path_of(paid: PayingSite) -> str:
    return f"/members/{paid.kari}/payments"


async def fields_of(paid: PayingSite, **changed: str) -> dict[str, str]:
    today = datetime.now(UTC).date()
    shown = await paid.get(path_of(paid), "tore")
    days = {"from": str(today - DAY), "until": str(today + 20 * DAY)}
    return {"version": version_in(shown), **days, "amount": "350,50", **changed}


async def rows(paid: PayingSite) -> list[tuple[str, str, Decimal]]:
    """Who paid, who entered it, how much."""
    cursor = await paid.site.connection.execute(
        "select a.username, u.username, p.amount from stripe_payment p"
        " join account a on a.id = p.created_by join account u on u.id = p.updated_by order by p.id"
    )
    return await cursor.fetchall()


async def is_paying(paid: PayingSite) -> bool:
    found = await standings(paid.site.connection, now_ms=unix_ms(), account_id=paid.kari)
    return paid.kari in found and found[paid.kari].is_paying


def plain(text: str) -> str:
    return " ".join(html.unescape(re.sub("<[^>]*>", " ", text)).split())


async def text_of(answer: ClientResponse) -> str:
    return plain(await answer.text())


async def enter(paid: PayingSite, **changed: str) -> ClientResponse:
    fields = await fields_of(paid, **changed)
    return await see_and_save(await paid.site.browser("tore"), path_of(paid), data=fields)


async def test_what_a_payment_does_is_shown_before_it_is_saved(paid: PayingSite):
    tore = await paid.site.browser("tore")
    answer = await tore.post(path_of(paid), data=await fields_of(paid))
    text = await text_of(answer)
    assert answer.status == 200
    assert "Enter this payment for Kari Nordmann?" in text
    assert "kr 350.50" in text
    assert re.search(r"Paid until \d+ \w+( \d{4})? Doors open by it until \d+ \w+ .*23:59", text)
    assert "Can use from now on Kari Nordmann : Front door" in text
    assert await rows(paid) == []


async def test_a_payment_by_hand_opens_doors_and_says_who_entered_it(paid: PayingSite):
    assert not await is_paying(paid)
    answer = await enter(paid)
    assert (answer.status, answer.headers["Location"]) == (303, f"{path_of(paid)}?said=entered")
    assert await rows(paid) == [("kari", "tore", Decimal("350.50"))]
    assert await is_paying(paid)
    assert "entered by hand" in await paid.get(path_of(paid), "tore")
    own = plain(await paid.get("/me/membership", "kari"))
    assert "kr 350.50 entered by hand" in own
    assert re.search(r"Paid until \d+", own)
    cursor = await paid.site.connection.execute(
        "select a.username, u.doing, u.operation, u.account from access.audit u"
        " join account a on a.id = u.actor where place = 'public.stripe_payment'"
    )
    assert await cursor.fetchall() == [
        ("tore", "POST /members/{account}/payments", "added", paid.kari)
    ]


async def test_the_old_web_app_finds_it_as_it_finds_any_other(paid: PayingSite):
    await enter(paid)
    cursor = await paid.site.connection.execute(
        "select length(stripe_id) <= 50, payment_date <= now(), end_date > now()"
        " from stripe_payment where created_by = %s and end_date >= now() - interval '1 day'",
        [paid.kari],
    )
    assert await cursor.fetchall() == [(True, True, True)]
    cursor = await paid.site.connection.execute(
        "select operation_type, amount from stripe_payment_version"
    )
    assert await cursor.fetchall() == [(0, Decimal("350.50"))]


async def test_what_overlaps_is_shown_and_not_refused(paid: PayingSite):
    await makerspace.payment(paid.site.connection, account=paid.kari, amount=731)
    tore = await paid.site.browser("tore")
    text = await text_of(await tore.post(path_of(paid), data=await fields_of(paid)))
    assert re.search(r"kr 731 is paid for .* – .* already, which overlaps with it", text)
    assert (await enter(paid)).status == 303
    assert len(await rows(paid)) == 2


@pytest.mark.parametrize(
    ("field", "value"), [("amount", "-5"), ("from", "2026-13-01"), ("until", "1999-01-01")]
)
async def test_nonsense_is_told_beside_its_field(paid: PayingSite, field: str, value: str):
    tore = await paid.site.browser("tore")
    for headers in ({}, {"HX-Request": "true"}):
        fields = await fields_of(paid, **{field: value})
        answer = await tore.post(path_of(paid), data=fields, headers=headers)
        text = await answer.text()
        assert answer.status == 422
        assert f'id="{field}-mistake"' in text
        assert f'value="{value}"' in text
    assert await rows(paid) == []


async def test_a_payment_that_is_sent_twice_is_entered_once(paid: PayingSite):
    tore = await paid.site.browser("tore")
    fields = await fields_of(paid)
    preview = await (await tore.post(path_of(paid), data=fields)).text()
    seen = re.findall(r'name="seen" value="([^"]+)"', preview)
    answers = await asyncio.gather(
        *(
            tore.post(path_of(paid), data={**fields, "seen": seen[0]}, allow_redirects=False)
            for _ in range(3)
        )
    )
    assert sorted(answer.status for answer in answers) == [303, 422, 422]
    refused = next(answer for answer in answers if answer.status == 422)
    assert "Somebody changed this meanwhile" in await refused.text()
    assert len(await rows(paid)) == 1


async def payment_id(paid: PayingSite) -> int:
    cursor = await paid.site.connection.execute("select max(id) from stripe_payment")
    found = await cursor.fetchone()
    assert found is not None
    return int(found[0])


async def test_a_payment_by_hand_is_taken_back_after_it_is_shown_what_that_takes(paid: PayingSite):
    await enter(paid)
    removal = f"{path_of(paid)}/{await payment_id(paid)}/removal"
    assert f'action="{removal}"' in await paid.get(path_of(paid), "tore")
    tore = await paid.site.browser("tore")
    text = await text_of(await tore.post(removal))
    assert "Take back this payment of Kari Nordmann?" in text
    assert "Can no longer use Kari Nordmann : Front door" in text
    assert len(await rows(paid)) == 1
    answer = await see_and_save(tore, removal)
    assert answer.headers["Location"] == f"{path_of(paid)}?said=taken-back"
    assert await rows(paid) == []
    assert not await is_paying(paid)
    again = await tore.post(removal)
    assert (again.status, "isn't there any more" in await text_of(again)) == (422, True)
    cursor = await paid.site.connection.execute(
        "select operation from access.audit where place = 'public.stripe_payment' order by id"
    )
    assert await cursor.fetchall() == [("added",), ("removed",)]


async def test_what_stripe_has_told_of_is_not_taken_back(paid: PayingSite):
    made = await makerspace.payment(paid.site.connection, account=paid.kari)
    page = await paid.get(path_of(paid), "tore")
    assert "/removal" not in page
    tore = await paid.site.browser("tore")
    for data in ({}, {"seen": "0123456789abcdef"}):
        answer = await tore.post(f"{path_of(paid)}/{made}/removal", data=data)
        assert answer.status == 422
        assert "Stripe has told of this payment" in await text_of(answer)
    assert len(await rows(paid)) == 1


async def test_a_payment_of_somebody_else_is_not_taken_back_on_her_page(paid: PayingSite):
    await enter(paid)
    anne = await makerspace.account(paid.site.connection, username="anne")
    tore = await paid.site.browser("tore")
    answer = await tore.post(f"/members/{anne}/payments/{await payment_id(paid)}/removal")
    assert answer.status == 422
    assert len(await rows(paid)) == 1


async def test_the_way_there_is_from_money_and_from_her_page(paid: PayingSite):
    assert 'href="/money/by-hand"' in await paid.get("/money", "tore")
    assert f'href="{path_of(paid)}"' in await paid.get(f"/members/{paid.kari}", "tore")
    tore = await paid.site.browser("tore")
    found = await tore.get("/money/by-hand?username=kari", allow_redirects=False)
    assert (found.status, found.headers["Location"]) == (303, path_of(paid))
    for name, words in (("nobody", "Nobody is called “nobody”"), ("", "Type a name")):
        answer = await tore.get(f"/money/by-hand?username={name}")
        assert (answer.status, words in await answer.text()) == (422, True)


@pytest.mark.parametrize("username", ["kari", "frode"])
async def test_payments_by_hand_are_for_the_treasurer(paid: PayingSite, username: str):
    browser = await paid.site.browser(username)
    for method, path in (
        ("GET", path_of(paid)),
        ("POST", path_of(paid)),
        ("POST", f"{path_of(paid)}/1/removal"),
        ("GET", "/money/by-hand"),
    ):
        assert (await browser.request(method, path)).status == 403
    assert path_of(paid) not in await paid.get(f"/members/{paid.kari}", username)
