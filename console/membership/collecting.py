"""Tries to get open invoices paid, with every card that a customer has."""

from enum import Enum

from console.membership.stripe_gateway import StripeGateway


class Collected(Enum):
    """What came of it."""

    PAID = "paid"
    NOTHING_OPEN = "nothing open"
    NO_CARD = "no card"
    DECLINED = "declined"
    """By every card, for at least one invoice."""


async def pay_open_invoices(gateway: StripeGateway, customer: str) -> Collected:
    """Tries the cards on each open invoice until one pays it. Raises: StripeUnavailable."""
    invoices = await gateway.open_invoices(customer)
    if not invoices:
        return Collected.NOTHING_OPEN
    cards = await gateway.cards(customer)
    if not cards:
        return Collected.NO_CARD
    paid = [await _is_paid(gateway, invoice, cards) for invoice in invoices]
    return Collected.PAID if all(paid) else Collected.DECLINED


async def _is_paid(gateway: StripeGateway, invoice: str, cards: list[str]) -> bool:
    for card in cards:
        if await gateway.pay(invoice=invoice, card=card):
            return True
    return False
