"""What Stripe's subscriptions and invoices say, as far as pages show it. Pure.

Nothing of it is kept, so what is missing or odd is None, no mistake. Source:
docs.stripe.com/api/subscriptions/object and docs.stripe.com/api/invoices/object.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import cast
from urllib.parse import urlsplit

from console.membership.billing import Invoice, Subscription, major_units
from console.membership.stripe_event import MINOR_UNITS_MAX, SECONDS_MAX

URL_CHARACTERS_MAX = 2_000


def subscription(told: Mapping[str, object]) -> Subscription:
    """One subscription. Since 2025 the period belongs to its first item, before to itself."""
    item = _first_item(told)
    price = item.get("price")
    price_id = cast("Mapping[str, object]", price).get("id") if isinstance(price, dict) else price
    ends = told.get("cancel_at")
    if ends is None and told.get("cancel_at_period_end") is True:
        ends = item.get("current_period_end", told.get("current_period_end"))
    return Subscription(price_id if isinstance(price_id, str) else None, _moment(ends))


def invoice(told: Mapping[str, object]) -> Invoice:
    """One invoice."""
    return Invoice(
        invoice=str(told.get("id", "")),
        waits=told.get("status") == "open",
        due=_amount(told.get("amount_due")),
        url=_https(told.get("hosted_invoice_url")),
    )


def page_of(session: Mapping[str, object], *, price_id: str) -> str | None:
    """The page of an open checkout, if it is for this price."""
    metadata, url = session.get("metadata"), session.get("url")
    if not isinstance(metadata, dict) or not isinstance(url, str):
        return None
    wanted = cast("Mapping[str, object]", metadata).get("priceId")
    return url if wanted == price_id else None


def _first_item(told: Mapping[str, object]) -> Mapping[str, object]:
    items = told.get("items")
    rows = cast("Mapping[str, object]", items).get("data") if isinstance(items, dict) else None
    first = cast("list[object]", rows)[0] if isinstance(rows, list) and rows else None
    return cast("Mapping[str, object]", first) if isinstance(first, dict) else {}


def _moment(value: object) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= SECONDS_MAX:
        return None
    return datetime.fromtimestamp(value, UTC)


def _amount(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > MINOR_UNITS_MAX:
        return Decimal(0)
    return major_units(value)


def _https(value: object) -> str | None:
    """An address that a page may link to."""
    if not isinstance(value, str) or len(value) > URL_CHARACTERS_MAX or not value.isprintable():
        return None
    try:
        return value if urlsplit(value).scheme == "https" else None
    except ValueError:
        return None
