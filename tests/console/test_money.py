"""Amounts, months, rows for a spreadsheet, and where forms may lead: as rules."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from console.membership.bars import HEIGHT, WIDTH, bars
from console.membership.leading import STRIPE, form_targets, is_safe_link, is_target
from console.membership.money import (
    Period,
    PeriodMistake,
    csv_lines,
    month_begins,
    read_period,
)
from console.membership.stripe_account import invoice, subscription
from console.settings import StripeSettings
from console.web.amounts import amount
from tests.support.stripe_cloud import Json

OSLO = ZoneInfo("Europe/Oslo")


@pytest.mark.parametrize(
    ("crowns", "english", "norwegian"),
    [
        ("500", "kr\xa0500", "500\xa0kr"),
        ("500.00", "kr\xa0500", "500\xa0kr"),
        ("499.50", "kr\xa0499.50", "499,50\xa0kr"),
        ("0.05", "kr\xa00.05", "0,05\xa0kr"),
        ("1234567.8", "kr\xa01,234,567.80", "1\u202f234\u202f567,80\xa0kr"),
        ("-300", "\u2212kr\xa0300", "\u2212300\xa0kr"),
        ("0", "kr\xa00", "0\xa0kr"),
        ("NaN", "–", "–"),
    ],
)
def test_amounts_are_written_as_the_language_has_them(
    crowns: str, english: str, norwegian: str
) -> None:
    assert amount(Decimal(crowns)) == english
    assert amount(Decimal(crowns), language="nb") == norwegian
    assert amount(Decimal(crowns), language="nb-NO") == norwegian


def test_months_begin_at_midnight_where_the_space_is() -> None:
    found = month_begins(datetime(2026, 3, 31, 22, 30, tzinfo=UTC), OSLO, count=2)
    assert found == [datetime(2026, month, 1, tzinfo=OSLO) for month in (3, 4, 5)]
    assert found[0].astimezone(UTC) == datetime(2026, 2, 28, 23, tzinfo=UTC)
    assert found[1].astimezone(UTC) == datetime(2026, 3, 31, 22, tzinfo=UTC)


def test_a_year_of_months_goes_over_new_year() -> None:
    found = month_begins(datetime(2026, 1, 15, tzinfo=UTC), UTC)
    assert [found[0], found[-2], found[-1]] == [
        datetime(2025, 1, 1, tzinfo=UTC),
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2026, 2, 1, tzinfo=UTC),
    ]


def test_a_period_has_its_last_day_in_it() -> None:
    period = Period(date(2026, 1, 1), date(2026, 1, 31))
    assert read_period("2026-01-01", "2026-01-31") == period
    begins, ends = period.moments(UTC)
    assert (begins, ends) == (
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2026, 2, 1, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [
        ("", "2026-01-31", "from"),
        ("2026-02-30", "2026-03-31", "from"),
        ("2026-W01-1", "2026-03-31", "from"),
        ("1026-01-01", "2026-01-31", "from"),
        ("2026-01-01", "31.1.2026", "until"),
        ("2026-01-01", "２０２６-01-31", "until"),
        ("2026-01-02", "2026-01-01", "until"),
        ("1990-01-01", "2026-01-01", "until"),
    ],
)
def test_what_is_no_period_is_told_beside_its_field(first: str, last: str, field: str) -> None:
    found = read_period(first, last)
    assert isinstance(found, PeriodMistake)
    assert found.field == field


@pytest.mark.parametrize(
    "name", ["=cmd|'/c calc'!A1", "+1", "-1", "@sum(a)", "  =1", "\t=1", "\r=1"]
)
def test_a_name_is_no_formula(name: str) -> None:
    line = csv_lines([(name,)])
    assert line.strip('"').startswith("'")


def test_a_row_is_quoted_where_it_needs_to_be_and_amounts_stay_numbers() -> None:
    row = ('Kari "K", Nordmann', Decimal("-300.5"), date(2026, 1, 2), None, Decimal("NaN"))
    assert csv_lines([row]) == '"Kari ""K"", Nordmann",-300.50,2026-01-02,,\r\n'
    assert csv_lines([("two\nlines\x00",)]) == "two lines \r\n"


def test_the_highest_month_fills_the_drawing() -> None:
    found = bars([Decimal(0), Decimal(-5), Decimal("0.01"), Decimal(1000)])
    assert [one.height for one in found] == [0, 0, 2, HEIGHT]
    assert all(one.x >= 0 and one.x + one.width <= WIDTH for one in found)
    assert bars([]) == []
    assert [one.height for one in bars([Decimal(0)])] == [0]


KEY = "sk_1"


def test_forms_lead_to_stripes_two_hosts_and_only_where_payments_are_taken() -> None:
    assert form_targets(StripeSettings()) == ()
    assert form_targets(StripeSettings(KEY)) == STRIPE
    assert form_targets(StripeSettings(KEY, api_base="https://api.stripe.com/")) == STRIPE
    found = form_targets(StripeSettings(KEY, api_base="http://127.0.0.1:12111/v1"))
    assert found == (*STRIPE, "http://127.0.0.1:12111")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://checkout.stripe.com.evil.example/x",
        "https://checkout.stripe.com@evil.example/x",
        "https://evil.example/https://checkout.stripe.com",
        "http://checkout.stripe.com/x",
        "https://checkout.stripe.com:444/x",
        "javascript:alert(1)",
        "https://checkout.stripe.com/x\r\nSet-Cookie: a=b",
        "https://[::1",
    ],
)
def test_other_addresses_are_no_targets(url: str) -> None:
    assert not is_target(url, STRIPE)


def test_stripes_pages_are_and_other_encrypted_ones_are_reached_by_a_link() -> None:
    assert is_target("https://checkout.stripe.com/c/pay/cs_1#fid", STRIPE)
    assert is_target("https://billing.stripe.com/p/session/x", STRIPE)
    assert is_safe_link("https://pay.example.org/c/pay/cs_1#fid")
    for bad in ("http://pay.example.org/", "javascript:alert(1)", "", "https://x/ y", "//x"):
        assert not is_safe_link(bad), bad


def test_a_cancelled_subscription_says_when_it_ends_in_either_shape() -> None:
    seconds = 1_800_000_000
    moment = datetime.fromtimestamp(seconds, UTC)
    item: Json = {"price": {"id": "price_1"}, "current_period_end": seconds}
    new: Json = {"items": {"data": [item]}, "cancel_at_period_end": True}
    old: Json = {"cancel_at_period_end": True, "current_period_end": seconds}
    assert (subscription(new).price_id, subscription(new).ends_at) == ("price_1", moment)
    assert (subscription(old).price_id, subscription(old).ends_at) == (None, moment)
    assert subscription({"cancel_at": seconds}).ends_at == moment
    assert subscription({"items": {"data": [item]}}).ends_at is None


@pytest.mark.parametrize(
    "odd", [{}, {"items": 5}, {"items": {"data": []}}, {"items": {"data": [5]}, "cancel_at": "x"}]
)
def test_an_odd_subscription_is_one_of_which_nothing_is_known(odd: Json) -> None:
    assert subscription(odd) == subscription({})


@pytest.mark.parametrize("url", [None, 5, "javascript:alert(1)", "http://x.example/", "https://[x"])
def test_a_receipt_is_an_encrypted_page_or_none(url: object) -> None:
    assert invoice({"id": "in_1", "hosted_invoice_url": url}).url is None
    assert invoice({"id": "in_1", "hosted_invoice_url": "https://x.example/"}).url is not None
