"""Payments, as rules: whose signature it is, what a message says, which rows an invoice needs."""

import json
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any, cast

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from console.membership.billing import Line, major_units
from console.membership.chart import STEPS, grid_step, picture
from console.membership.payment import not_yet_recorded
from console.membership.queries import Subscriber
from console.membership.signature import is_signed
from console.membership.stripe_event import (
    CardChanged,
    CheckoutCompleted,
    InvoicePaid,
    Malformed,
    StripeEvent,
    read_event,
)
from console.membership.welcome import welcome
from tests.support.stripe_cloud import SECRET, Json, invoice, message, signature

NOW = 1_800_000_000
BODY = b'{"id": "evt_1"}'
LIBRARY = cast("Any", stripe.WebhookSignature)


def accepted(header: str, *, body: bytes = BODY, secret: str = SECRET, now: float = NOW) -> bool:
    return is_signed(body, header, secret=secret, now=now)


def test_a_message_that_stripe_signed_is_accepted() -> None:
    assert accepted(signature(BODY, at=NOW))


def test_the_signature_of_stripes_own_library_is_accepted() -> None:
    assert accepted(LIBRARY.generate_signature_header(BODY.decode(), SECRET, NOW))
    assert LIBRARY.verify_header(BODY, signature(BODY), SECRET, 300)


def test_another_body_another_secret_or_another_time_is_refused() -> None:
    header = signature(BODY, at=NOW)
    assert not accepted(header, body=BODY + b" ")
    assert not accepted(header, secret="test")
    assert not accepted(header.replace(f"t={NOW}", f"t={NOW + 1}"))


def test_a_signature_is_good_for_five_minutes() -> None:
    header = signature(BODY, at=NOW)
    assert accepted(header, now=NOW + 300)
    assert not accepted(header, now=NOW + 301)
    assert not accepted(header, now=NOW - 301)


def test_while_the_secret_is_changed_one_of_two_signatures_is_enough() -> None:
    old, new = signature(BODY, "whsec_old", at=NOW), signature(BODY, at=NOW)
    assert accepted(f"{old},{new.split(',')[1]}")


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=1",
        "v1=00",
        f"t={NOW}",
        f"t={NOW},v1=",
        f"t={NOW},v1=\xe5",
        f"t={NOW},v1=\udcff",
        f"t={NOW},t={NOW},v1=00",
        "t=²,v1=00",
        f"t=-{NOW},v1=00",
        f"t={'9' * 5000},v1=00",
        f"t={NOW}" + ",v1=00" * 1000,
        f"t={NOW},v0={signature(BODY, at=NOW).split('v1=')[1]}",
    ],
)
def test_what_is_no_signature_is_refused(header: str) -> None:
    assert not accepted(header)


@given(st.text())
def test_no_header_at_all_is_a_crash(header: str) -> None:
    assert not accepted(header)


def moment(hours: float) -> datetime:
    return datetime(2026, 11, 22, tzinfo=UTC) + timedelta(hours=hours)


def line(amount: str = "500", start: float = 0, end: float = 720) -> Line:
    return Line(moment(start), moment(end), Decimal(amount))


def test_lines_without_rows_are_missing() -> None:
    assert not_yet_recorded([line(), line("-300")], []) == [line(), line("-300")]


def test_lines_with_rows_are_not() -> None:
    assert not_yet_recorded([line(), line("-300")], [line("-300"), line()]) == []
    assert not_yet_recorded([line(), line("-300")], [line()]) == [line("-300")]


def test_an_invoice_may_have_the_same_line_twice() -> None:
    assert not_yet_recorded([line(), line()], [line()]) == [line()]
    assert not_yet_recorded([line(), line()], [line(), line()]) == []


def test_a_row_in_another_time_zone_is_the_same_line() -> None:
    assert not_yet_recorded([line()], [line(start=1, end=722)]) == []
    assert not_yet_recorded([line()], [line(start=15, end=735)]) == [line()]
    assert not_yet_recorded([line()], [line("499")]) == [line()]


def test_a_row_stands_for_the_line_that_it_equals_before_one_that_it_resembles() -> None:
    early, late = line(start=0), line(start=1)
    assert not_yet_recorded([early, late], [late]) == [early]
    assert not_yet_recorded([late, early], [late]) == [early]


@pytest.mark.parametrize(
    ("minor", "major"), [(12345, "123.45"), (-30000, "-300.00"), (1, "0.01"), (0, "0.00")]
)
def test_amounts_are_exact(minor: int, major: str) -> None:
    assert str(major_units(minor)) == major


def test_a_paid_invoice_is_read_with_its_lines() -> None:
    event = read_event(message("invoice.payment_succeeded", invoice((NOW, NOW + 60, 12345))))
    assert event == StripeEvent(
        "evt_1",
        "invoice.payment_succeeded",
        InvoicePaid(
            invoice="in_1",
            customer="cus_1",
            created=datetime.fromtimestamp(1_700_000_000, UTC),
            lines=(
                Line(
                    datetime.fromtimestamp(NOW, UTC),
                    datetime.fromtimestamp(NOW + 60, UTC),
                    Decimal("123.45"),
                ),
            ),
            has_more=False,
        ),
    )


@pytest.mark.parametrize("account", ["102", "00102", 102])
def test_a_finished_checkout_names_account_and_customer(account: object) -> None:
    session: Json = {"customer": "cus_1", "metadata": {"accountId": account}}
    event = read_event(message("checkout.session.completed", session))
    assert event.content == CheckoutCompleted(102, "cus_1")


@pytest.mark.parametrize(
    "account", [None, "", "abc", "-1", "1.5", "9" * 30, "²", -7, True, 7.5, 10**18, [1]]
)
def test_what_is_no_account_is_none(account: object) -> None:
    session: Json = {"customer": None, "metadata": {"accountId": account}}
    event = read_event(message("checkout.session.completed", session))
    assert event.content == CheckoutCompleted(None, None)


def test_a_card_may_belong_to_nobody() -> None:
    event = read_event(message("payment_method.updated", {"customer": None}))
    assert event.content == CardChanged(None)


def test_other_messages_are_read_and_mean_nothing() -> None:
    assert read_event(message("invoice.finalized", {"customer": 5})).content is None
    assert read_event(b'{"id": "evt_9", "type": "ping"}').content is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"\xff",
        b"[" * 100_000,
        b"[]",
        b"{}",
        b'{"id": "evt_1"}',
        b'{"type": "ping"}',
        b'{"id": "", "type": "ping"}',
        b'{"id": "evt\\u0000", "type": "ping"}',
        json.dumps({"id": "e" * 300, "type": "ping"}).encode(),
        b'{"id": "evt_1", "type": "invoice.payment_succeeded"}',
        message("invoice.payment_succeeded", invoice() | {"customer": None}),
        message("invoice.payment_succeeded", invoice() | {"id": "i" * 51}),
        message("invoice.payment_succeeded", invoice() | {"created": "now"}),
        message("invoice.payment_succeeded", invoice() | {"lines": []}),
        message("invoice.payment_succeeded", invoice() | {"lines": {"data": [5]}}),
        message("invoice.payment_succeeded", invoice((NOW, 10**15, 100))),
        message("invoice.payment_succeeded", invoice((NOW, -1, 100))),
        message("invoice.payment_succeeded", invoice((NOW, NOW, 10**8))),
        message("checkout.session.completed", {"metadata": 5}),
        message("payment_method.attached", {"customer": 5}),
    ],
)
def test_what_is_no_message_of_stripes_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        read_event(body)


def test_the_letter_shows_names_as_they_are_written() -> None:
    letter = welcome(
        Subscriber(1, "kari<b>", "<script>", "kari@example.org"), association="Bit & Raf"
    )
    assert letter.subject == "Welcome to Bit & Raf"
    assert "<script>" not in letter.html
    assert "kari&lt;b&gt;" in letter.html
    assert "Bit &amp; Raf" in letter.html


@given(st.floats(min_value=0, max_value=1e9))
def test_the_grid_reaches_over_every_bar_and_not_far(most: float) -> None:
    step = grid_step(most)
    assert step * STEPS >= most
    assert step == 1 or step * STEPS <= most * 2.5


def drawn(rows: list[Json]) -> Image.Image:
    return Image.open(BytesIO(picture(json.dumps(rows).encode())))


def test_the_chart_is_a_square_with_a_bar_for_each_month() -> None:
    began = time.monotonic()
    rows: list[Json] = [
        {"month": f"{2010 + n // 12}-{n % 12 + 1:02}", "revenue": n * 1000, "members": n}
        for n in range(120)
    ]
    image = drawn(rows)
    assert image.size == (1600, 1600)
    colours = {colour for _, colour in image.getcolors(1 << 20) or []}
    assert {(0x1F, 0x6F, 0x54), (0x3B, 0x5B, 0x92)} <= colours
    assert time.monotonic() - began < 5


def test_a_month_of_refunds_has_no_bar() -> None:
    image = drawn([{"month": "2026-01", "revenue": -500, "members": 1}])
    assert image.getpixel((800, 600)) == (255, 255, 255)
    assert image.getpixel((800, 1450)) == (0x3B, 0x5B, 0x92)


def test_without_payments_the_chart_says_so() -> None:
    image = drawn([])
    assert image.size == (1600, 1600)
    assert len(image.getcolors(1 << 20) or []) > 1
