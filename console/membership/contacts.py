"""Whom to ask about money: the treasurers, or where there is no such circle the admins."""

from aiohttp import web

from console.circles.contacts import Contacts, contacts_in
from console.database import Connection
from console.membership.standing import Standing, Step
from console.web.keys import SETTINGS


async def whom_to_ask(request: web.Request, conn: Connection) -> Contacts:
    """Who they are."""
    roles = request.app[SETTINGS].roles
    circle = roles.treasurer_circle or roles.admin_circle
    return await contacts_in(conn, circle)


async def asked_instead(
    request: web.Request, conn: Connection, found: Standing | None
) -> Contacts | None:
    """Whom a page names in place of the way to a payment. None: it has one, or there is no need."""
    if found is None or found.step is Step.NOTHING or is_taken_here(request):
        return None
    return await whom_to_ask(request, conn)


def is_taken_here(request: web.Request) -> bool:
    """Whether payments are made on these pages, with Stripe."""
    return request.app[SETTINGS].stripe.secret_key is not None
