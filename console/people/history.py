"""`/me/history` and `/members/{account}/history`: what somebody did, and what she was refused.

Her own is hers; somebody else's is for the front desk.
"""

from urllib.parse import urlencode

from aiohttp import web

from console.accounts import queries as accounts
from console.accounts.finding import person_or_404
from console.accounts.queries import Person
from console.database import Connection
from console.events.log import Sort, kinds_of
from console.events.log_queries import Search, happened
from console.events.paging import Before, before_fields, read_before
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
    before = read_before(request)
    rows = await done_by(conn, person, before=before, limit=SHOWN)
    return page(
        request,
        "people/history.html",
        person=person,
        path=path,
        days=days_of(rows),
        explains=True,
        is_first=before is None,
        older=urlencode(before_fields(rows[-1])) if len(rows) == SHOWN else None,
    )


async def done_by(
    conn: Connection, person: Person, *, before: Before | None = None, limit: int
) -> list[RecentRow]:
    """What somebody did and was refused, the newest first, as the log has it."""
    search = Search(kinds=kinds_of(Sort.ALL, sees_all=False), person=person.account_id)
    return await happened(conn, search=search, before=before, limit=limit)
