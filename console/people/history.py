"""`/me/history` and `/members/{account}/history`: what somebody did, and what she was refused.

Her own is hers; somebody else's is for the front desk.
"""

import re
from datetime import datetime
from urllib.parse import urlencode

from aiohttp import web

from console.accounts import queries as accounts
from console.accounts.finding import person_or_404
from console.accounts.queries import Person
from console.database import Connection
from console.events.person_queries import Before, happened_to
from console.events.queries import RecentRow
from console.events.recent import days_of
from console.web.keys import DATABASE
from console.web.render import page
from console.web.requests import ID
from console.web.routing import Route, Who
from console.web.session import visitor

SHOWN = 50


def routes() -> list[Route]:
    """Both."""
    return [
        Route("GET", "/me/history", Who.MEMBER, own_history),
        Route("GET", f"/members/{{account:{ID}}}/history", Who.FRONT_DESK, history),
    ]


async def own_history(request: web.Request) -> web.StreamResponse:
    """The visitor's own."""
    async with request.app[DATABASE].reading() as conn:
        person = await accounts.person(conn, account_id=visitor(request).account_id)
        if person is None:
            raise web.HTTPNotFound
        return await _page(request, conn, person, "/me")


async def history(request: web.Request) -> web.StreamResponse:
    """Somebody's."""
    async with request.app[DATABASE].reading() as conn:
        person = await person_or_404(conn, request)
        return await _page(request, conn, person, f"/members/{person.account_id}")


async def _page(
    request: web.Request, conn: Connection, person: Person, path: str
) -> web.StreamResponse:
    before = _before(request)
    rows = await happened_to(conn, account_id=person.account_id, before=before, limit=SHOWN)
    return page(
        request,
        "people/history.html",
        person=person,
        path=path,
        days=days_of(rows),
        explains=True,
        is_first=before is None,
        older=_address_of(rows[-1]) if len(rows) == SHOWN else None,
    )


def _before(request: web.Request) -> Before | None:
    """Where the address says that the list goes on; what says nothing begins at the latest."""
    event = request.query.get("event", "")
    try:
        at = datetime.fromisoformat(request.query.get("before", ""))
    except ValueError:
        return None
    if at.tzinfo is None or not re.fullmatch(ID, event):
        return None
    return Before(at, int(event))


def _address_of(row: RecentRow) -> str:
    return urlencode({"before": row.at.isoformat(), "event": row.event_id})
