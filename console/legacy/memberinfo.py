"""The old API for programs that ask about one member: Basic credentials of someone in a circle.

Source: the contract of the old API, §8.
"""

from aiohttp import web

from console.accounts.basic import BASIC, read_basic
from console.circles import queries as circle_queries
from console.database import Connection
from console.legacy.answers import Json, answer, object_not_found
from console.legacy.profile_shapes import NO_STANDING, membership_shape
from console.people import profile_queries
from console.people.profile_queries import AccountRow
from console.rights.access import standings
from console.web import times
from console.web.keys import DATABASE
from console.web.routing import Route, Who

API_CIRCLE = "api"
USERNAME_CHARACTERS_MAX = 50


def routes() -> list[Route]:
    """Its paths."""
    return [Route("GET", "/api/memberinfo", Who.ANYONE, _memberinfo)]


async def _memberinfo(request: web.Request) -> web.Response:
    """First who asks, then whether she may, then whom she asks about. A session is no proof here.

    Anybody in the circle is told the e-mail address and the fee: that is what the circle is for.
    """
    if read_basic(request) is None:
        raise web.HTTPUnauthorized
    asking = await request.app[BASIC].account_of(request)
    if asking is None:
        raise web.HTTPForbidden
    username = request.query.get("username", "")
    async with request.app[DATABASE].reading() as conn:
        circle_id = await circle_queries.circle_id_of(conn, name=API_CIRCLE)
        if circle_id is None:
            raise object_not_found()
        if not await circle_queries.is_member(conn, circle_id=circle_id, account_id=asking):
            raise web.HTTPForbidden
        account = await _account_called(conn, username)
        if account is None:
            raise web.HTTPNotFound
        return answer({"username": username} | await _told(conn, account))


async def _account_called(conn: Connection, username: str) -> AccountRow | None:
    if not 0 < len(username) <= USERNAME_CHARACTERS_MAX or "\0" in username:
        return None
    return await profile_queries.account_called(conn, username=username)


async def _told(conn: Connection, account: AccountRow) -> Json:
    now_ms = times.ms(times.now())
    found = await standings(conn, now_ms=now_ms, account_id=account.id)
    standing = found.get(account.id, NO_STANDING)
    told: Json = {
        "email": account.email,
        "employment": standing.is_employed,
        "paying_member": standing.is_paying,
        "month_count": await profile_queries.payment_count(conn, account_id=account.id),
    }
    membership = await profile_queries.membership(conn, account_id=account.id)
    return told if membership is None else told | membership_shape(membership)
