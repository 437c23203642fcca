"""The old API of membership: what it costs, who pays, and what Stripe tells.

Source: the contract of the old API, §8 and §13.
"""

import re
import time

import structlog
from aiohttp import web

from console.errors import BadRequest
from console.legacy.answers import Json, answer
from console.legacy.bodies import Body, read_body
from console.membership import checkout, queries
from console.membership.billing import StripeUnavailable, Tier
from console.membership.checkout import Ready, Refused, Wish
from console.membership.collecting import Collected, pay_open_invoices
from console.membership.monthly_chart import MONTHS_MAX
from console.membership.signature import is_signed
from console.membership.stripe_event import Malformed, read_event
from console.membership.treasury import TREASURY
from console.membership.webhook import Office, take_in
from console.rights.access import standings
from console.rights.publish import unix_ms
from console.web.keys import DATABASE, MAILER, SETTINGS
from console.web.origin import Sender, is_foreign
from console.web.routing import Route, Who
from console.web.session import author, visitor

log = structlog.get_logger()

READING_FAILED = (
    "Error reading data from Stripe. Contact kasserer@bitraf.no if the problem persists."
)
STRIPE_FAILED = "Stripe error. Contact kasserer@bitraf.no if the problem persists."
NO_ANSWER = "Stripe doesn't answer as it should. Try again in a minute."
NO_BILLING = "No billing information available. Create a subscription first."
NO_WORKING_CARD = "Card declined or no valid payment methods defined."
EVENT_BYTES_MAX = 256 * 1024
"""An invoice with many lines is longer than what else may be sent here."""
URL_CHARACTERS_MAX = 500
PRICE_CHARACTERS_MAX = 255

_BASE_URL = re.compile(r"https?://[^/?#@\\\s]+(?:/[A-Za-z0-9._~/-]*)?")

_NOT_COLLECTED = {
    Collected.NOTHING_OPEN: "No open invoices found.",
    Collected.NO_CARD: "No active credit card",
    Collected.DECLINED: NO_WORKING_CARD,
}
_NO_CHECKOUT = {
    Refused.NO_SUCH_TIER: "priceId: there is no such membership",
    Refused.SUBSCRIBED: "User is already subscribed.",
}


def routes() -> list[Route]:
    """Its paths."""
    return [
        Route("GET", "/membership/tiers", Who.ANYONE, tiers),
        Route("GET", "/membership/status", Who.MEMBER, status),
        Route("POST", "/membership/create-checkout-session", Who.MEMBER, create_checkout_session),
        Route("POST", "/membership/customer-portal", Who.MEMBER, customer_portal),
        Route("POST", "/membership/retry-payment", Who.MEMBER, retry_payment),
        Route("POST", "/membership/stripe/webhook", Who.ANYONE, webhook),
        Route("GET", "/stripe-stats.png", Who.MEMBER, stripe_stats),
    ]


async def tiers(request: web.Request) -> web.StreamResponse:
    """What can be bought, the dearest first."""
    try:
        known = await request.app[TREASURY].tiers.current()
    except StripeUnavailable as error:
        raise BadRequest(READING_FAILED) from error
    return answer([_tier(tier) for tier in known])


async def status(request: web.Request) -> web.StreamResponse:
    """How the visitor stands, with Stripe and here."""
    me, gateway = visitor(request).account_id, request.app[TREASURY].gateway
    async with request.app[DATABASE].reading() as conn:
        customer = await queries.customer_of(conn, account_id=me)
        standing = (await standings(conn, now_ms=unix_ms(), account_id=me)).get(me)
    is_subscribed = has_unpaid = False
    if customer is not None:
        try:
            is_subscribed = await gateway.has_active_subscription(customer)
            has_unpaid = bool(await gateway.open_invoices(customer))
        except StripeUnavailable as error:
            raise web.HTTPBadGateway(text=NO_ANSWER) from error
    return answer(
        {
            "unpaid_invoice": has_unpaid,
            "subscription_active": is_subscribed,
            "p2k16_paying_member": standing is not None and standing.is_paying,
        }
    )


async def create_checkout_session(request: web.Request) -> web.StreamResponse:
    """Begins a subscription; answers with the session that Stripe's page is opened with."""
    body = await read_body(request)
    price_id = body.text("priceId", least=1, most=PRICE_CHARACTERS_MAX)
    base_url = _base_url(request, body)
    wish = Wish(
        account_id=visitor(request).account_id,
        price_id=price_id,
        success_url=f"{base_url}/#!/?session_id={{CHECKOUT_SESSION_ID}}",
        cancel_url=f"{base_url}/#!/",
        by=author(request),
    )
    treasury = request.app[TREASURY]
    try:
        prepared = await checkout.prepare(
            wish,
            database=request.app[DATABASE],
            gateway=treasury.gateway,
            tiers=treasury.tiers,
        )
    except StripeUnavailable as error:
        raise web.HTTPBadGateway(text=NO_ANSWER) from error
    match prepared:
        case Ready(order):
            pass
        case Refused.NO_SUCH_ACCOUNT:
            raise web.HTTPUnauthorized
        case refused:
            raise BadRequest(_NO_CHECKOUT[refused])
    try:
        return answer({"sessionId": await treasury.gateway.start_checkout(order)})
    except StripeUnavailable as error:
        raise BadRequest(STRIPE_FAILED) from error


async def customer_portal(request: web.Request) -> web.StreamResponse:
    """The address of Stripe's page where the visitor changes cards and subscriptions."""
    base_url = _base_url(request, await read_body(request))
    customer = await _customer(request)
    if customer is None:
        raise BadRequest(NO_BILLING)
    try:
        url = await request.app[TREASURY].gateway.open_portal(
            customer=customer, return_url=f"{base_url}/#!/"
        )
    except StripeUnavailable as error:
        raise BadRequest(STRIPE_FAILED) from error
    return answer({"portalUrl": url})


async def retry_payment(request: web.Request) -> web.StreamResponse:
    """Tries to get the visitor's open invoices paid. The body isn't looked at."""
    customer = await _customer(request)
    if customer is None:
        raise BadRequest(NO_WORKING_CARD)
    try:
        collected = await pay_open_invoices(request.app[TREASURY].gateway, customer)
    except StripeUnavailable as error:
        raise web.HTTPBadGateway(text=NO_ANSWER) from error
    if collected is not Collected.PAID:
        raise BadRequest(_NOT_COLLECTED[collected])
    return answer(True)


async def webhook(request: web.Request) -> web.StreamResponse:
    """A message of Stripe's. Whatever isn't answered with 200 it sends again, for days."""
    secret = request.app[SETTINGS].stripe.webhook_secret
    if secret is None:
        return _words("Stripe not enabled", status=400)
    try:
        body = await request.clone(client_max_size=EVENT_BYTES_MAX).read()
    except (web.RequestPayloadError, ConnectionResetError):
        return _words("Bad payload", status=400)
    signature = request.headers.get("Stripe-Signature", "")
    if not is_signed(body, signature, secret=secret, now=time.time()):
        log.warning("webhook.bad_signature")
        return _words("Bad signature", status=400)
    try:
        event = read_event(body)
    except Malformed as error:
        log.warning("webhook.bad_payload", reason=str(error))
        return _words("Bad payload", status=400)
    office = Office(
        database=request.app[DATABASE],
        gateway=request.app[TREASURY].gateway,
        mailer=request.app[MAILER],
        by=author(request),
    )
    try:
        nobody = await take_in(event, office)
    except StripeUnavailable as error:
        raise web.HTTPBadGateway(text=NO_ANSWER) from error
    if nobody is not None:
        log.error("webhook.nobody", id=event.id, type=event.type, reason=nobody.words)
        raise web.HTTPConflict(text=nobody.words)
    log.info("webhook.taken_in", id=event.id, type=event.type)
    return _words("OK\n")


async def stripe_stats(request: web.Request) -> web.StreamResponse:
    """Revenue and members of each month, as a picture."""
    async with request.app[DATABASE].reading() as conn:
        months = await queries.months(conn, count=MONTHS_MAX)
    picture = await request.app[TREASURY].chart.picture(months)
    return web.Response(body=picture, content_type="image/png")


def _tier(tier: Tier) -> Json:
    return {
        "priceId": tier.price_id,
        "name": tier.name,
        "price": tier.price,
        "features": tier.features,
    }


async def _customer(request: web.Request) -> str | None:
    async with request.app[DATABASE].reading() as conn:
        return await queries.customer_of(conn, account_id=visitor(request).account_id)


def _base_url(request: web.Request, body: Body) -> str:
    """Where Stripe is to lead back to: to a page of this site, and to no other."""
    url = body.text("baseUrl", least=1, most=URL_CHARACTERS_MAX)
    sender = Sender(
        method=request.method,
        path=request.path,
        host=request.headers.get("Host"),
        origins=[url],
        fetch_sites=[],
    )
    if _BASE_URL.fullmatch(url) is None or is_foreign(
        sender, public_url=request.app[SETTINGS].http.public_url
    ):
        raise BadRequest("baseUrl: the address of this site is expected")
    return url.rstrip("/")


def _words(text: str, *, status: int = 200) -> web.Response:
    """As the old web app answered Stripe: a text that calls itself HTML."""
    return web.Response(text=text, status=status, content_type="text/html")
