"""What a message of Stripe's says, as far as it matters here.

Every number and name is checked against what our tables can hold. Source of the shapes: the
contract of the old API, §8, and docs.stripe.com/api/events/types.
"""

import json
from datetime import UTC, datetime
from typing import cast

from msgspec import Struct

from console.errors import ConsoleError
from console.membership.billing import Line, major_units

NAME_CHARACTERS_MAX = 50
"""Of Stripe's names for customers and invoices: as wide as the columns."""
EVENT_CHARACTERS_MAX = 255
MINOR_UNITS_MAX = 99_999_999
"""stripe_payment.amount is numeric(8, 2)."""
SECONDS_MAX = 4_102_444_800
"""The year 2100."""
LINES_MAX = 1_000
GOES_ON = frozenset({"active", "trialing", "past_due"})
"""Stripe's names for a subscription that goes on: the last one waits for money."""
DIGITS_MAX = 18


class Malformed(ConsoleError):
    """A signed message that isn't an event as Stripe describes them."""


class InvoicePaid(Struct, frozen=True):
    """A customer paid an invoice. `has_more`: Stripe kept lines back; ask it for all of them."""

    invoice: str
    customer: str
    created: datetime
    lines: tuple[Line, ...]
    has_more: bool


class CheckoutCompleted(Struct, frozen=True):
    """Somebody subscribed. `account_id` None: the session doesn't name an account of ours."""

    account_id: int | None
    customer: str | None


class CardChanged(Struct, frozen=True):
    """A customer has another way to pay. `customer` None: it belongs to nobody any more."""

    customer: str | None


class InvoiceUnpaid(Struct, frozen=True):
    """No card has paid an invoice. `failed_at` None: Stripe didn't say when."""

    invoice: str
    customer: str
    failed_at: datetime | None


class InvoiceDropped(Struct, frozen=True):
    """Stripe waits no longer for the money of an invoice."""

    invoice: str


class SubscriptionChanged(Struct, frozen=True):
    """Whether a subscription goes on by itself, as it was at `told_at`.

    `is_new`: as it was made. `is_over`: it is deleted, for good.
    """

    subscription: str
    customer: str
    renews: bool
    told_at: datetime
    is_new: bool
    is_over: bool


Content = (
    InvoicePaid
    | InvoiceUnpaid
    | InvoiceDropped
    | CheckoutCompleted
    | CardChanged
    | SubscriptionChanged
)


class StripeEvent(Struct, frozen=True):
    """One message. `content` None: nothing that matters here."""

    id: str
    type: str
    content: Content | None


def read_event(body: bytes) -> StripeEvent:
    """Raises: Malformed."""
    try:
        values: object = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Malformed("not JSON") from error
    event = _table(values, "event")
    kind = _name(event.get("type"), "type", most=EVENT_CHARACTERS_MAX)
    event_id = _name(event.get("id"), "id", most=EVENT_CHARACTERS_MAX)
    return StripeEvent(event_id, kind, _content(kind, event))


def _content(kind: str, event: dict[str, object]) -> Content | None:
    match kind:
        case "invoice.payment_succeeded":
            return _invoice(_object(event))
        case "checkout.session.completed":
            return _checkout(_object(event))
        case "payment_method.attached" | "payment_method.updated":
            customer = _object(event).get("customer")
            return CardChanged(None if customer is None else _name(customer, "customer"))
        case _:
            return _news(kind, event)


def _news(
    kind: str, event: dict[str, object]
) -> InvoiceUnpaid | InvoiceDropped | SubscriptionChanged | None:
    """What the old web app didn't hear. It took any such message, so an odd one is no mistake."""
    try:
        match kind:
            case "invoice.payment_failed":
                return _unpaid(event)
            case "invoice.voided" | "invoice.marked_uncollectible" | "invoice.deleted":
                return InvoiceDropped(_name(_object(event).get("id"), "invoice"))
            case (
                "customer.subscription.created"
                | "customer.subscription.updated"
                | "customer.subscription.deleted"
            ):
                return _subscription(kind, event)
            case _:
                return None
    except Malformed:
        return None


def _unpaid(event: dict[str, object]) -> InvoiceUnpaid:
    invoice, created = _object(event), event.get("created")
    return InvoiceUnpaid(
        invoice=_name(invoice.get("id"), "invoice"),
        customer=_name(invoice.get("customer"), "customer"),
        failed_at=None if created is None else _moment(created, "created"),
    )


def _subscription(kind: str, event: dict[str, object]) -> SubscriptionChanged:
    subscription = _object(event)
    goes_on = subscription.get("status") in GOES_ON
    is_cancelled = (
        subscription.get("cancel_at_period_end") is True
        or subscription.get("cancel_at") is not None
    )
    return SubscriptionChanged(
        subscription=_name(subscription.get("id"), "subscription"),
        customer=_name(subscription.get("customer"), "customer"),
        renews=goes_on and not is_cancelled,
        told_at=_moment(event.get("created"), "created"),
        is_new=kind == "customer.subscription.created",
        is_over=kind == "customer.subscription.deleted",
    )


def _object(event: dict[str, object]) -> dict[str, object]:
    return _table(_table(event.get("data"), "data").get("object"), "data.object")


def _invoice(invoice: dict[str, object]) -> InvoicePaid:
    listed = _table(invoice.get("lines"), "lines")
    lines = listed.get("data")
    if not isinstance(lines, list) or len(cast("list[object]", lines)) > LINES_MAX:
        raise Malformed("lines.data: a list is expected")
    return InvoicePaid(
        invoice=_name(invoice.get("id"), "invoice"),
        customer=_name(invoice.get("customer"), "customer"),
        created=_moment(invoice.get("created"), "created"),
        lines=tuple(_line(_table(line, "line")) for line in cast("list[object]", lines)),
        has_more=listed.get("has_more") is True,
    )


def _line(line: dict[str, object]) -> Line:
    period = _table(line.get("period"), "period")
    amount = _number(line.get("amount"), "amount")
    if abs(amount) > MINOR_UNITS_MAX:
        raise Malformed(f"amount: {amount} is more than a payment can be")
    return Line(
        start=_moment(period.get("start"), "period.start"),
        end=_moment(period.get("end"), "period.end"),
        amount=major_units(amount),
    )


def _checkout(session: dict[str, object]) -> CheckoutCompleted:
    customer, metadata = session.get("customer"), session.get("metadata")
    return CheckoutCompleted(
        account_id=(
            None if metadata is None else _id(_table(metadata, "metadata").get("accountId"))
        ),
        customer=None if customer is None else _name(customer, "customer"),
    )


def _id(value: object) -> int | None:
    """An account's id, as a text or a number. None: nothing that could be one."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if 0 <= value < 10**DIGITS_MAX else None
    if not isinstance(value, str) or not value.isascii() or not value.isdigit():
        return None
    return int(value) if len(value) <= DIGITS_MAX else None


def _table(value: object, what: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise Malformed(f"{what}: an object is expected")
    return cast("dict[str, object]", value)


def _name(value: object, what: str, *, most: int = NAME_CHARACTERS_MAX) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= most:
        raise Malformed(f"{what}: a text of 1 to {most} characters is expected")
    if not value.isascii() or not value.isprintable():
        raise Malformed(f"{what}: plain characters are expected")
    return value


def _number(value: object, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Malformed(f"{what}: a whole number is expected")
    return value


def _moment(value: object, what: str) -> datetime:
    seconds = _number(value, what)
    if not 0 <= seconds <= SECONDS_MAX:
        raise Malformed(f"{what}: {seconds} is no time of this century")
    return datetime.fromtimestamp(seconds, UTC)
