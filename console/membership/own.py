"""What somebody is shown of her own membership: from our tables, and what Stripe says of it."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from aiohttp import web
from msgspec import Struct

from console.circles.contacts import Contacts
from console.database import Connection
from console.membership import queries, standing_queries
from console.membership.billing import Account, Invoice, StripeUnavailable, Subscription, Tier
from console.membership.contacts import is_taken_here, whom_to_ask
from console.membership.standing import Standing, standing
from console.membership.standing_queries import PaidRow
from console.membership.treasury import TREASURY
from console.web import times
from console.web.keys import DATABASE
from console.web.session import visitor

PAYMENTS_MAX = 24
PATIENCE_SECONDS = 4
"""A page waits for Stripe no longer than this, and then says that it doesn't answer."""


class Offer(Struct, frozen=True):
    """A membership that can be bought, and whether it is the visitor's."""

    tier: Tier
    is_mine: bool


class Payment(Struct, frozen=True):
    """A payment; `receipt`: Stripe's page of it."""

    row: PaidRow
    receipt: str | None


class Membership(Struct, frozen=True):
    """All of it. `is_customer`: has begun to pay here, so that there is something to manage.

    `is_told` False: Stripe doesn't answer, so the offers and what goes on are not known.
    `contacts`: whom to ask about money.
    """

    standing: Standing
    payments: Sequence[Payment]
    has_more: bool
    contacts: Sequence[str]
    circle: str
    is_taken_here: bool
    is_customer: bool
    is_told: bool = True
    offers: Sequence[Offer] = ()
    subscription: Subscription | None = None
    waiting: Sequence[Invoice] = ()

    @property
    def due(self) -> Decimal:
        """What the open invoices come to."""
        return sum((one.due for one in self.waiting), Decimal(0))


class _Rows(Struct, frozen=True):
    standing: Standing
    paid: list[PaidRow]
    customer: str | None
    ask: Contacts


async def own_membership(request: web.Request, *, asks_stripe: bool = True) -> Membership:
    """The visitor's. `asks_stripe` False: it has just not answered. Raises: HTTPNotFound."""
    async with request.app[DATABASE].reading() as conn:
        rows = await _rows(request, conn, times.now())
    told: tuple[Sequence[Tier], Account] | None = ((), Account())
    if is_taken_here(request):
        told = await _told(request, rows.customer) if asks_stripe else None
    tiers, account = told or ((), Account())
    subscription = account.subscriptions[0] if account.subscriptions else None
    mine = {one.price_id for one in account.subscriptions}
    receipts: Mapping[str, str | None] = {one.invoice: one.url for one in account.invoices}
    return Membership(
        standing=rows.standing,
        payments=[Payment(row, receipts.get(row.invoice)) for row in rows.paid[:PAYMENTS_MAX]],
        has_more=len(rows.paid) > PAYMENTS_MAX,
        contacts=rows.ask.contacts,
        circle=rows.ask.circle,
        is_taken_here=is_taken_here(request),
        is_customer=rows.customer is not None,
        is_told=told is not None,
        offers=[Offer(tier, tier.price_id in mine) for tier in tiers],
        subscription=subscription,
        waiting=[one for one in account.invoices if one.waits],
    )


async def _rows(request: web.Request, conn: Connection, now: datetime) -> _Rows:
    me = visitor(request).account_id
    facts = await standing_queries.facts_of(conn, account_id=me)
    if facts is None:
        raise web.HTTPNotFound
    return _Rows(
        standing=standing(facts, now),
        paid=await standing_queries.paid_by(conn, account_id=me, limit=PAYMENTS_MAX + 1),
        customer=await queries.customer_of(conn, account_id=me),
        ask=await whom_to_ask(request, conn),
    )


async def _told(
    request: web.Request, customer: str | None
) -> tuple[Sequence[Tier], Account] | None:
    """What Stripe says. None: it doesn't."""
    treasury = request.app[TREASURY]
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            if customer is None:
                return await treasury.tiers.current(), Account()
            tiers, account = await asyncio.gather(
                treasury.tiers.current(), treasury.gateway.account(customer)
            )
    except (TimeoutError, StripeUnavailable):
        return None
    return tiers, account
