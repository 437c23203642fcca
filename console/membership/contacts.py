"""Whom to ask about money: the treasurers, or where there is no such circle the admins."""

from collections.abc import Sequence

from aiohttp import web
from msgspec import Struct

from console.database import Connection
from console.membership.standing import Standing, Step
from console.membership.standing_queries import names_in
from console.web.keys import SETTINGS

NAMES_MAX = 3


class Contacts(Struct, frozen=True):
    """For `membership/asking.html`: the first ones by name, and the circle that they are in."""

    contacts: Sequence[str]
    circle: str


async def whom_to_ask(request: web.Request, conn: Connection) -> Contacts:
    """Who they are."""
    roles = request.app[SETTINGS].roles
    circle = roles.treasurer_circle or roles.admin_circle
    return Contacts(await names_in(conn, circle=circle, limit=NAMES_MAX), circle)


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
