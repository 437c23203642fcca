"""What Stripe tells is believed when it is signed, taken in once, and told again when it failed."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from aiohttp import ClientResponse

from console.database import Connection, Database
from console.membership import queries
from console.membership.billing import Line
from console.settings import ConsoleSettings, MailSettings
from tests.legacy.sites import site_with
from tests.support import makerspace, version_tables
from tests.support.console_app import Site, settings_for
from tests.support.smtp_sink import SmtpSink, smtp_sink
from tests.support.stripe_cloud import (
    Json,
    StripeCloud,
    invoice,
    line,
    message,
    paying,
    signature,
    stripe_cloud,
)

PATH = "/membership/stripe/webhook"
PAID = "invoice.payment_succeeded"
COMPLETED = "checkout.session.completed"
START = int(datetime(2026, 11, 22, 20, tzinfo=UTC).timestamp())
END = START + 30 * 24 * 3600
MONTH = (START, END, 50000)


@pytest.fixture
async def cloud() -> AsyncGenerator[StripeCloud]:
    async with stripe_cloud() as opened:
        yield opened


@pytest.fixture
async def sink() -> AsyncGenerator[SmtpSink]:
    async with smtp_sink() as opened:
        yield opened


@pytest.fixture
def settings(database: Database, cloud: StripeCloud, sink: SmtpSink) -> ConsoleSettings:
    mail = MailSettings(sink.url, "Bitraf <post@bitraf.no>")
    return replace(paying(settings_for(database.conninfo), cloud), mail=mail)


@pytest.fixture
async def paid_site(
    database: Database, connection: Connection, settings: ConsoleSettings
) -> AsyncGenerator[Site]:
    async with site_with(database, connection, settings) as opened:
        yield opened


@pytest.fixture
async def kari(connection: Connection) -> int:
    """She is Stripe's customer cus_1."""
    account = await makerspace.account(connection, username="kari", name="Kari", email="k@x.no")
    await customer(connection, account, "cus_1")
    return account


async def customer(connection: Connection, account: int, stripe_id: str) -> None:
    await connection.execute(
        """
        insert into stripe_customer (created_at, created_by, updated_at, updated_by, stripe_id)
        values (now(), %(account)s, now(), %(account)s, %(stripe_id)s)
        """,
        {"account": account, "stripe_id": stripe_id},
    )


async def tell(site: Site, body: bytes, header: str | None = None) -> ClientResponse:
    client = await site.browser()
    headers = {"Stripe-Signature": signature(body) if header is None else header}
    return await client.post(PATH, data=body, headers=headers)


async def said(site: Site, body: bytes, header: str | None = None) -> tuple[int, str]:
    response = await tell(site, body, header)
    return response.status, await response.text()


async def rows(connection: Connection, statement: bytes) -> list[Any]:
    return await (await connection.execute(statement)).fetchall()


async def payments(connection: Connection) -> list[Any]:
    return await rows(
        connection,
        b"""
        select stripe_id, created_by, start_date, end_date, amount from stripe_payment order by id
        """,
    )


def paid(*lines: tuple[int, int, int], event_id: str = "evt_1", **of: str) -> bytes:
    return message(PAID, invoice(*lines, **of), event_id=event_id)


async def test_a_paid_invoice_becomes_a_row_of_the_person(
    paid_site: Site, connection: Connection, kari: int
) -> None:
    response = await tell(paid_site, paid(MONTH))
    assert (response.status, response.content_type) == (200, "text/html")
    assert await response.text() == "OK\n"
    [row] = await rows(
        connection,
        b"""
        select created_by, updated_by, created_at = updated_at, created_at > now() - interval '1 h',
          stripe_id, start_date, end_date, amount, payment_date from stripe_payment
        """,
    )
    at = datetime.fromtimestamp
    assert row == (
        *(kari, kari, True, True, "in_1"),
        *(at(START, UTC), at(END, UTC), Decimal("500.00"), at(1_700_000_000, UTC)),
    )


async def test_each_line_is_a_row_and_no_line_is_none(
    paid_site: Site, connection: Connection, kari: int
) -> None:
    assert kari
    refund = (START, START + 100, -30000)
    assert (await tell(paid_site, paid(refund, MONTH, (START, END, 1)))).status == 200
    assert (await tell(paid_site, paid(event_id="evt_2", invoice="in_2"))).status == 200
    assert [row[4] for row in await payments(connection)] == [
        Decimal("-300.00"),
        Decimal("500.00"),
        Decimal("0.01"),
    ]


async def test_the_history_of_a_payment_is_whole(
    paid_site: Site, database_url: str, kari: int
) -> None:
    assert kari
    await tell(paid_site, paid(MONTH, (START, END, 1)))
    with psycopg.connect(database_url, autocommit=True) as plain:
        kept = version_tables.versions(plain, "stripe_payment")
        assert len({version.transaction for version in kept}) == 1
        assert [version.kind for version in kept] == [version_tables.INSERT] * 2
        [transaction] = version_tables.transactions(plain)
        assert transaction.remote_addr == "127.0.0.1"
        assert version_tables.faults(plain) == []


async def test_the_audit_says_that_stripe_recorded_it(
    paid_site: Site, connection: Connection, kari: int
) -> None:
    await tell(paid_site, paid(MONTH))
    assert await rows(
        connection, b"select place, operation, account, actor, address, doing from access.audit"
    ) == [
        (
            *("public.stripe_payment", "added", kari, None),
            *("127.0.0.1", "POST /membership/stripe/webhook"),
        )
    ]


async def test_the_same_message_again_changes_nothing(
    paid_site: Site, connection: Connection, kari: int
) -> None:
    assert kari
    for _ in range(3):
        assert await said(paid_site, paid(MONTH)) == (200, "OK\n")
    assert len(await payments(connection)) == 1


async def test_the_same_invoice_in_another_message_changes_nothing(
    paid_site: Site, connection: Connection, kari: int
) -> None:
    assert kari
    await tell(paid_site, paid(MONTH, MONTH))
    assert await said(paid_site, paid(MONTH, MONTH, event_id="evt_2")) == (200, "OK\n")
    assert len(await payments(connection)) == 2


async def test_a_row_of_the_old_web_app_is_not_doubled(
    paid_site: Site, connection: Connection, kari: int
) -> None:
    """It stored the time of its own zone as if it were another."""
    await connection.execute(
        """
        insert into stripe_payment (created_at, created_by, updated_at, updated_by, stripe_id,
          start_date, end_date, amount, payment_date)
        values (now(), %(kari)s, now(), %(kari)s, 'in_1', %(start)s, %(end)s, 500, now())
        """,
        {
            "kari": kari,
            "start": datetime.fromtimestamp(START, UTC) + timedelta(hours=1),
            "end": datetime.fromtimestamp(END, UTC) + timedelta(hours=1),
        },
    )
    await tell(paid_site, paid(MONTH, (START, END, -100)))
    assert [row[4] for row in await payments(connection)] == [500, -1]


@pytest.mark.parametrize("same_id", [True, False])
async def test_messages_that_come_at_once_make_one_row(
    paid_site: Site, connection: Connection, kari: int, same_id: bool
) -> None:
    assert kari
    bodies = [paid(MONTH, event_id="evt_1" if same_id else f"evt_{n}") for n in range(6)]
    answers = await asyncio.gather(*(said(paid_site, body) for body in bodies))
    assert answers == [(200, "OK\n")] * 6
    assert len(await payments(connection)) == 1


async def test_a_message_waits_for_another_one_of_the_same_customer(
    paid_site: Site, connection: Connection, database_url: str, kari: int
) -> None:
    start, end = datetime.fromtimestamp(START, UTC), datetime.fromtimestamp(END, UTC)
    async with await psycopg.AsyncConnection.connect(database_url) as other:
        assert await queries.owner_of(other, customer="cus_1") == kari
        told = asyncio.create_task(said(paid_site, paid(MONTH)))
        await asyncio.sleep(0.3)
        assert not told.done()
        await queries.insert_payments(
            other,
            account_id=kari,
            invoice="in_1",
            paid_at=start,
            lines=[Line(start, end, Decimal(500))],
        )
    assert await told == (200, "OK\n")
    assert len(await payments(connection)) == 1


async def test_a_row_that_somebody_removed_does_not_come_back(
    paid_site: Site, connection: Connection, kari: int
) -> None:
    assert kari
    await tell(paid_site, paid(MONTH))
    await connection.execute("delete from stripe_payment")
    assert await said(paid_site, paid(MONTH)) == (200, "OK\n")
    assert await payments(connection) == []


async def test_a_message_that_failed_is_taken_in_when_it_is_told_again(
    paid_site: Site, connection: Connection, kari: int
) -> None:
    assert kari
    await connection.execute("alter table stripe_payment add constraint x check (amount <> 0.01)")
    body = paid(MONTH, (START, END, 1))
    assert (await tell(paid_site, body)).status == 500
    assert await payments(connection) == []
    assert await rows(connection, b"select id from access.stripe_event") == []
    await connection.execute("alter table stripe_payment drop constraint x")
    assert (await tell(paid_site, body)).status == 200
    assert len(await payments(connection)) == 2


async def test_a_payment_of_nobody_is_to_be_told_again(
    paid_site: Site, connection: Connection, kari: int
) -> None:
    body = paid(MONTH, customer="cus_later")
    response = await tell(paid_site, body)
    assert response.status == 409
    assert response.content_type == "application/vnd.error+json"
    assert "cus_later" in (await response.json())["message"]
    assert await payments(connection) == []
    await customer(connection, kari, "cus_later")
    assert (await tell(paid_site, body)).status == 200
    assert len(await payments(connection)) == 1


async def test_lines_that_stripe_kept_back_are_asked_for(
    paid_site: Site, connection: Connection, cloud: StripeCloud, kari: int
) -> None:
    assert kari
    cloud.lines["in_1"] = [line(START, END + n, 10000, number=n) for n in range(11)]
    long = invoice(MONTH)
    long["lines"]["has_more"] = True
    cloud.failing = ("/",)
    assert (await tell(paid_site, message(PAID, long))).status == 502
    assert await payments(connection) == []
    cloud.failing = ()
    assert (await tell(paid_site, message(PAID, long))).status == 200
    assert len(await payments(connection)) == 11


@pytest.mark.parametrize(
    "header",
    [
        "",
        "rubbish",
        "t=1,v1=\xe5",
        signature(paid(MONTH), "whsec_other"),
        signature(paid(MONTH), "test"),
        signature(paid(MONTH) + b" "),
        signature(paid(MONTH), at=time.time() - 400),
    ],
    ids=["nothing", "rubbish", "no ASCII", "another secret", "a test's", "another body", "old"],
)
async def test_what_stripe_did_not_sign_is_refused(
    paid_site: Site, connection: Connection, kari: int, header: str
) -> None:
    assert kari
    assert await said(paid_site, paid(MONTH), header) == (400, "Bad signature")
    assert await payments(connection) == []


async def test_the_secret_test_is_a_secret_like_any_other(
    database: Database, connection: Connection, settings: ConsoleSettings
) -> None:
    careless = replace(settings, stripe=replace(settings.stripe, webhook_secret="test"))
    async with site_with(database, connection, careless) as site:
        body = message("ping", {})
        assert await said(site, body, "") == (400, "Bad signature")
        assert await said(site, body, signature(body, "test")) == (200, "OK\n")


async def test_without_a_secret_nothing_is_taken_in(
    database: Database, connection: Connection, settings: ConsoleSettings
) -> None:
    shut = replace(settings, stripe=replace(settings.stripe, webhook_secret=None))
    async with site_with(database, connection, shut) as site:
        assert await said(site, paid(MONTH)) == (400, "Stripe not enabled")


@pytest.mark.parametrize("body", [b"", b"not json", b"{}", b"\xff"])
async def test_what_is_signed_but_no_message_is_refused(paid_site: Site, body: bytes) -> None:
    assert await said(paid_site, body) == (400, "Bad payload")


async def test_a_message_may_be_long_but_not_endless(paid_site: Site) -> None:
    long = message("ping", {"padding": "x" * 200_000})
    assert (await tell(paid_site, long)).status == 200
    assert (await tell(paid_site, message("ping", {"padding": "x" * 300_000}))).status == 413


async def test_other_messages_do_nothing(paid_site: Site, cloud: StripeCloud, kari: int) -> None:
    assert kari
    for kind in ("invoice.created", "invoice.payment_failed", "customer.created"):
        assert await said(paid_site, message(kind, {"customer": "cus_1"})) == (200, "OK\n")
    assert cloud.asked == []


def session(account: object, customer: str | None = "cus_new") -> Json:
    return {"customer": customer, "metadata": {"accountId": str(account)}}


@asynccontextmanager
async def letters(sink: SmtpSink, *subjects: str) -> AsyncGenerator[None]:
    yield
    assert [str(kept.message["Subject"]) for kept in sink.mails] == list(subjects)


async def test_who_subscribes_becomes_a_customer_and_is_welcomed(
    paid_site: Site, connection: Connection, sink: SmtpSink
) -> None:
    ola = await makerspace.account(connection, username="ola", email="ola@example.org")
    async with letters(sink, "Welcome to Bitraf"):
        assert await said(paid_site, message(COMPLETED, session(ola))) == (200, "OK\n")
    assert sink.mails[0].recipients == ("<ola@example.org>",)
    found = await rows(connection, b"select created_by, updated_by, stripe_id from stripe_customer")
    assert found == [(ola, ola, "cus_new")]


async def test_a_customer_is_kept_and_the_same_message_welcomes_once(
    paid_site: Site, connection: Connection, sink: SmtpSink, kari: int
) -> None:
    async with letters(sink, "Welcome to Bitraf"):
        for _ in range(2):
            body = message(COMPLETED, session(kari))
            assert await said(paid_site, body) == (200, "OK\n")
    assert await rows(connection, b"select stripe_id from stripe_customer") == [("cus_1",)]


async def test_a_checkout_of_nobody_is_to_be_told_again(
    paid_site: Site, connection: Connection, sink: SmtpSink, kari: int
) -> None:
    ola = await makerspace.account(connection, username="ola")
    odd_ones: list[Json] = [
        session(99999),
        session("abc"),
        session(makerspace.SYSTEM),
        {"customer": "cus_z", "metadata": {}},
        {"customer": "cus_z", "metadata": None},
        session(ola, "cus_1"),
    ]
    async with letters(sink):
        for odd in odd_ones:
            assert (await tell(paid_site, message(COMPLETED, odd))).status == 409
    found = await rows(connection, b"select created_by, stripe_id from stripe_customer")
    assert found == [(kari, "cus_1")]
    assert await rows(connection, b"select id from access.stripe_event") == []


async def test_a_letter_that_cannot_be_sent_stops_nothing(
    paid_site: Site, connection: Connection, sink: SmtpSink
) -> None:
    ola = await makerspace.account(connection, username="ola")
    sink.replies["RCPT"] = "550 no"
    assert await said(paid_site, message(COMPLETED, session(ola))) == (200, "OK\n")
    assert len(await rows(connection, b"select id from stripe_customer")) == 1


@pytest.mark.parametrize("kind", ["payment_method.attached", "payment_method.updated"])
async def test_a_new_card_pays_what_is_open(
    paid_site: Site, connection: Connection, cloud: StripeCloud, kind: str
) -> None:
    cloud.invoices["cus_1"], cloud.cards["cus_1"] = ["in_1"], ["pm_1"]
    body = message(kind, {"customer": "cus_1"})
    cloud.failing = ("/v1/invoices/in_1/pay",)
    assert (await tell(paid_site, body)).status == 502
    cloud.failing = ()
    assert await said(paid_site, body) == (200, "OK\n")
    assert cloud.invoices["cus_1"] == []
    asked = len(cloud.asked)
    assert await said(paid_site, body) == (200, "OK\n")
    assert len(cloud.asked) == asked
    assert await rows(connection, b"select id, type from access.stripe_event") == [("evt_1", kind)]


async def test_a_card_of_nobody_or_a_declined_one_is_no_failure(
    paid_site: Site, cloud: StripeCloud
) -> None:
    body = message("payment_method.updated", {"customer": None})
    assert await said(paid_site, body) == (200, "OK\n")
    assert cloud.asked == []
    cloud.invoices["cus_1"], cloud.cards["cus_1"], cloud.declined = ["in_1"], ["pm"], {"pm"}
    body = message("payment_method.updated", {"customer": "cus_1"})
    assert await said(paid_site, body) == (200, "OK\n")
