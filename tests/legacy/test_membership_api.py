"""Membership in the old API: prices, standing, checkout, portal, open invoices, and the chart."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import psycopg
import pytest
from PIL import Image

from console.database import Connection, Database
from console.membership import stripe_gateway
from console.settings import ConsoleSettings
from tests.legacy.sites import site_with
from tests.support import makerspace, version_tables
from tests.support.console_app import Client, Site, settings_for
from tests.support.stripe_cloud import Json, StripeCloud, paying, stripe_cloud
from tests.support.waiting import eventually

OWN = "https://p2k16.example.org"
READING_FAILED = (
    "Error reading data from Stripe. Contact kasserer@bitraf.no if the problem persists."
)
STRIPE_FAILED = "Stripe error. Contact kasserer@bitraf.no if the problem persists."
NOTHING = {"unpaid_invoice": False, "subscription_active": False, "p2k16_paying_member": False}
CHECKOUT = "/membership/create-checkout-session"
PORTAL = "/membership/customer-portal"
RETRY = "/membership/retry-payment"


@pytest.fixture
async def cloud() -> AsyncGenerator[StripeCloud]:
    async with stripe_cloud() as opened:
        opened.sell("Supporting member", "price_300", 30000, "Support the space$Vote")
        opened.sell("Full member", "price_500", 50000, "Door access$Tools$Vote")
        opened.sell("No features", "price_odd", 12345)
        yield opened


@pytest.fixture
def settings(database: Database, cloud: StripeCloud) -> ConsoleSettings:
    return paying(settings_for(database.conninfo, public_url=OWN), cloud)


@pytest.fixture
async def paid_site(
    database: Database, connection: Connection, settings: ConsoleSettings
) -> AsyncGenerator[Site]:
    async with site_with(database, connection, settings) as opened:
        yield opened


@pytest.fixture
async def kari(connection: Connection) -> int:
    return await makerspace.account(
        connection, username="kari", name="Kari", email="kari@example.org"
    )


@pytest.fixture
async def browser(paid_site: Site, kari: int) -> Client:
    """Hers."""
    assert kari
    return await paid_site.browser("kari")


async def is_customer(connection: Connection, account: int, stripe_id: str = "cus_kari") -> None:
    await connection.execute(
        """
        insert into stripe_customer (created_at, created_by, updated_at, updated_by, stripe_id)
        values (now(), %(account)s, now(), %(account)s, %(stripe_id)s)
        """,
        {"account": account, "stripe_id": stripe_id},
    )


async def customers(connection: Connection) -> list[tuple[int, int, str]]:
    cursor = await connection.execute(
        "select created_by, updated_by, stripe_id from stripe_customer order by id"
    )
    return [(row[0], row[1], row[2]) for row in await cursor.fetchall()]


async def post(client: Client, path: str, body: Json | None = None) -> tuple[int, Any]:
    response = await client.post(path, json=body or {})
    return response.status, await response.json(content_type=None)


async def get(client: Client, path: str) -> tuple[int, Any]:
    response = await client.get(path)
    return response.status, await response.json(content_type=None)


def order(**other: object) -> Json:
    return {"baseUrl": OWN, "priceId": "price_500"} | other


async def test_anybody_is_told_the_prices_the_dearest_first(paid_site: Site) -> None:
    response = await (await paid_site.browser()).get("/membership/tiers")
    assert response.content_type == "application/json"
    assert await response.text() == (
        '[{"features":["Door access","Tools","Vote"],"name":"Full member","price":500.0,'
        '"priceId":"price_500"},{"features":["Support the space","Vote"],'
        '"name":"Supporting member","price":300.0,"priceId":"price_300"},'
        '{"features":[],"name":"No features","price":123.45,"priceId":"price_odd"}]\n'
    )


async def test_without_stripe_there_are_no_prices_and_then_there_are(
    paid_site: Site, cloud: StripeCloud
) -> None:
    client = await paid_site.browser()
    cloud.failing = ("/v1/prices/price_odd",)
    assert await get(client, "/membership/tiers") == (400, {"message": READING_FAILED})
    cloud.failing = ()
    status, tiers = await get(client, "/membership/tiers")
    assert status == 200
    assert len(tiers) == 3


async def test_without_a_key_payments_are_refused_and_the_rest_works(
    database: Database, connection: Connection, settings: ConsoleSettings, kari: int
) -> None:
    await is_customer(connection, kari)
    without = replace(settings, stripe=replace(settings.stripe, secret_key=None))
    async with site_with(database, connection, without) as site:
        client = await site.browser("kari")
        assert await get(client, "/membership/tiers") == (400, {"message": READING_FAILED})
        assert (await get(client, "/membership/status"))[0] == 502
        assert (await post(client, CHECKOUT, order()))[0] == 502
        assert await post(client, PORTAL, {"baseUrl": OWN}) == (400, {"message": STRIPE_FAILED})
        assert (await client.get("/stripe-stats.png")).status == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/membership/status"),
        ("POST", CHECKOUT),
        ("POST", PORTAL),
        ("POST", RETRY),
        ("GET", "/stripe-stats.png"),
    ],
)
async def test_whoever_is_not_logged_in_is_refused(
    paid_site: Site, cloud: StripeCloud, method: str, path: str
) -> None:
    response = await (await paid_site.browser()).request(method, path, json=order())
    assert response.status == 401
    assert cloud.asked == []


async def test_who_never_paid_is_told_so_without_asking_stripe(
    browser: Client, cloud: StripeCloud
) -> None:
    assert await get(browser, "/membership/status") == (200, NOTHING)
    assert cloud.asked == []


async def test_a_payment_here_counts_whatever_stripe_knows(
    browser: Client, connection: Connection, kari: int
) -> None:
    await makerspace.payment(connection, account=kari)
    paid = NOTHING | {"p2k16_paying_member": True}
    assert await get(browser, "/membership/status") == (200, paid)


async def test_stripe_is_asked_for_subscriptions_and_open_invoices(
    browser: Client, connection: Connection, cloud: StripeCloud, kari: int
) -> None:
    await is_customer(connection, kari)
    assert await get(browser, "/membership/status") == (200, NOTHING)
    cloud.subscriptions["cus_kari"], cloud.invoices["cus_kari"] = ["active"], ["in_1"]
    owing = NOTHING | {"subscription_active": True, "unpaid_invoice": True}
    assert await get(browser, "/membership/status") == (200, owing)


async def test_a_checkout_makes_a_customer_once(
    browser: Client, connection: Connection, cloud: StripeCloud, kari: int
) -> None:
    assert await post(browser, CHECKOUT, order()) == (200, {"sessionId": "cs_2"})
    assert await customers(connection) == [(kari, kari, "cus_1")]
    assert await post(browser, CHECKOUT, order()) == (200, {"sessionId": "cs_3"})
    assert await customers(connection) == [(kari, kari, "cus_1")]
    assert cloud.forms("/v1/customers") == [{"name": "Kari", "email": "kari@example.org"}]
    first, second = cloud.forms("/v1/checkout/sessions")
    assert first == second
    assert first["customer"] == "cus_1"
    assert first["metadata[accountId]"] == str(kari)
    assert first["success_url"] == f"{OWN}/#!/?session_id={{CHECKOUT_SESSION_ID}}"
    assert first["cancel_url"] == f"{OWN}/#!/"


async def test_the_history_of_a_customer_is_whole(browser: Client, database_url: str) -> None:
    await post(browser, CHECKOUT, order())
    with psycopg.connect(database_url, autocommit=True) as plain:
        [version] = version_tables.versions(plain, "stripe_customer")
        assert version.kind == version_tables.INSERT
        assert version_tables.faults(plain) == []


async def test_checkouts_at_once_make_one_customer(
    browser: Client, connection: Connection, cloud: StripeCloud, kari: int
) -> None:
    cloud.delay_seconds = 0.05
    answers = await asyncio.gather(*(post(browser, CHECKOUT, order()) for _ in range(5)))
    assert {status for status, _ in answers} == {200}
    assert await customers(connection) == [(kari, kari, "cus_1")]


async def test_who_subscribes_already_is_not_sent_to_pay_again(
    browser: Client, connection: Connection, cloud: StripeCloud, kari: int
) -> None:
    await is_customer(connection, kari)
    cloud.subscriptions["cus_kari"] = ["active"]
    refused = (400, {"message": "User is already subscribed."})
    assert await post(browser, CHECKOUT, order()) == refused


async def test_a_customer_outlives_a_checkout_that_fails(
    browser: Client, connection: Connection, cloud: StripeCloud, kari: int
) -> None:
    cloud.failing = ("/v1/checkout",)
    assert await post(browser, CHECKOUT, order()) == (400, {"message": STRIPE_FAILED})
    assert await customers(connection) == [(kari, kari, "cus_1")]


async def test_a_customer_that_was_noted_meanwhile_is_the_one(
    browser: Client, connection: Connection, cloud: StripeCloud, kari: int
) -> None:
    await browser.get("/membership/tiers")
    cloud.delay_seconds = 0.3
    ordered = asyncio.create_task(post(browser, CHECKOUT, order()))
    await eventually(lambda: "/v1/customers" in cloud.paths())
    await is_customer(connection, kari)
    assert (await ordered)[0] == 200
    assert cloud.forms("/v1/checkout/sessions")[0]["customer"] == "cus_kari"
    assert await customers(connection) == [(kari, kari, "cus_kari")]


async def test_a_customer_that_was_not_noted_is_found_again(
    browser: Client, connection: Connection, kari: int
) -> None:
    await connection.execute("alter table stripe_customer add constraint x check (false)")
    assert (await post(browser, CHECKOUT, order()))[0] == 500
    await connection.execute("alter table stripe_customer drop constraint x")
    assert (await post(browser, CHECKOUT, order()))[0] == 200
    assert await customers(connection) == [(kari, kari, "cus_1")]


async def test_what_is_not_on_sale_is_refused_before_anything_is_made(
    browser: Client, connection: Connection, cloud: StripeCloud
) -> None:
    status, said = await post(browser, CHECKOUT, order(priceId="price_nope"))
    assert (status, said) == (400, {"message": "priceId: there is no such membership"})
    assert cloud.paths("POST") == []
    assert await customers(connection) == []


@pytest.mark.parametrize("path", [CHECKOUT, PORTAL])
@pytest.mark.parametrize(
    "base",
    [
        "https://evil.example",
        "http://p2k16.example.org",
        "https://p2k16.example.org:444",
        "https://p2k16.example.org.evil.example",
        "https://p2k16.example.org@evil.example",
        "https://evil.example\\@p2k16.example.org",
        "https://evil.example#@p2k16.example.org",
        "https://p2k16.example.org/?next=https://evil.example",
        "//p2k16.example.org",
        "javascript:alert(1)",
        " https://p2k16.example.org",
        "https://p2k16.example.org\n",
        "",
        "x" * 501,
        5,
        None,
    ],
)
async def test_stripe_leads_back_to_this_site_and_to_no_other(
    browser: Client, connection: Connection, cloud: StripeCloud, kari: int, path: str, base: object
) -> None:
    await is_customer(connection, kari)
    status, said = await post(browser, path, order(baseUrl=base))
    assert status == 400
    assert "baseUrl" in said["message"]
    assert cloud.asked == []


async def test_a_slash_at_the_end_of_the_address_is_left_out(
    browser: Client, cloud: StripeCloud
) -> None:
    await post(browser, CHECKOUT, order(baseUrl=f"{OWN.upper().replace('HTTPS', 'https')}/"))
    [form] = cloud.forms("/v1/checkout/sessions")
    assert form["cancel_url"].lower() == f"{OWN}/#!/"


async def test_without_a_public_url_stripe_leads_back_to_where_the_request_went(
    database: Database, connection: Connection, settings: ConsoleSettings, kari: int
) -> None:
    assert kari
    plain = replace(settings, http=replace(settings.http, public_url=None))
    async with site_with(database, connection, plain) as site:
        client = await site.browser("kari")
        here = str(site.server.make_url("")).rstrip("/")
        assert (await post(client, CHECKOUT, order(baseUrl=here)))[0] == 200
        assert (await post(client, CHECKOUT, order(baseUrl=OWN)))[0] == 400


@pytest.mark.parametrize("body", [{"baseUrl": OWN}, order(priceId=""), order(priceId=5), {}])
async def test_a_checkout_needs_a_price_and_an_address(
    browser: Client, cloud: StripeCloud, body: Json
) -> None:
    assert (await post(browser, CHECKOUT, body))[0] == 400
    assert cloud.asked == []


async def test_the_portal_is_stripes_page_of_the_customer(
    browser: Client, connection: Connection, cloud: StripeCloud, kari: int
) -> None:
    no_billing = "No billing information available. Create a subscription first."
    assert await post(browser, PORTAL, {"baseUrl": OWN}) == (400, {"message": no_billing})
    assert cloud.asked == []
    await is_customer(connection, kari)
    opened = (200, {"portalUrl": "https://billing.example/bps_1"})
    assert await post(browser, PORTAL, {"baseUrl": OWN}) == opened
    [form] = cloud.forms("/v1/billing_portal/sessions")
    assert form == {"customer": "cus_kari", "return_url": f"{OWN}/#!/"}
    cloud.failing = ("/",)
    assert await post(browser, PORTAL, {"baseUrl": OWN}) == (400, {"message": STRIPE_FAILED})


async def test_open_invoices_are_paid_with_any_card_that_works(
    browser: Client, connection: Connection, cloud: StripeCloud, kari: int
) -> None:
    declined = (400, {"message": "Card declined or no valid payment methods defined."})
    assert await post(browser, RETRY) == declined
    await is_customer(connection, kari)
    assert await post(browser, RETRY) == (400, {"message": "No open invoices found."})
    cloud.invoices["cus_kari"] = ["in_1"]
    assert await post(browser, RETRY) == (400, {"message": "No active credit card"})
    cloud.cards["cus_kari"], cloud.declined = ["pm_bad"], {"pm_bad"}
    assert await post(browser, RETRY) == declined
    cloud.cards["cus_kari"] = ["pm_bad", "pm_good"]
    response = await browser.post(RETRY)
    assert (response.status, await response.text()) == (200, "true\n")
    assert cloud.invoices["cus_kari"] == []


@pytest.mark.parametrize("is_slow", [True, False])
async def test_stripe_down_or_slow_is_told_clearly(
    browser: Client,
    connection: Connection,
    cloud: StripeCloud,
    kari: int,
    is_slow: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await is_customer(connection, kari)
    await browser.get("/membership/tiers")
    if is_slow:
        monkeypatch.setattr(stripe_gateway, "ANSWER_SECONDS", 0.2)
        cloud.delay_seconds = 20
    else:
        cloud.failing = ("/",)
    no_answer = (502, {"message": "Stripe doesn't answer as it should. Try again in a minute."})
    assert await get(browser, "/membership/status") == no_answer
    assert await post(browser, CHECKOUT, order()) == no_answer
    assert await post(browser, RETRY) == no_answer
    assert await post(browser, PORTAL, order()) == (400, {"message": STRIPE_FAILED})
    assert (await get(browser, "/membership/tiers"))[0] == 200


async def test_a_member_sees_the_chart(
    browser: Client, connection: Connection, kari: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    response = await browser.get("/stripe-stats.png")
    assert (response.status, response.content_type) == (200, "image/png")
    empty = await response.read()
    assert Image.open(BytesIO(empty)).size == (1600, 1600)
    for month in (1, 2, 2):
        start = datetime(2026, month, 3, tzinfo=UTC)
        await makerspace.payment(connection, account=kari, start=start, end=start)
    drawn = await (await browser.get("/stripe-stats.png")).read()
    assert drawn != empty
    monkeypatch.setattr("sys.executable", "/nonexistent")
    assert await (await browser.get("/stripe-stats.png")).read() == drawn


async def test_a_chart_that_cannot_be_drawn_is_a_fault_and_the_next_one_is_drawn(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("sys.executable", "/bin/false")
        assert (await browser.get("/stripe-stats.png")).status == 500
        patched.setattr("sys.executable", "/nonexistent")
        assert (await browser.get("/stripe-stats.png")).status == 500
    assert (await browser.get("/stripe-stats.png")).status == 200
