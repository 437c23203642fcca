"""The only file that speaks to Stripe, by the library `stripe`, which nothing else imports.

The library is imported when Stripe is first needed: it takes some megabytes. Nothing of it is set
globally. See docs/decisions/0016-stripe.md.
"""

import asyncio
import hashlib
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import aiohttp
import structlog
from msgspec import Struct

from console.membership.billing import (
    Account,
    Line,
    Order,
    Payer,
    StripeUnavailable,
    Tier,
    major_units,
)
from console.membership.stripe_account import invoice, page_of, subscription
from console.membership.stripe_event import GOES_ON
from console.settings import StripeSettings

if TYPE_CHECKING:
    from stripe import AIOHTTPClient, Price, StripeClient
    from stripe.params import CustomerCreateParams

log = structlog.get_logger()

ANSWER_SECONDS = 10
"""How long anybody waits for the answer to one question, retries included."""
PAGE = 100
"""Rows that Stripe gives at a time, at most."""


class _Open(Struct, frozen=True):
    client: "StripeClient"
    http: "AIOHTTPClient"


class StripeGateway:
    """Asks Stripe. Every question raises StripeUnavailable when it isn't answered within 10 s."""

    def __init__(self, settings: StripeSettings) -> None:
        self._settings = settings
        self._open: _Open | None = None
        self._opening = asyncio.Lock()

    async def tiers(self) -> list[Tier]:
        """All memberships that can be bought, or none of them: the list is never a part."""
        async with self._asking("tiers") as client:
            found: list[Tier] = []
            products = await client.v1.products.list_async({"active": True, "limit": PAGE})
            async for product in products.auto_paging_iter():
                if product.default_price is None:
                    continue
                price = await client.v1.prices.retrieve_async(_id_of(product.default_price))
                if price.unit_amount is None:  # its price depends on how much is bought
                    continue
                features = product.metadata.to_dict().get("product_features")
                found.append(
                    Tier(
                        price_id=price.id,
                        name=product.name,
                        price=major_units(price.unit_amount),
                        features=tuple(features.split("$")) if features else (),
                    )
                )
            return found

    async def has_active_subscription(self, customer: str) -> bool:
        """Whether the customer has a subscription that goes on."""
        async with self._asking("subscriptions") as client:
            listed = await client.v1.subscriptions.list_async({"customer": customer, "limit": PAGE})
            return any(one.status in GOES_ON for one in listed.data)

    async def has_any_subscription(self, customer: str) -> bool:
        """The same, but one that was only begun counts, too."""
        async with self._asking("customer") as client:
            found = await client.v1.customers.retrieve_async(
                customer, {"expand": ["subscriptions"]}
            )
            return "subscriptions" in found and bool(
                found.subscriptions and found.subscriptions.data
            )

    async def create_customer(self, payer: Payer) -> str:
        """Makes a customer, and gives Stripe's id of it; the same one when asked again the same."""
        who: CustomerCreateParams = {"email": payer.email}
        if payer.name:
            who["name"] = payer.name
        what = f"{payer.account_id}\n{payer.name or ''}\n{payer.email}"
        key = f"p2k16-customer-{hashlib.sha256(what.encode()).hexdigest()}"
        async with self._asking("new customer") as client:
            made = await client.v1.customers.create_async(who, {"idempotency_key": key})
            return made.id

    async def start_checkout(self, order: Order) -> str:
        """Prepares Stripe's page for an order, and gives the id of its session."""
        async with self._asking("checkout") as client:
            session = await client.v1.checkout.sessions.create_async(
                {
                    "customer": order.customer,
                    "mode": "subscription",
                    "line_items": [{"price": order.price_id, "quantity": 1}],
                    "metadata": {"accountId": str(order.account_id)},
                    "success_url": order.success_url,
                    "cancel_url": order.cancel_url,
                }
            )
            return session.id

    async def checkout_page(self, order: Order) -> str:
        """The URL of Stripe's page for an order.

        A page that is open for the same order is given again, and one for another tier is closed:
        whoever has two can't pay twice.
        """
        async with self._asking("checkout page") as client:
            sessions = client.v1.checkout.sessions
            listed = await sessions.list_async({"customer": order.customer, "status": "open"})
            found: str | None = None
            for one in listed.data:
                url = None if found else page_of(one.to_dict(), price_id=order.price_id)
                if url is None:
                    await sessions.expire_async(one.id)
                found = found or url
            if found is not None:
                return found
            made = await sessions.create_async(
                {
                    "customer": order.customer,
                    "mode": "subscription",
                    "line_items": [{"price": order.price_id, "quantity": 1}],
                    "metadata": {"accountId": str(order.account_id), "priceId": order.price_id},
                    "success_url": order.success_url,
                    "cancel_url": order.cancel_url,
                }
            )
            return str(made.to_dict().get("url") or "")

    async def account(self, customer: str) -> Account:
        """What goes on, and the latest invoices."""
        async with self._asking("account") as client:
            subscriptions, invoices = await asyncio.gather(
                client.v1.subscriptions.list_async({"customer": customer, "limit": PAGE}),
                client.v1.invoices.list_async({"customer": customer, "limit": PAGE}),
            )
            return Account(
                tuple(
                    subscription(one.to_dict())
                    for one in subscriptions.data
                    if one.status in GOES_ON
                ),
                tuple(invoice(one.to_dict()) for one in invoices.data),
            )

    async def open_portal(self, *, customer: str, return_url: str) -> str:
        """The URL of Stripe's page where a customer changes cards and subscriptions."""
        async with self._asking("portal") as client:
            session = await client.v1.billing_portal.sessions.create_async(
                {"customer": customer, "return_url": return_url}
            )
            return session.url

    async def open_invoices(self, customer: str) -> list[str]:
        """The ids of the invoices that wait for money."""
        async with self._asking("open invoices") as client:
            listed = await client.v1.invoices.list_async(
                {"customer": customer, "status": "open", "limit": PAGE}
            )
            return [invoice.id for invoice in listed.data if invoice.id]

    async def cards(self, customer: str) -> list[str]:
        """The ids of the ways to pay that a customer has."""
        async with self._asking("cards") as client:
            listed = await client.v1.customers.payment_methods.list_async(customer, {"limit": PAGE})
            return [card.id for card in listed.data]

    async def pay(self, *, invoice: str, card: str) -> bool:
        """Pays an invoice. False: the card was declined."""
        import stripe

        async with self._asking("payment") as client:
            try:
                await client.v1.invoices.pay_async(invoice, {"payment_method": card})
            except stripe.CardError:
                return False
            return True

    async def invoice_lines(self, invoice: str) -> list[Line]:
        """Every line of an invoice: a webhook brings only the first ten."""
        async with self._asking("invoice lines") as client:
            listed = await client.v1.invoices.line_items.list_async(invoice, {"limit": PAGE})
            return [
                Line(
                    start=datetime.fromtimestamp(line.period.start, UTC),
                    end=datetime.fromtimestamp(line.period.end, UTC),
                    amount=major_units(line.amount),
                )
                async for line in listed.auto_paging_iter()
            ]

    async def close(self) -> None:
        """Closes its connections."""
        if self._open is not None:
            await self._open.http.close_async()

    @asynccontextmanager
    async def _asking(self, what: str) -> AsyncGenerator["StripeClient"]:
        client = await self._client()
        import stripe

        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                yield client
        except (TimeoutError, aiohttp.ClientError, stripe.StripeError) as error:
            status = error.http_status if isinstance(error, stripe.StripeError) else None
            log.warning("stripe.failed", what=what, error=type(error).__name__, status=status)
            raise StripeUnavailable(f"Stripe didn't answer as it should ({what})") from error

    async def _client(self) -> "StripeClient":
        if self._settings.secret_key is None:
            raise StripeUnavailable("Payments aren't set up: [stripe] secret_key is missing")
        async with self._opening:
            if self._open is None:
                self._open = _connected(
                    self._settings,
                    self._settings.secret_key,
                    await asyncio.to_thread(_import_library),
                )
            return self._open.client


def _id_of(price: "str | Price") -> str:
    return price if isinstance(price, str) else price.id


def _import_library() -> ssl.SSLContext:
    """Slow the first time, so it is done in a thread. Gives the authorities that Stripe's has."""
    import stripe

    return ssl.create_default_context(cafile=stripe.ca_bundle_path)


def _connected(settings: StripeSettings, secret_key: str, trusted: ssl.SSLContext) -> _Open:
    import stripe

    http = stripe.AIOHTTPClient(
        # `_asking` alone keeps the time: two clocks that ring at once can drown one another.
        timeout=aiohttp.ClientTimeout(total=None),
        connector=aiohttp.TCPConnector(ssl=trusted),
    )
    client = stripe.StripeClient(
        secret_key,
        base_addresses={"api": settings.api_base.rstrip("/")} if settings.api_base else None,
        max_network_retries=settings.max_network_retries,
        http_client=http,
    )
    return _Open(client, http)
