"""`/me/membership`: how the visitor stands, what to do about it, and the way to Stripe's pages."""

from typing import Any

from aiohttp import web
from msgspec import Struct

from console.membership import checkout, queries, standing_queries
from console.membership.billing import StripeUnavailable
from console.membership.checkout import Ready, Refused, Wish
from console.membership.collecting import Collected, pay_open_invoices
from console.membership.contacts import is_taken_here
from console.membership.leading import form_targets, is_safe_link, is_target
from console.membership.own import own_membership
from console.membership.standing import Step, standing
from console.membership.treasury import TREASURY
from console.rights.people_queries import SLACK_HOURS
from console.web import times
from console.web.headers import let_forms_lead_to
from console.web.keys import DATABASE, SETTINGS
from console.web.numbers import read_id
from console.web.render import fragment, page
from console.web.requests import form, is_htmx
from console.web.routing import Route, Who
from console.web.session import author, visitor
from console.words import Text

PATH = "/me/membership"
PRICE_CHARACTERS_MAX = 255
LOOKS_MAX = 60
"""So often a waiting page looks by itself, every two seconds."""

ELSEWHERE = Text("Payments aren't taken here, so nothing was begun.")
NO_SUCH_TIER = Text("That membership isn't offered any more. Choose one of these.")
SUBSCRIBED = Text("You have a membership that is paid by itself. Change it on Stripe's pages.")
NEVER_PAID = Text(
    "You have never paid here, so there is nothing to manage yet. Choose a membership first."
)
NO_ANSWER = Text(
    "Stripe doesn't answer, so nothing was begun and nothing was charged. Try again in a minute."
)
UNKNOWN = Text(
    "Stripe doesn't answer, so it isn't known whether the payment went through."
    " Look at this page again in a minute before you try once more."
)
NOTHING_OPEN = Text("No payment waits any more: there is nothing to pay.")
NO_CARD = Text("Stripe has no card of yours. Give it one, and what is open is paid with it.")
DECLINED = Text("Every card was declined. Give Stripe another one, or ask your bank.")


class Note(Struct, frozen=True):
    """What came of what was asked. `beside`: the part of the page that it stands in."""

    words: str
    beside: str = "top"
    is_good: bool = False


def routes() -> list[Route]:
    """Everything below /me/membership."""
    return [
        Route("GET", PATH, Who.MEMBER, membership_page),
        Route("POST", f"{PATH}/checkout", Who.MEMBER, begin_checkout),
        Route("POST", f"{PATH}/portal", Who.MEMBER, open_portal),
        Route("POST", f"{PATH}/retry", Who.MEMBER, retry),
        Route("GET", f"{PATH}/waiting", Who.MEMBER, waiting_page),
    ]


async def membership_page(request: web.Request) -> web.StreamResponse:
    """How the visitor stands."""
    note = None
    if request.query.get("from") == "checkout":
        note = Note(
            Text("You left Stripe's page before paying. Nothing was charged."), is_good=True
        )
    return await _page(request, note)


async def begin_checkout(request: web.Request) -> web.StreamResponse:
    """Leads to Stripe's page, where the chosen membership is paid."""
    price_id = (await form(request)).get("price", "")
    if not 1 <= len(price_id) <= PRICE_CHARACTERS_MAX or not price_id.isprintable():
        return await _page(request, Note(NO_SUCH_TIER, "tiers"), status=422)
    if not is_taken_here(request):
        return await _page(request, Note(ELSEWHERE), status=422)
    me, treasury = visitor(request).account_id, request.app[TREASURY]
    base = _base_url(request)
    wish = Wish(
        account_id=me,
        price_id=price_id,
        success_url=f"{base}{PATH}/waiting?after={await _last_payment(request)}",
        cancel_url=f"{base}{PATH}?from=checkout",
        by=author(request),
    )
    try:
        async with treasury.turns.of(me):
            prepared = await checkout.prepare(
                wish,
                database=request.app[DATABASE],
                gateway=treasury.gateway,
                tiers=treasury.tiers,
            )
            match prepared:
                case Ready(order):
                    url = await treasury.gateway.checkout_page(order)
                case Refused.NO_SUCH_ACCOUNT:
                    raise web.HTTPNotFound
                case Refused.NO_SUCH_TIER:
                    return await _page(request, Note(NO_SUCH_TIER, "tiers"), status=422)
                case Refused.SUBSCRIBED:
                    return await _page(request, Note(SUBSCRIBED, "tiers"), status=422)
    except StripeUnavailable:
        return await _no_answer(request, NO_ANSWER)
    return await _lead_to(request, url)


async def open_portal(request: web.Request) -> web.StreamResponse:
    """Leads to Stripe's page, where cards and memberships are changed."""
    if not is_taken_here(request):
        return await _page(request, Note(ELSEWHERE), status=422)
    customer = await _customer(request)
    if customer is None:
        return await _page(request, Note(NEVER_PAID), status=422)
    try:
        url = await request.app[TREASURY].gateway.open_portal(
            customer=customer, return_url=f"{_base_url(request)}{PATH}"
        )
    except StripeUnavailable:
        return await _no_answer(request, NO_ANSWER)
    return await _lead_to(request, url)


async def retry(request: web.Request) -> web.StreamResponse:
    """Tries to get what is open paid, with the cards that Stripe has."""
    if not is_taken_here(request):
        return await _page(request, Note(ELSEWHERE), status=422)
    me, treasury = visitor(request).account_id, request.app[TREASURY]
    async with treasury.turns.of(me):
        last, customer = await _last_payment(request), await _customer(request)
        if customer is None:
            return await _page(request, Note(NEVER_PAID), status=422)
        try:
            collected = await pay_open_invoices(treasury.gateway, customer)
        except StripeUnavailable:
            return await _no_answer(request, UNKNOWN)
        if collected is Collected.NOTHING_OPEN:
            async with request.app[DATABASE].writing(by=author(request)) as conn:
                await standing_queries.drop_invoices_of(conn, customer=customer)
    match collected:
        case Collected.PAID:
            raise web.HTTPSeeOther(f"{PATH}/waiting?after={last}")
        case Collected.NOTHING_OPEN:
            return await _page(request, Note(NOTHING_OPEN, is_good=True))
        case Collected.NO_CARD:
            return await _page(request, Note(NO_CARD, "payment"), status=422)
        case Collected.DECLINED:
            return await _page(request, Note(DECLINED, "payment"), status=422)


async def waiting_page(request: web.Request) -> web.StreamResponse:
    """After paying: Stripe's word makes the membership, and may come later than the person."""
    after, looks = _number(request, "after"), _number(request, "looks") + 1
    me = visitor(request).account_id
    async with request.app[DATABASE].reading() as conn:
        is_paid = await standing_queries.last_payment(conn, account_id=me) > after
        facts = await standing_queries.facts_of(conn, account_id=me)
    context: dict[str, Any] = {
        "is_paid": is_paid,
        "is_looking": looks <= LOOKS_MAX,
        "standing": standing(facts, times.now()) if facts else None,
        "again": f"{PATH}/waiting?after={after}",
        "looks": looks,
    }
    if is_htmx(request):
        return fragment(request, "membership/waiting.html", **context)
    return page(request, "membership/waiting_page.html", **context)


async def _page(
    request: web.Request, note: Note | None, *, status: int = 200, asks_stripe: bool = True
) -> web.StreamResponse:
    let_forms_lead_to(request, form_targets(request.app[SETTINGS].stripe))
    return page(
        request,
        "membership/own.html",
        status=status,
        own=await own_membership(request, asks_stripe=asks_stripe),
        note=note,
        step_fix=Step.FIX,
        slack_hours=SLACK_HOURS,
    )


async def _no_answer(request: web.Request, words: str) -> web.StreamResponse:
    return await _page(request, Note(words), status=502, asks_stripe=False)


async def _lead_to(request: web.Request, url: str) -> web.StreamResponse:
    """To Stripe's page at once, or, on a host that forms may not lead to, by a link."""
    if is_target(url, form_targets(request.app[SETTINGS].stripe)):
        return web.Response(status=303, headers={"Location": url})
    if is_safe_link(url):
        return page(request, "membership/leave.html", url=url)
    return await _no_answer(request, NO_ANSWER)


async def _customer(request: web.Request) -> str | None:
    async with request.app[DATABASE].reading() as conn:
        return await queries.customer_of(conn, account_id=visitor(request).account_id)


async def _last_payment(request: web.Request) -> int:
    async with request.app[DATABASE].reading() as conn:
        return await standing_queries.last_payment(conn, account_id=visitor(request).account_id)


def _base_url(request: web.Request) -> str:
    """Where Stripe leads back to: what people type, or on this machine what was asked."""
    public_url = request.app[SETTINGS].http.public_url
    return public_url.rstrip("/") if public_url is not None else f"http://{request.host}"


def _number(request: web.Request, name: str) -> int:
    return read_id(request.query.get(name, "")) or 0
