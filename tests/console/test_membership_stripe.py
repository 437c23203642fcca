"""Stripe, asked over HTTP: what is understood of its answers, and what becomes of a bad one."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal

import pytest
from msgspec import structs

from console.membership import stripe_gateway, tiers
from console.membership.billing import Order, Payer, StripeUnavailable, Tier
from console.membership.collecting import Collected, pay_open_invoices
from console.membership.stripe_gateway import StripeGateway
from console.membership.tiers import FRESH_SECONDS, RETRY_SECONDS, TierList
from console.settings import StripeSettings
from tests.support.brokers import free_port
from tests.support.stripe_cloud import StripeCloud, line, stripe_cloud

FULL = Tier("price_500", "Full member", Decimal("500.00"), ("Door access", "Vote"))
PLAIN = Tier("price_odd", "No features", Decimal("123.45"), ())


@pytest.fixture
async def cloud() -> AsyncGenerator[StripeCloud]:
    async with stripe_cloud() as opened:
        opened.sell("No features", "price_odd", 12345)
        opened.sell("Full member", "price_500", 50000, "Door access$Vote")
        yield opened


@asynccontextmanager
async def asking(cloud: StripeCloud, *, retries: int = 0) -> AsyncGenerator[StripeGateway]:
    gateway = StripeGateway(StripeSettings("sk_1", api_base=cloud.url, max_network_retries=retries))
    try:
        yield gateway
    finally:
        await gateway.close()


@pytest.fixture
async def gateway(cloud: StripeCloud) -> AsyncGenerator[StripeGateway]:
    async with asking(cloud) as opened:
        yield opened


async def test_every_product_with_a_price_is_a_tier(
    cloud: StripeCloud, gateway: StripeGateway
) -> None:
    cloud.sell("By the hour", "price_by_use", None)
    cloud.products.append(
        {"id": "prod_x", "object": "product", "name": "x", "default_price": None, "metadata": {}}
    )
    cloud.sell("Half", "price_250", 25000)
    assert await gateway.tiers() == [PLAIN, FULL, Tier("price_250", "Half", Decimal(250), ())]
    assert cloud.asked[0].query["active"].lower() == "true"
    assert cloud.asked[0].headers["Authorization"] == "Bearer sk_1"


async def test_who_subscribes(cloud: StripeCloud, gateway: StripeGateway) -> None:
    cloud.subscriptions["cus_a"] = ["canceled", "past_due"]
    cloud.subscriptions["cus_b"] = ["incomplete"]
    assert await gateway.has_active_subscription("cus_a")
    assert not await gateway.has_active_subscription("cus_b")
    assert not await gateway.has_active_subscription("cus_c")
    assert await gateway.has_any_subscription("cus_b")
    assert not await gateway.has_any_subscription("cus_c")


async def test_a_customer_that_is_made_again_is_the_same(
    cloud: StripeCloud, gateway: StripeGateway
) -> None:
    kari = Payer(7, "Kari", "kari@example.org")
    first = await gateway.create_customer(kari)
    assert await gateway.create_customer(kari) == first
    assert await gateway.create_customer(structs.replace(kari, account_id=8)) != first
    assert await gateway.create_customer(structs.replace(kari, email="k@example.org")) != first
    assert cloud.forms("/v1/customers")[0] == {"name": "Kari", "email": "kari@example.org"}


async def test_a_customer_needs_no_name(cloud: StripeCloud, gateway: StripeGateway) -> None:
    await gateway.create_customer(Payer(7, None, "kari@example.org"))
    assert cloud.forms("/v1/customers") == [{"email": "kari@example.org"}]


async def test_an_order_is_a_subscription_of_one(
    cloud: StripeCloud, gateway: StripeGateway
) -> None:
    order = Order("cus_1", 102, "price_500", "http://x/#!/?session_id={A}", "http://x/#!/")
    assert await gateway.start_checkout(order) == "cs_1"
    assert cloud.forms("/v1/checkout/sessions") == [
        {
            "customer": "cus_1",
            "mode": "subscription",
            "line_items[0][price]": "price_500",
            "line_items[0][quantity]": "1",
            "metadata[accountId]": "102",
            "success_url": "http://x/#!/?session_id={A}",
            "cancel_url": "http://x/#!/",
        }
    ]


async def test_every_card_is_tried_on_every_open_invoice(
    cloud: StripeCloud, gateway: StripeGateway
) -> None:
    cloud.invoices["cus_1"] = ["in_1", "in_2"]
    cloud.cards["cus_1"] = ["pm_bad", "pm_good"]
    cloud.declined = {"pm_bad"}
    assert await pay_open_invoices(gateway, "cus_1") is Collected.PAID
    assert cloud.paths("POST") == ["/v1/invoices/in_1/pay"] * 2 + ["/v1/invoices/in_2/pay"] * 2
    assert await pay_open_invoices(gateway, "cus_1") is Collected.NOTHING_OPEN


async def test_an_invoice_that_no_card_pays_stays_open(
    cloud: StripeCloud, gateway: StripeGateway
) -> None:
    cloud.invoices["cus_1"] = ["in_1"]
    assert await pay_open_invoices(gateway, "cus_1") is Collected.NO_CARD
    cloud.cards["cus_1"], cloud.declined = ["pm_bad"], {"pm_bad"}
    assert await pay_open_invoices(gateway, "cus_1") is Collected.DECLINED
    assert cloud.invoices["cus_1"] == ["in_1"]


async def test_all_lines_of_a_long_invoice_are_read(
    cloud: StripeCloud, gateway: StripeGateway
) -> None:
    cloud.lines["in_1"] = [line(10, 20, 100 * n, number=n) for n in range(5)]
    found = await gateway.invoice_lines("in_1")
    assert [one.amount for one in found] == [0, 1, 2, 3, 4]
    assert {(one.start.timestamp(), one.end.timestamp()) for one in found} == {(10, 20)}


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
async def test_whatever_stripe_refuses_is_told_as_no_answer(
    cloud: StripeCloud, gateway: StripeGateway, status: int
) -> None:
    cloud.failing, cloud.failing_status = ("/",), status
    with pytest.raises(StripeUnavailable):
        await gateway.cards("cus_1")


async def test_a_stripe_that_is_not_there_is_no_answer() -> None:
    settings = StripeSettings("sk_1", api_base=f"http://127.0.0.1:{free_port()}")
    gateway = StripeGateway(replace(settings, max_network_retries=0))
    with pytest.raises(StripeUnavailable):
        await gateway.cards("cus_1")
    await gateway.close()


@pytest.mark.parametrize("in_body", [False, True])
async def test_a_stripe_that_is_slow_is_given_up(
    cloud: StripeCloud, gateway: StripeGateway, in_body: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stripe_gateway, "ANSWER_SECONDS", 0.3)
    cloud.stalls_in_body, cloud.delay_seconds = in_body, 0 if in_body else 30
    began = time.monotonic()
    with pytest.raises(StripeUnavailable):
        await gateway.cards("cus_1")
    assert time.monotonic() - began < 5


async def test_a_short_failure_is_overcome_without_making_anything_twice(
    cloud: StripeCloud,
) -> None:
    cloud.failing, cloud.failures_left = ("/v1/customers",), 1
    async with asking(cloud, retries=2) as gateway:
        await gateway.create_customer(Payer(7, "Kari", "kari@example.org"))
    first, second = cloud.asked
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]


async def test_the_wait_does_not_grow_with_the_retries(
    cloud: StripeCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stripe_gateway, "ANSWER_SECONDS", 1)
    cloud.delay_seconds = 30
    async with asking(cloud, retries=2) as gateway:
        began = time.monotonic()
        with pytest.raises(StripeUnavailable):
            await gateway.cards("cus_1")
    assert time.monotonic() - began < 2.5


async def test_without_a_key_stripe_is_not_asked(cloud: StripeCloud) -> None:
    gateway = StripeGateway(StripeSettings(None, api_base=cloud.url))
    with pytest.raises(StripeUnavailable, match="secret_key"):
        await gateway.tiers()
    assert cloud.asked == []


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_the_list_of_tiers_is_kept_for_ten_minutes_the_dearest_first(
    cloud: StripeCloud, gateway: StripeGateway
) -> None:
    clock = Clock()
    listed = TierList(gateway, clock=clock)
    assert list(await listed.current()) == [FULL, PLAIN]
    asked = len(cloud.asked)
    clock.now = FRESH_SECONDS - 1
    await listed.current()
    assert len(cloud.asked) == asked
    cloud.prices["price_odd"] = 60000
    clock.now = FRESH_SECONDS + 1
    assert [tier.price_id for tier in await listed.current()] == ["price_odd", "price_500"]


async def test_a_part_of_the_list_is_not_kept(cloud: StripeCloud, gateway: StripeGateway) -> None:
    listed = TierList(gateway)
    cloud.failing = ("/v1/prices/price_500",)
    with pytest.raises(StripeUnavailable):
        await listed.current()
    cloud.failing = ()
    assert list(await listed.current()) == [FULL, PLAIN]


async def test_while_stripe_is_down_the_old_list_holds(
    cloud: StripeCloud, gateway: StripeGateway
) -> None:
    clock = Clock()
    listed = TierList(gateway, clock=clock)
    await listed.current()
    cloud.failing, clock.now = ("/",), FRESH_SECONDS + 1
    assert list(await listed.current()) == [FULL, PLAIN]
    asked = len(cloud.asked)
    await listed.current()
    assert len(cloud.asked) == asked
    clock.now += RETRY_SECONDS + 1
    await listed.current()
    assert len(cloud.asked) > asked


async def test_those_who_ask_at_once_wait_for_one_answer(
    cloud: StripeCloud, gateway: StripeGateway
) -> None:
    cloud.delay_seconds = 0.05
    listed = tiers.TierList(gateway)
    answers = await asyncio.gather(*(listed.current() for _ in range(20)))
    assert all(list(answer) == [FULL, PLAIN] for answer in answers)
    assert cloud.paths().count("/v1/products") == 1


async def test_one_who_leaves_does_not_spoil_it_for_the_others(
    cloud: StripeCloud, gateway: StripeGateway
) -> None:
    cloud.delay_seconds = 0.05
    listed = TierList(gateway)
    leaving = asyncio.create_task(listed.current())
    staying = asyncio.create_task(listed.current())
    await asyncio.sleep(0.02)
    leaving.cancel()
    assert list(await staying) == [FULL, PLAIN]


def test_the_library_is_not_imported_before_it_is_needed() -> None:
    said = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, console.app; print('stripe' in sys.modules, 'PIL' in sys.modules)",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.split() == ["False", "False"]
