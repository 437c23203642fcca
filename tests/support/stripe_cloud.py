"""A small stand-in for Stripe's cloud: its HTTP API on a port, as far as it is used here.

Tests set what it holds, and read what it was asked.
"""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from console.settings import ConsoleSettings, StripeSettings

Json = dict[str, Any]

SECRET = "whsec_test"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. `form`: what was posted."""

    method: str
    path: str
    query: dict[str, str]
    form: dict[str, str]
    headers: dict[str, str]


@dataclass
class StripeCloud:
    """What Stripe holds. Failing: the paths whose requests fail begin with one of them."""

    products: list[Json] = field(default_factory=list[Json])
    prices: dict[str, int | None] = field(default_factory=dict[str, int | None])
    subscriptions: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Their statuses, by customer."""
    invoices: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """The open ones, by customer."""
    lines: dict[str, list[Json]] = field(default_factory=dict[str, list[Json]])
    cards: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    declined: set[str] = field(default_factory=set[str])
    paid: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Invoices that were paid, by customer."""
    prices_of: dict[str, str] = field(default_factory=dict[str, str])
    """Which price a customer's subscriptions have."""
    ends_at: dict[str, int] = field(default_factory=dict[str, int])
    """When a customer's subscriptions end that she has cancelled."""
    sessions: dict[str, Json] = field(default_factory=dict[str, Json])
    """Pages of checkout, by their ids."""
    portal_url: str | None = None
    """Where the portal is; None: on a host that is not Stripe's own."""
    failing: tuple[str, ...] = ()
    failing_status: int = 500
    failures_left: int | None = None
    """None: fails for ever."""
    delay_seconds: float = 0
    stalls_in_body: bool = False
    asked: list[Asked] = field(default_factory=list[Asked])
    url: str = ""
    _made: int = 0
    _answers: dict[str, Json] = field(default_factory=dict[str, Json])

    def sell(self, name: str, price_id: str, amount: int | None, features: str = "") -> None:
        """Puts a product with its price on the list."""
        self.products.append(
            {
                "id": f"prod_{price_id}",
                "object": "product",
                "name": name,
                "default_price": price_id,
                "metadata": {"product_features": features} if features else {},
            }
        )
        self.prices[price_id] = amount

    def paths(self, method: str | None = None) -> list[str]:
        """What was asked for, in order."""
        return [one.path for one in self.asked if method in {None, one.method}]

    def forms(self, path: str) -> list[dict[str, str]]:
        """What was posted there."""
        return [one.form for one in self.asked if one.path == path and one.method == "POST"]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        form = {key: str(value) for key, value in (await request.post()).items()}
        self.asked.append(
            Asked(request.method, request.path, dict(request.query), form, dict(request.headers))
        )
        await asyncio.sleep(self.delay_seconds)
        if request.path.startswith("/pay/"):
            return self._payment_page(request)
        if self.stalls_in_body:
            response = web.StreamResponse(headers={"Content-Length": "1000"})
            await response.prepare(request)
            await response.write(b"{")
            await asyncio.sleep(30)
        if self.failing and request.path.startswith(self.failing) and self.failures_left != 0:
            if self.failures_left is not None:
                self.failures_left -= 1
            return _error("Forced failure", self.failing_status, "api_error")
        key = request.headers.get("Idempotency-Key", "")
        if key in self._answers:
            return web.json_response(self._answers[key])
        found = self._route(request, form)
        if found is None:
            return _error("No such thing", 404, "invalid_request_error")
        if "declined" in found:
            return _error("Your card was declined.", 402, "card_error")
        if request.method == "POST":
            self._answers[key] = found
        return web.json_response(found)

    def _route(self, request: web.Request, form: dict[str, str]) -> Json | None:
        match request.method, request.path.removeprefix("/v1/").split("/"):
            case "GET", ["products"]:
                return self._page(self.products, request)
            case "GET", ["prices", price] if price in self.prices:
                return {"id": price, "object": "price", "unit_amount": self.prices[price]}
            case "POST", ["customers"]:
                return {"id": self._new("cus"), "object": "customer"}
            case "GET", ["customers", customer]:
                listed = self._subscriptions(customer)
                return {"id": customer, "object": "customer", "subscriptions": listed}
            case "GET", ["customers", customer, "payment_methods"]:
                return _list([{"id": i, "object": "payment_method"} for i in self._of(customer)])
            case "GET", ["subscriptions"]:
                return self._subscriptions(request.query["customer"])
            case "GET", ["invoices"]:
                return _list(self._invoices(request.query["customer"], request.query.get("status")))
            case "GET", ["invoices", invoice, "lines"]:
                return self._page(self.lines[invoice], request)
            case "POST", ["invoices", invoice, "pay"]:
                return self._pay(invoice, form["payment_method"])
            case "POST", ["checkout", "sessions"] if form["line_items[0][price]"] in self.prices:
                return self._begin_session(form)
            case "GET", ["checkout", "sessions"]:
                return _list(self._sessions(request.query["customer"], request.query["status"]))
            case "POST", ["checkout", "sessions", session, "expire"] if session in self.sessions:
                self.sessions[session]["status"] = "expired"
                return self.sessions[session]
            case "POST", ["billing_portal", "sessions"]:
                url = self.portal_url or f"https://billing.example/{self._new('bps')}"
                return {"id": "bps", "object": "billing_portal.session", "url": url}
            case _:
                return None

    def _new(self, kind: str) -> str:
        self._made += 1
        return f"{kind}_{self._made}"

    def _of(self, customer: str) -> list[str]:
        return self.cards.get(customer, [])

    def _subscriptions(self, customer: str) -> Json:
        statuses = self.subscriptions.get(customer, [])
        return _list(
            [
                {
                    "id": f"sub_{number}",
                    "object": "subscription",
                    "status": status,
                    "items": _list([{"price": {"id": self.prices_of.get(customer, "price_x")}}]),
                    "cancel_at": self.ends_at.get(customer),
                }
                for number, status in enumerate(statuses)
            ]
        )

    def _invoices(self, customer: str, status: str | None) -> list[Json]:
        lists = {"open": self.invoices, "paid": self.paid}
        return [
            {
                "id": one,
                "object": "invoice",
                "status": name,
                "amount_due": 50000,
                "hosted_invoice_url": f"https://invoice.example/{one}",
            }
            for name, known in lists.items()
            if status in {None, name}
            for one in known.get(customer, [])
        ]

    def _begin_session(self, form: dict[str, str]) -> Json:
        session = self._new("cs")
        metadata = {
            name: form[f"metadata[{name}]"]
            for name in ("accountId", "priceId")
            if f"metadata[{name}]" in form
        }
        self.sessions[session] = {
            "id": session,
            "object": "checkout.session",
            "customer": form["customer"],
            "status": "open",
            "url": f"{self.url}/pay/{session}#fid%2Fkept",
            "metadata": metadata,
            "success_url": form["success_url"],
            "cancel_url": form["cancel_url"],
        }
        return self.sessions[session]

    def _sessions(self, customer: str, status: str) -> list[Json]:
        return [
            one
            for one in self.sessions.values()
            if one["customer"] == customer and one["status"] == status
        ]

    def _payment_page(self, request: web.Request) -> web.Response:
        """What Stripe shows who pays: two ways on."""
        session = self.sessions.get(request.path.removeprefix("/pay/"))
        if session is None:
            raise web.HTTPNotFound
        return web.Response(
            text='<!doctype html><html lang="en"><title>Pay</title><h1>Pay at Stripe</h1>'
            f'<a href="{session["success_url"]}">Pay</a>'
            f' <a href="{session["cancel_url"]}">Back</a>',
            content_type="text/html",
        )

    def _pay(self, invoice: str, card: str) -> Json | None:
        for waiting in self.invoices.values():
            if invoice in waiting:
                if card in self.declined:
                    return {"declined": True}
                waiting.remove(invoice)
                return {"id": invoice, "object": "invoice", "status": "paid"}
        return None

    @staticmethod
    def _page(rows: list[Json], request: web.Request) -> Json:
        """Two rows at a time, as Stripe gives a hundred."""
        after = request.query.get("starting_after")
        begin = next((n + 1 for n, row in enumerate(rows) if row["id"] == after), 0)
        page = rows[begin : begin + 2]
        return _list(page, has_more=begin + 2 < len(rows), url=request.path)


def signature(body: bytes, secret: str = SECRET, *, at: float | None = None) -> str:
    """The header that Stripe sends with a message."""
    seconds = int(time.time() if at is None else at)
    signed = b"%d." % seconds + body
    return f"t={seconds},v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


def message(kind: str, content: Json, *, event_id: str = "evt_1") -> bytes:
    """The body of a message."""
    event = {"id": event_id, "object": "event", "type": kind, "data": {"object": content}}
    return json.dumps(event).encode()


def invoice(*lines: tuple[int, int, int], customer: str = "cus_1", invoice: str = "in_1") -> Json:
    """A paid invoice with lines of (start, end, amount in minor units)."""
    return {
        "id": invoice,
        "object": "invoice",
        "customer": customer,
        "created": 1_700_000_000,
        "lines": _list([line(*one, number=number) for number, one in enumerate(lines)]),
    }


def line(start: int, end: int, amount: int, *, number: int = 0) -> Json:
    """A line of an invoice."""
    return {
        "id": f"il_{number}",
        "object": "line_item",
        "amount": amount,
        "period": {"start": start, "end": end},
    }


def failure(invoice: str = "in_9", *, customer: str = "cus_1", at: int) -> bytes:
    """The message that an invoice could not be paid."""
    return news("invoice.payment_failed", {"id": invoice, "customer": customer}, at=at)


def news(kind: str, content: Json, *, at: int) -> bytes:
    """The body of a message with its time."""
    return json.dumps(json.loads(message(kind, content)) | {"created": at}).encode()


def paying(settings: ConsoleSettings, cloud: StripeCloud) -> ConsoleSettings:
    """The settings, with this cloud."""
    stripe = StripeSettings(
        secret_key="sk_test_1",
        webhook_secret=SECRET,
        api_base=cloud.url,
        max_network_retries=0,
    )
    return replace(settings, stripe=stripe)


@asynccontextmanager
async def stripe_cloud() -> AsyncGenerator[StripeCloud]:
    """Stripe, on a port, with nothing to sell yet."""
    cloud = StripeCloud()
    app = web.Application()
    app.router.add_route("*", "/{anything:.*}", cloud.answer)
    async with TestServer(app) as server:
        cloud.url = str(server.make_url("")).rstrip("/")
        yield cloud


def _list(rows: list[Json], *, has_more: bool = False, url: str = "/v1/rows") -> Json:
    return {"object": "list", "data": rows, "has_more": has_more, "url": url}


def _error(words: str, status: int, kind: str) -> web.Response:
    return web.json_response({"error": {"type": kind, "message": words}}, status=status)
