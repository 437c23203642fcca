"""Takes in what Stripe tells: payments become rows, new subscribers are welcomed.

Every message is taken in once, and every line of an invoice has one row, however often and by
whichever message it is told, at the same time or later. What goes outside is done after the commit.
"""

from collections.abc import Sequence

import structlog
from msgspec import Struct

from console.database import Author, Connection, Database
from console.mail import Mailer, MailFailed
from console.membership import queries, standing_queries
from console.membership.billing import Line
from console.membership.collecting import pay_open_invoices
from console.membership.payment import not_yet_recorded
from console.membership.queries import Subscriber
from console.membership.stripe_event import (
    CardChanged,
    CheckoutCompleted,
    InvoiceDropped,
    InvoicePaid,
    InvoiceUnpaid,
    StripeEvent,
    SubscriptionChanged,
)
from console.membership.stripe_gateway import StripeGateway
from console.membership.welcome import welcome

log = structlog.get_logger()


class Nobody(Struct, frozen=True):
    """No account belongs to it, and nothing was written. Stripe is to tell it again."""

    words: str


class Office(Struct, frozen=True):
    """What taking in a message needs. `by`: whom it came from."""

    database: Database
    gateway: StripeGateway
    mailer: Mailer
    by: Author


async def take_in(event: StripeEvent, office: Office) -> Nobody | None:
    """Does what the message is about. None: done, now or before, or there is nothing to do.

    Raises: StripeUnavailable, DatabaseUnavailable; then the message counts as not taken in.
    """
    match event.content:
        case InvoicePaid() as paid:
            return await _take_in_payment(event, paid, office)
        case CheckoutCompleted() as completed:
            return await _take_in_checkout(event, completed, office)
        case CardChanged(customer=str(customer)):
            await _take_in_card(event, customer, office)
        case InvoiceUnpaid() as unpaid:
            async with office.database.writing(by=office.by) as conn:
                await standing_queries.upsert_failure(conn, unpaid)
        case InvoiceDropped(invoice):
            async with office.database.writing(by=office.by) as conn:
                await standing_queries.drop_invoice(conn, invoice=invoice)
        case SubscriptionChanged() as told:
            async with office.database.writing(by=office.by) as conn:
                await standing_queries.upsert_subscription(conn, told)
        case _:
            pass
    return None


async def _take_in_payment(event: StripeEvent, paid: InvoicePaid, office: Office) -> Nobody | None:
    lines = await office.gateway.invoice_lines(paid.invoice) if paid.has_more else paid.lines
    async with office.database.writing(by=office.by) as conn:
        account_id = await queries.owner_of(conn, customer=paid.customer)
        if account_id is None:
            return Nobody(f"No account has the customer {paid.customer}.")
        if await queries.insert_event(conn, event_id=event.id, kind=event.type):
            await _insert_missing(conn, account_id, paid, lines)
    return None


async def _insert_missing(
    conn: Connection, account_id: int, paid: InvoicePaid, lines: Sequence[Line]
) -> None:
    rows = await queries.lines_of(conn, invoice=paid.invoice)
    missing = not_yet_recorded(lines, rows)
    await queries.insert_payments(
        conn,
        account_id=account_id,
        invoice=paid.invoice,
        paid_at=paid.created,
        lines=missing,
    )
    log.info("payment.recorded", account=account_id, invoice=paid.invoice, lines=len(missing))


async def _take_in_checkout(
    event: StripeEvent, completed: CheckoutCompleted, office: Office
) -> Nobody | None:
    if completed.account_id is None:
        return Nobody("The session names no account.")
    async with office.database.writing(by=office.by) as conn:
        new = await queries.subscriber(conn, account_id=completed.account_id)
        if new is None:
            return Nobody(f"There is no account {completed.account_id}.")
        if completed.customer is not None:
            owner = await queries.owner_of(conn, customer=completed.customer)
            if owner not in {None, new.account_id}:
                return Nobody(f"The customer {completed.customer} is another account's.")
            await queries.insert_customer(
                conn, account_id=new.account_id, customer=completed.customer
            )
        is_new = await queries.insert_event(conn, event_id=event.id, kind=event.type)
    if is_new:
        await _welcome(new, office.mailer)
    return None


async def _take_in_card(event: StripeEvent, customer: str, office: Office) -> None:
    """Paying an invoice again does no harm, so the message is noted when all of it is done."""
    async with office.database.reading() as conn:
        if await queries.has_event(conn, event_id=event.id):
            return
    collected = await pay_open_invoices(office.gateway, customer)
    log.info("card.changed", collected=collected.value)
    async with office.database.writing(by=office.by) as conn:
        await queries.insert_event(conn, event_id=event.id, kind=event.type)


async def _welcome(new: Subscriber, mailer: Mailer) -> None:
    """The subscription holds without the letter, so one that fails is only noted."""
    if not mailer.is_on:
        return
    letter = welcome(new, association=mailer.association)
    try:
        await mailer.send(to=new.email, subject=letter.subject, html=letter.html)
    except MailFailed as error:
        log.warning("welcome.not_sent", account=new.account_id, reason=str(error))
