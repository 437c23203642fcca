"""The treasurer's pages: who pays, who has stopped, what came in, and who may see any of it."""

import csv
import io
import time
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from console.accounts.fields import SEEN_BY, Field
from console.database import Connection, Database
from console.membership import money_queries
from console.membership.money import month_begins
from console.membership.money_routes import PEOPLE_MAX
from console.web.routing import Who
from tests.console.test_membership_pages import words
from tests.support import makerspace
from tests.support.paying_site import PayingSite, paying_site
from tests.support.stripe_cloud import failure

DAY = timedelta(days=1)
CSV = "/money/payments.csv"


@pytest.fixture
async def paid(database: Database, connection: Connection) -> AsyncGenerator[PayingSite]:
    async with paying_site(database, connection) as opened:
        yield opened


async def member(
    paid: PayingSite, username: str, *spans: tuple[float, float], amount: Decimal | int = 500
) -> int:
    """Somebody who has paid for these spans, in days from now."""
    connection, now = paid.site.connection, datetime.now(UTC)
    account = await makerspace.account(connection, username=username, name=username.title())
    for start, end in spans:
        await makerspace.payment(
            connection,
            account=account,
            start=now + start * DAY,
            end=now + end * DAY,
            amount=amount,
        )
    return account


@pytest.mark.parametrize("path", ["/money", "/money/people", f"{CSV}?from=2026-01-01"])
async def test_money_is_for_the_treasurer_and_admins(paid: PayingSite, path: str) -> None:
    for username in ("kari", "frode"):
        answer = await (await paid.site.browser(username)).get(path)
        assert answer.status == 403
        assert "“treasurers” or “admin”" in await answer.text()
    for username in ("tore", "ola"):
        assert (await (await paid.site.browser(username)).get(path)).status in {200, 422}


async def test_money_stands_under_run_for_those_whom_it_is_for(paid: PayingSite) -> None:
    assert 'href="/money"' in await paid.get("/run", "tore")
    assert 'href="/doors"' not in await paid.get("/run", "tore")
    assert 'href="/money"' in await paid.get("/run", "ola")
    for username in ("kari", "frode"):
        assert 'href="/money"' not in await paid.get("/run", username)


async def test_each_list_has_its_people_and_their_number(paid: PayingSite) -> None:
    await member(paid, "anne", (-10, 20))
    await member(paid, "berit", (-31.5, -0.5))
    await member(paid, "cato", (-60, -30), amount=300)
    await member(paid, "free", (-10, 20), amount=0)
    await member(paid, "later", (5, 35))
    await paid.is_customer()
    await paid.tell(failure("in_9", at=int(time.time())))
    overview = words(await paid.get("/money", "tore"))
    assert "Pay 2 Stopped 1 Payment failed 1" in overview
    active = await paid.get("/money/people", "tore")
    assert [name in active for name in ("Anne", "Berit", "Cato", "Free", "Later", "Kari")] == [
        True,
        True,
        False,
        False,
        False,
        False,
    ]
    ended = words(await paid.get("/money/people?list=ended", "tore"))
    assert "Cato cato · kr 300 · ended" in ended
    failed = await paid.get("/money/people?list=failed", "tore")
    assert f'href="/members/{paid.kari}"' in failed
    assert "Anne" not in failed


async def test_a_list_is_searched_by_any_part_of_a_name(paid: PayingSite) -> None:
    await member(paid, "anne", (-10, 20))
    await member(paid, "berit", (-10, 20))
    client = await paid.site.browser("tore")
    part = await client.get("/money/people?name=NNE", headers={"HX-Request": "true"})
    text = await part.text()
    assert ("Anne" in text, "Berit" in text, "<html" in text) == (True, False, False)
    nobody = words(await paid.get("/money/people?name=%25", "tore"))
    assert "Nobody in this list has a name that holds “%”." in nobody


async def test_an_unknown_list_is_the_one_of_those_who_pay(paid: PayingSite) -> None:
    assert "Who pays" in await paid.get("/money/people?list=x", "tore")


async def test_a_long_list_is_cut_and_says_so(paid: PayingSite) -> None:
    await paid.site.connection.execute(
        """
        with people as (
          insert into account (created_at, updated_at, username, email, name, system)
          select now(), now(), 'm' || n, 'm' || n || '@x.no', 'Member ' || n, false
          from generate_series(1, 51) n returning id
        )
        insert into stripe_payment (created_at, created_by, updated_at, updated_by, stripe_id,
          start_date, end_date, amount, payment_date)
        select now(), id, now(), id, 'in_' || id, now() - interval '1 day',
          now() + interval '20 days', 500, now() from people
        """
    )
    page = await paid.get("/money/people", "tore")
    assert page.count('class="row"') == PEOPLE_MAX
    assert f"The first {PEOPLE_MAX} are shown" in page
    assert len(page) < 100_000


async def test_months_tell_what_came_in_who_is_new_and_who_has_left(paid: PayingSite) -> None:
    def at(month: int, day: int) -> datetime:
        return datetime(2026, month, day, 12, tzinfo=UTC)

    connection = paid.site.connection

    async def pays(username: str, *spans: tuple[datetime, datetime]) -> None:
        account = await makerspace.account(connection, username=username)
        for start, end in spans:
            await makerspace.payment(connection, account=account, start=start, end=end)

    await pays("stays", (at(1, 10), at(2, 10)), (at(2, 10), at(3, 10)), (at(3, 10), at(4, 10)))
    await pays("late", (at(1, 10), at(2, 10)), (at(2, 25), at(4, 25)))
    await pays("returns", (at(1, 5), at(1, 20)), (at(3, 20), at(4, 20)))
    await pays("twice", (at(2, 1), at(3, 1)), (at(2, 1), at(3, 1)))
    refund = await makerspace.account(connection, username="refund")
    await makerspace.payment(
        connection, account=refund, start=at(2, 3), end=at(3, 3), amount=Decimal("-100.50")
    )
    await makerspace.payment(
        connection, account=refund, start=at(2, 3), end=at(3, 3), amount=Decimal("NaN")
    )
    found = await money_queries.months(connection, begins=month_begins(at(4, 15), UTC, count=4))
    assert [(one.begins.month, one.payers, one.joined, one.left) for one in found] == [
        (1, 3, 3, 1),
        (2, 3, 1, 0),
        (3, 2, 1, 1),
        (4, 0, 0, 3),
    ]
    assert [one.revenue for one in found] == [
        Decimal(1500),
        Decimal("1899.50"),
        Decimal(1000),
        Decimal(0),
    ]


async def test_the_page_compares_this_month_with_the_last_one(paid: PayingSite) -> None:
    await member(paid, "anne", (0, 30), amount=Decimal("1234.50"))
    text = words(await paid.get("/money", "tore"))
    assert "kr 1,234.50 from 1 person so far this month; kr 0 from 0" in text
    assert f"{datetime.now(UTC):%B %Y} kr 1,234.50 1 1 0" in text


async def test_companies_tell_who_works_there_and_pays_as_well(paid: PayingSite) -> None:
    anne = await member(paid, "anne", (-10, 20))
    berit = await member(paid, "berit")
    acme = await makerspace.company(paid.site.connection, name="Acme AS")
    await makerspace.company(paid.site.connection, name="Old AS", active=False)
    for account in (anne, berit):
        await makerspace.employee(paid.site.connection, account=account, company=acme)
    page = await paid.get("/money", "tore")
    text = words(page)
    assert "Acme AS 2 employees: Anne, Berit; 1 of them pays here, too active" in text
    assert "Old AS 0 employees not active" in text
    assert f'href="/members/{berit}"' in page


async def rows(paid: PayingSite, query: str) -> list[list[str]]:
    client = await paid.site.browser("tore")
    answer = await client.get(f"{CSV}?{query}")
    assert answer.status == 200
    assert answer.content_type == "text/csv"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    return list(csv.reader(io.StringIO((await answer.read()).decode("utf-8-sig"))))


async def test_payments_of_a_period_come_as_a_table(paid: PayingSite) -> None:
    begins = datetime(2025, 12, 31, 23, 59, tzinfo=UTC)
    for number in range(3):
        start = begins + number * timedelta(minutes=1)
        await makerspace.payment(
            paid.site.connection,
            account=paid.kari,
            start=start,
            end=start + 30 * DAY,
            amount=Decimal("499.5"),
        )
    assert [row[:6] for row in await rows(paid, "from=2026-01-01&until=2026-01-01")] == [
        ["Paid", "User name", "Name", "From", "Until", "Amount"],
        ["2026-01-01", "kari", "Kari Nordmann", "2026-01-01", "2026-01-31", "499.50"],
        ["2026-01-01", "kari", "Kari Nordmann", "2026-01-01", "2026-01-31", "499.50"],
    ]


async def test_a_name_in_the_table_is_no_formula(paid: PayingSite) -> None:
    evil = await makerspace.account(
        paid.site.connection, username="evil", name="=cmd|' /C calc'!A0"
    )
    await makerspace.payment(paid.site.connection, account=evil, amount=-5)
    today = datetime.now(UTC).date()
    [_, row] = await rows(paid, f"from={today - 20 * DAY}&until={today}")
    assert row[2] == "'=cmd|' /C calc'!A0"
    assert row[5] == "-5.00"


async def test_a_table_of_more_than_one_batch_has_each_payment_once(paid: PayingSite) -> None:
    await paid.site.connection.execute(
        """
        insert into stripe_payment (created_at, created_by, updated_at, updated_by, stripe_id,
          start_date, end_date, amount, payment_date)
        select now(), %(kari)s, now(), %(kari)s, 'in_' || n, '2026-02-01', '2026-03-01', 500,
          case when n %% 2 = 0 then timestamptz '2026-02-01 10:00+00' end
        from generate_series(1, 1200) n
        """,
        {"kari": paid.kari},
    )
    found = await rows(paid, "from=2026-02-01&until=2026-02-28")
    assert len(found) == 1201
    assert len({row[6] for row in found[1:]}) == 1200


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("", "A day is expected"),
        ("from=2026-01-01&until=x", "A day is expected"),
        ("from=2026-02-01&until=2026-01-01", "The last day is before the first one."),
    ],
)
async def test_a_wrong_period_is_told_on_the_page(paid: PayingSite, query: str, told: str) -> None:
    answer = await (await paid.site.browser("tore")).get(f"{CSV}?{query}")
    assert answer.status == 422
    text = await answer.text()
    assert told in text
    assert 'aria-invalid="true"' in text


async def test_each_role_sees_of_a_person_what_the_table_gives_it(paid: PayingSite) -> None:
    connection = paid.site.connection
    anne = await makerspace.account(connection, username="anne", email="anne@secret.example")
    await connection.execute("update account set phone = '98765432' where id = %s", [anne])
    await makerspace.payment(connection, account=anne, amount=731)
    await makerspace.card(connection, account=anne, label="violet fob")
    shown = {
        Field.CONTACT: ("anne@secret.example", "98765432"),
        Field.STANDING: ("Paid until",),
        Field.CARDS: ("violet fob",),
        Field.PAYMENTS: ("kr\xa0731",),
    }
    roles = {
        "kari": {Who.MEMBER},
        "frode": {Who.MEMBER, Who.FRONT_DESK},
        "tore": {Who.MEMBER, Who.TREASURER},
        "ola": set(Who),
    }
    for username, hers in roles.items():
        page = await paid.get(f"/members/{anne}", username)
        for field, texts in shown.items():
            for text in texts:
                assert (text in page) == bool(SEEN_BY[field] & hers), (username, text)


async def test_the_list_of_people_tells_a_standing_to_those_whom_it_is_for(
    paid: PayingSite,
) -> None:
    await member(paid, "anne", (-10, 20))
    for username, is_told in (("kari", False), ("frode", True), ("tore", True), ("ola", True)):
        assert ("Paid until" in await paid.get("/members?q=anne", username)) == is_told
