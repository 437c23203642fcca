"""Begins a subscription: a customer at Stripe, then Stripe's page where she pays."""

from enum import Enum

from msgspec import Struct

from console.database import Author, Database
from console.membership import queries
from console.membership.billing import Order
from console.membership.stripe_gateway import StripeGateway
from console.membership.tiers import TierList


class Refused(Enum):
    """Why no checkout was begun."""

    NO_SUCH_TIER = "no such tier"
    SUBSCRIBED = "subscribed already"
    NO_SUCH_ACCOUNT = "no such account"


class Wish(Struct, frozen=True):
    """Who wants what. The two URLs: where Stripe leads back to, after paying and without it."""

    account_id: int
    price_id: str
    success_url: str
    cancel_url: str
    by: Author


class Ready(Struct, frozen=True):
    """All but the payment page is there."""

    order: Order


async def prepare(
    wish: Wish, *, database: Database, gateway: StripeGateway, tiers: TierList
) -> Ready | Refused:
    """Sees to it that there is a customer, and keeps her id: what follows may fail.

    Stripe is asked outside of transactions. Raises: StripeUnavailable.
    """
    if wish.price_id not in {tier.price_id for tier in await tiers.current()}:
        return Refused.NO_SUCH_TIER
    async with database.reading() as conn:
        payer = await queries.payer(conn, account_id=wish.account_id)
        customer = await queries.customer_of(conn, account_id=wish.account_id)
    if payer is None:
        return Refused.NO_SUCH_ACCOUNT
    if customer is None:
        made = await gateway.create_customer(payer)
        async with database.writing(by=wish.by) as conn:
            await queries.insert_customer(conn, account_id=wish.account_id, customer=made)
            customer = await queries.customer_of(conn, account_id=wish.account_id)
        customer = customer or made
    elif await gateway.has_any_subscription(customer):
        return Refused.SUBSCRIBED
    return Ready(
        Order(
            customer=customer,
            account_id=wish.account_id,
            price_id=wish.price_id,
            success_url=wish.success_url,
            cancel_url=wish.cancel_url,
        )
    )
