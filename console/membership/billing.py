"""What is asked of whoever collects the money, and what it answers, in words of our own.

Only `stripe_gateway.py` knows Stripe's words for it.
"""

from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from console.errors import ConsoleError


class StripeUnavailable(ConsoleError):
    """Stripe is down, too slow, refused what was asked, or isn't set up here.

    Whether a change was made there is unknown. It may heal by itself: try again.
    """


class Tier(Struct, frozen=True):
    """A membership that can be bought. `price`: in major units, for each period."""

    price_id: str
    name: str
    price: Decimal
    features: tuple[str, ...]


class Payer(Struct, frozen=True):
    """Who a customer is to be made for. `name` None: has given none."""

    account_id: int
    name: str | None
    email: str


class Order(Struct, frozen=True):
    """One membership, to be paid on Stripe's own page, which then leads to one of the two URLs."""

    customer: str
    account_id: int
    price_id: str
    success_url: str
    cancel_url: str


class Subscription(Struct, frozen=True):
    """One that goes on. `ends_at`: it was cancelled, and ends then; None: it goes on by itself."""

    price_id: str | None
    ends_at: datetime | None


class Invoice(Struct, frozen=True):
    """`waits`: for money. `due` in major units. `url`: Stripe's page with the receipt, if any."""

    invoice: str
    waits: bool
    due: Decimal
    url: str | None


class Account(Struct, frozen=True):
    """What Stripe knows of a customer: the latest invoices, and what goes on."""

    subscriptions: tuple[Subscription, ...] = ()
    invoices: tuple[Invoice, ...] = ()


class Line(Struct, frozen=True):
    """One line of an invoice: the period that it pays for, and how much, in major units."""

    start: datetime
    end: datetime
    amount: Decimal


def major_units(amount: int) -> Decimal:
    """Crowns of øre, exactly."""
    return Decimal(amount).scaleb(-2)
