"""A member and her money: what her page says, and the way to Stripe's pages and back."""

import asyncio
import re
import time
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta

import pytest

from console.database import Connection, Database
from tests.support import makerspace
from tests.support.paying_site import MEMBERSHIP, PayingSite, paying_site
from tests.support.stripe_cloud import failure, invoice, message, news

CHECKOUT, PORTAL, RETRY = (f"{MEMBERSHIP}/{name}" for name in ("checkout", "portal", "retry"))
FULL = {"price": "price_500"}
DAY = timedelta(days=1)


@pytest.fixture
async def paid(database: Database, connection: Connection) -> AsyncGenerator[PayingSite]:
    async with paying_site(database, connection) as opened:
        yield opened


def words(page: str) -> str:
    """What stands on a page, without its marks and with single spaces."""
    return " ".join(re.sub(r"<[^>]+>", "", page.replace("</t", " </t")).split())


def paid_invoice(*, days: int = 30, name: str = "in_1", customer: str = "cus_1") -> bytes:
    now = int(time.time())
    return message(
        "invoice.payment_succeeded",
        invoice((now - 60, now + days * 86400, 50000), customer=customer, invoice=name),
        event_id=f"evt_{name}",
    )


async def test_who_has_none_is_offered_each_membership_with_its_price(paid: PayingSite) -> None:
    page = await paid.get(MEMBERSHIP)
    text = words(page)
    assert "No membership" in text
    assert "Full member kr 500 each period · Door access · Vote" in text
    assert "Supporting member kr 300.50 each period" in text
    assert page.index("Full member") < page.index("Supporting member")
    assert "No payment yet" in text
    assert "Questions about money: ask Tore (circle “treasurers”)" in text
    assert page.count(f'action="{CHECKOUT}"') == 2
    assert f'action="{PORTAL}"' not in page


async def test_choosing_one_leads_to_stripes_page(paid: PayingSite) -> None:
    answer = await paid.post(CHECKOUT, FULL)
    assert answer.status == 303
    assert answer.headers["Location"] == f"{paid.cloud.url}/pay/cs_2#fid%2Fkept"
    [order] = paid.cloud.forms("/v1/checkout/sessions")
    home = str(paid.site.server.make_url("")).rstrip("/")
    assert order["line_items[0][price]"] == "price_500"
    assert order["metadata[accountId]"] == str(paid.kari)
    assert re.fullmatch(rf"{home}/me/membership/waiting\?after=0", order["success_url"])
    assert order["cancel_url"] == f"{home}/me/membership?from=checkout"


async def test_choosing_twice_at_once_begins_one_checkout(paid: PayingSite) -> None:
    paid.cloud.delay_seconds = 0.05
    client = await paid.site.browser("kari")
    answers = await asyncio.gather(*(paid.post(CHECKOUT, FULL, client=client) for _ in range(3)))
    assert {answer.headers["Location"] for answer in answers} == {
        f"{paid.cloud.url}/pay/cs_2#fid%2Fkept"
    }
    assert len(paid.cloud.forms("/v1/checkout/sessions")) == 1
    assert len(paid.cloud.forms("/v1/customers")) == 1


async def test_another_choice_closes_the_page_of_the_first(paid: PayingSite) -> None:
    await paid.post(CHECKOUT, FULL)
    other = await paid.post(CHECKOUT, {"price": "price_300"})
    assert other.headers["Location"].startswith(f"{paid.cloud.url}/pay/cs_3")
    statuses = {name: one["status"] for name, one in paid.cloud.sessions.items()}
    assert statuses == {"cs_2": "expired", "cs_3": "open"}


@pytest.mark.parametrize(
    "fields",
    [{}, {"price": ""}, {"price": "price_999"}, {"price": "x" * 300}, {"price": "price\u00a0500"}],
    ids=["none", "empty", "unknown", "long", "odd"],
)
async def test_a_membership_that_is_not_offered_is_refused_beside_the_offers(
    paid: PayingSite, fields: dict[str, str]
) -> None:
    answer = await paid.post(CHECKOUT, fields)
    assert answer.status == 422
    page = await answer.text()
    assert "isn't offered any more" in words(page).replace("&#39;", "'")
    assert page.index('id="tiers"') < page.index('role="alert"')
    assert paid.cloud.sessions == {}


async def test_who_subscribes_sees_which_one_and_is_not_sold_another(paid: PayingSite) -> None:
    await paid.is_customer()
    paid.cloud.subscriptions["cus_1"], paid.cloud.prices_of["cus_1"] = ["active"], "price_500"
    text = words(await paid.get(MEMBERSHIP))
    assert "Full member kr 500 each period · Door access · Vote yours" in text
    assert "It goes on by itself" in text
    assert f'action="{CHECKOUT}"' not in await paid.get(MEMBERSHIP)
    answer = await paid.post(CHECKOUT, FULL)
    assert (answer.status, "paid by itself" in await answer.text()) == (422, True)


async def test_a_cancelled_membership_says_when_it_ends(paid: PayingSite) -> None:
    await paid.is_customer()
    ends = datetime(datetime.now(UTC).year + 1, 3, 5, 12, tzinfo=UTC)
    paid.cloud.subscriptions["cus_1"] = ["active"]
    paid.cloud.ends_at["cus_1"] = int(ends.timestamp())
    text = words(await paid.get(MEMBERSHIP))
    assert f"Cancelled: it ends 5 March {ends.year}" in text
    assert "doors and tools work until the last day that is paid, and 24 hours more" in text


async def test_payments_are_listed_with_their_receipts(paid: PayingSite) -> None:
    await paid.is_customer()
    assert await paid.tell(paid_invoice(name="in_1")) == 200
    await makerspace.payment(paid.site.connection, account=paid.kari, amount=300)
    paid.cloud.paid["cus_1"] = ["in_1"]
    page = await paid.get(MEMBERSHIP)
    assert page.count("https://invoice.example/in_1") == 1
    assert "kr 500" in words(page)
    assert "kr 300" in words(page)


async def test_many_payments_are_cut_and_the_page_says_so(paid: PayingSite) -> None:
    for number in range(25):
        start = datetime.now(UTC) - 30 * number * DAY
        await makerspace.payment(
            paid.site.connection, account=paid.kari, start=start, end=start + 30 * DAY
        )
    text = words(await paid.get(MEMBERSHIP))
    assert "The latest 24 are shown." in text


async def test_the_portal_is_for_those_who_have_paid_here(paid: PayingSite) -> None:
    never = await paid.post(PORTAL)
    assert (never.status, "never paid here" in await never.text()) == (422, True)
    assert paid.cloud.paths("POST") == []
    await paid.is_customer()
    paid.cloud.portal_url = f"{paid.cloud.url}/portal/1"
    answer = await paid.post(PORTAL)
    assert (answer.status, answer.headers["Location"]) == (303, paid.cloud.portal_url)
    [asked] = paid.cloud.forms("/v1/billing_portal/sessions")
    assert asked["return_url"] == str(paid.site.server.make_url(MEMBERSHIP))


async def test_a_page_on_another_host_is_reached_by_a_link(paid: PayingSite) -> None:
    await paid.is_customer()
    answer = await paid.post(PORTAL)
    assert answer.status == 200
    assert 'href="https://billing.example/bps_1"' in await answer.text()


@pytest.mark.parametrize("url", ["http://billing.example/", "javascript:alert(1)", "billing"])
async def test_what_is_no_page_is_no_answer(paid: PayingSite, url: str) -> None:
    await paid.is_customer()
    paid.cloud.portal_url = url
    answer = await paid.post(PORTAL)
    assert answer.status == 502
    assert f'"{url}"' not in await answer.text()


async def test_only_this_page_lets_forms_lead_to_stripe(paid: PayingSite) -> None:
    client = await paid.site.browser("kari")
    policy = (await client.get(MEMBERSHIP)).headers["Content-Security-Policy"]
    assert (
        "form-action 'self' https://checkout.stripe.com https://billing.stripe.com "
        f"{paid.cloud.url};" in policy
    )
    for path in ("/", "/me", f"{MEMBERSHIP}/waiting"):
        assert "form-action 'self';" in (await client.get(path)).headers["Content-Security-Policy"]


async def test_when_stripe_is_down_the_page_says_so_and_shows_what_is_known(
    paid: PayingSite,
) -> None:
    await paid.is_customer()
    await paid.tell(paid_invoice())
    paid.cloud.failing = ("/",)
    text = words(await paid.get(MEMBERSHIP))
    assert "Stripe, which takes the payments, doesn't answer just now" in text.replace("&#39;", "'")
    assert "Paid until" in text
    assert "kr 500" in text
    for path, fields, told in (
        (CHECKOUT, FULL, "nothing was charged"),
        (PORTAL, {}, "nothing was charged"),
        (RETRY, {}, "known whether the payment went through"),
    ):
        answer = await paid.post(path, fields)
        assert (answer.status, told in await answer.text()) == (502, True), path
    paid.cloud.failing = ()
    assert (await paid.post(CHECKOUT, FULL)).status == 303


async def test_a_failed_payment_is_told_on_the_front_page_and_paid_by_a_retry(
    paid: PayingSite,
) -> None:
    await paid.is_customer()
    await makerspace.payment(
        paid.site.connection,
        account=paid.kari,
        start=datetime.now(UTC) - 30 * DAY,
        end=datetime.now(UTC) - 0.1 * DAY,
    )
    assert await paid.tell(failure("in_9", at=int(time.time()))) == 200
    front = await paid.get("/")
    assert re.search(r"Payment failed \d+ \w+; doors work until", front)
    assert f'href="{MEMBERSHIP}">Fix it</a>' in front
    paid.cloud.invoices["cus_1"] = ["in_9"]
    page = await paid.get(MEMBERSHIP)
    assert "kr 500 couldn't be taken from your card" in words(page).replace("&#39;", "'")
    assert 'href="https://invoice.example/in_9"' in page
    no_card = await paid.post(RETRY)
    assert (no_card.status, "no card of yours" in await no_card.text()) == (422, True)
    paid.cloud.cards["cus_1"], paid.cloud.declined = ["pm_1"], {"pm_1"}
    declined = await paid.post(RETRY)
    assert (declined.status, "Every card was declined" in await declined.text()) == (422, True)
    paid.cloud.declined = set()
    answer = await paid.post(RETRY)
    assert answer.status == 303
    waiting = answer.headers["Location"]
    assert "Waiting for Stripe" in await paid.get(waiting)
    await paid.tell(paid_invoice(name="in_9"))
    assert "your payment has arrived. Paid until" in words(await paid.get(waiting))
    assert "Fix it" not in await paid.get("/")


async def test_retrying_twice_at_once_pays_once_and_says_so_to_both(paid: PayingSite) -> None:
    await paid.is_customer()
    paid.cloud.invoices["cus_1"], paid.cloud.cards["cus_1"] = ["in_9"], ["pm_1"]
    await paid.tell(failure("in_9", at=int(time.time())))
    paid.cloud.delay_seconds = 0.05
    client = await paid.site.browser("kari")
    first, second = await asyncio.gather(*(paid.post(RETRY, client=client) for _ in range(2)))
    assert {first.status, second.status} == {303, 200}
    assert paid.cloud.paths("POST").count("/v1/invoices/in_9/pay") == 1
    assert "Payment failed" not in await paid.get("/")  # Stripe says that nothing is open


async def test_the_waiting_page_asks_again_until_stripes_word_has_come(paid: PayingSite) -> None:
    await paid.is_customer()
    answer = await paid.post(CHECKOUT, FULL)
    assert answer.status == 303
    [order] = paid.cloud.forms("/v1/checkout/sessions")
    path = order["success_url"].removeprefix(str(paid.site.server.make_url("")).rstrip("/"))
    page = await paid.get(path)
    assert f'hx-get="{path}&amp;looks=1"' in page
    client = await paid.site.browser("kari")
    part = await client.get(f"{path}&looks=1", headers={"HX-Request": "true"})
    assert f'hx-get="{path}&amp;looks=2"' in await part.text()
    tired = await (await client.get(f"{path}&looks=60", headers={"HX-Request": "true"})).text()
    assert "hx-get" not in tired
    assert "Don't pay again" in words(tired).replace("&#39;", "'")
    await paid.tell(paid_invoice())
    arrived = await (await client.get(f"{path}&looks=2", headers={"HX-Request": "true"})).text()
    assert "hx-get" not in arrived
    assert "your payment has arrived" in arrived


async def test_stripes_word_may_come_before_the_person(paid: PayingSite) -> None:
    await paid.post(CHECKOUT, FULL)
    [order] = paid.cloud.forms("/v1/checkout/sessions")
    await paid.tell(paid_invoice(customer="cus_1"))
    assert "your payment has arrived" in await paid.get(
        order["success_url"].removeprefix(str(paid.site.server.make_url("")).rstrip("/"))
    )


async def test_an_old_payment_is_not_taken_for_the_one_that_is_waited_for(
    paid: PayingSite,
) -> None:
    old = await makerspace.payment(paid.site.connection, account=paid.kari)
    page = await paid.get(f"{MEMBERSHIP}/waiting?after={old}")
    assert "Waiting for Stripe" in page


@pytest.mark.parametrize("query", ["", "?after=x&looks=-1", "?after=99999999999999999999"])
async def test_an_odd_waiting_address_is_harmless(paid: PayingSite, query: str) -> None:
    assert "Stripe" in await paid.get(f"{MEMBERSHIP}/waiting{query}")


async def test_leaving_stripes_page_says_that_nothing_was_charged(paid: PayingSite) -> None:
    assert "Nothing was charged" in await paid.get(f"{MEMBERSHIP}?from=checkout")


async def test_messages_of_a_subscription_count_by_when_they_were_made(paid: PayingSite) -> None:
    await paid.is_customer()
    await makerspace.payment(paid.site.connection, account=paid.kari, end=datetime.now(UTC) + DAY)
    assert "See whether it goes on" in await paid.get("/")
    base = {"id": "sub_1", "customer": "cus_1", "status": "active"}
    now = int(time.time())
    kind = "customer.subscription.updated"
    assert await paid.tell(news(kind, base, at=now)) == 200
    assert "See whether it goes on" not in await paid.get("/")
    assert await paid.tell(news(kind, base | {"cancel_at_period_end": True}, at=now + 9)) == 200
    assert "and then it ends" in await paid.get("/")
    assert await paid.tell(news(kind, base, at=now + 1)) == 200
    assert "and then it ends" in await paid.get("/")


async def test_an_invoice_that_stripe_gives_up_is_no_failure_any_more(paid: PayingSite) -> None:
    await paid.is_customer()
    await paid.tell(failure("in_9", at=int(time.time())))
    assert "Fix it" in await paid.get("/")
    await paid.tell(message("invoice.voided", {"id": "in_9"}))
    assert "Fix it" not in await paid.get("/")


async def test_a_failure_that_is_told_after_its_invoice_was_given_up_is_none(
    paid: PayingSite,
) -> None:
    await paid.is_customer()
    now = int(time.time())
    await paid.tell(message("invoice.voided", {"id": "in_2"}))
    await paid.tell(failure("in_2", at=now - 60))
    assert "Fix it" not in await paid.get("/")
    await paid.tell(failure("in_3", at=now))
    assert "Fix it" in await paid.get("/")
    await paid.tell(message("invoice.voided", {"id": "in_3"}))
    await paid.tell(failure("in_3", at=now - 60))
    assert "Fix it" not in await paid.get("/")
    assert "Kari Nordmann" not in await paid.get("/money/people?list=failed", "tore")


async def test_of_one_second_the_making_of_a_subscription_is_oldest_and_its_end_newest(
    paid: PayingSite,
) -> None:
    await paid.is_customer()
    await makerspace.payment(paid.site.connection, account=paid.kari, end=datetime.now(UTC) + DAY)
    base, now = {"id": "sub_1", "customer": "cus_1"}, int(time.time())

    async def told(kind: str, status: str) -> str:
        body = base | {"status": status}
        assert await paid.tell(news(f"customer.subscription.{kind}", body, at=now)) == 200
        return await paid.get("/")

    assert "and then it ends" not in await told("updated", "active")
    assert "and then it ends" not in await told("created", "incomplete")
    assert "and then it ends" in await told("deleted", "canceled")
    assert "and then it ends" in await told("updated", "active")


@pytest.mark.parametrize("body", [{}, {"id": "x" * 60, "customer": "cus_1"}, {"id": "in_1"}])
async def test_an_odd_message_of_a_failure_is_taken_and_means_nothing(
    paid: PayingSite, body: dict[str, str]
) -> None:
    assert await paid.tell(message("invoice.payment_failed", body)) == 200
    assert "Fix it" not in await paid.get("/")


async def test_without_a_key_the_page_says_whom_to_ask(
    database: Database, connection: Connection
) -> None:
    async with paying_site(database, connection, takes_payments=False) as paid:
        text = words(await paid.get(MEMBERSHIP)).replace("&#39;", "'")
        assert "Payments aren't taken on these pages. Questions about money: ask Tore" in text
        policy = (await (await paid.site.browser("kari")).get(MEMBERSHIP)).headers[
            "Content-Security-Policy"
        ]
        assert "form-action 'self';" in policy
        for path in (CHECKOUT, PORTAL, RETRY):
            answer = await paid.post(path, FULL)
            assert (answer.status, "aren&#39;t taken here" in await answer.text()) == (422, True)
        assert paid.cloud.asked == []


@pytest.mark.parametrize(
    ("days", "sentence"), [(None, "No membership"), (-3, "Membership ended"), (3, "Paid until")]
)
async def test_without_a_key_home_and_me_name_whom_to_ask_and_promise_nothing(
    database: Database, connection: Connection, days: int | None, sentence: str
) -> None:
    async with paying_site(database, connection, takes_payments=False) as paid:
        if days is not None:
            now = datetime.now(UTC)
            await makerspace.payment(
                connection, account=paid.kari, start=now - 30 * DAY, end=now + days * DAY
            )
        for path in ("/", "/me"):
            page = await paid.get(path)
            text = words(page).replace("&#39;", "'")
            assert sentence in text
            assert "Payments aren't taken on these pages." in text
            assert "Questions about money: ask Tore (circle “treasurers”)." in text
            for promise in ("Choose a membership", "See whether it goes on", "Fix it"):
                assert promise not in text
        assert "Stripe" not in words(await paid.get(MEMBERSHIP))


async def test_whoever_needs_nothing_is_told_nothing_of_money(
    database: Database, connection: Connection
) -> None:
    async with paying_site(database, connection, takes_payments=False) as paid:
        await makerspace.payment(connection, account=paid.kari)
        for path in ("/", "/me"):
            assert "Questions about money" not in await paid.get(path)
    assert paid.cloud.asked == []
