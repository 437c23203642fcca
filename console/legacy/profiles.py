"""The old API of people: lists of profiles, and one account. Source: its contract, §4 and §13.1.

What somebody pays, and how to reach her, is hers: see `privacy.py`.
"""

from aiohttp import web

from console.badges.queries import awards
from console.database import Connection
from console.legacy.answers import Json, answer
from console.legacy.badge_shapes import award_shape
from console.legacy.event_shapes import door_event
from console.legacy.privacy import is_open, sees
from console.legacy.profile_shapes import (
    NO_STANDING,
    account_shape,
    membership_shape,
    payment_shape,
    profile,
    read_known,
    standing_shape,
)
from console.people import profile_queries
from console.people.profile_queries import AccountRow
from console.rights.access import standings
from console.web import times
from console.web.keys import DATABASE
from console.web.requests import path_id
from console.web.routing import Route, Who
from console.web.session import visitor

INSIGHT_CIRCLE = "insight-fee"
"""Its members are told by a summary what somebody pays."""
ANY_NUMBER = "[0-9]{1,100}"
"""An id that is too large for the database is an account that doesn't exist."""
ID_MAX = 2**63 - 1


def routes() -> list[Route]:
    """Its paths."""
    return [
        Route("GET", "/data/profile-summary", Who.MEMBER, _profile_summaries),
        Route("GET", "/data/profile", Who.MEMBER, _profiles),
        Route("GET", f"/data/account/{{account:{ANY_NUMBER}}}", Who.MEMBER, _account),
        Route("GET", f"/data/account-summary/{{account:{ANY_NUMBER}}}", Who.MEMBER, _summary),
    ]


async def _profile_summaries(request: web.Request) -> web.Response:
    return await _list(request, is_full=False)


async def _profiles(request: web.Request) -> web.Response:
    return await _list(request, is_full=True)


async def _list(request: web.Request, *, is_full: bool) -> web.Response:
    async with request.app[DATABASE].reading() as conn:
        people = await profile_queries.people(conn)
        known = await read_known(conn, is_full=is_full)
    shapes: list[Json] = []
    for person in people:
        is_seen = sees(request, person.id)
        shape = profile(person, known, is_seen=is_seen)
        if is_full:
            shape |= standing_shape(person, known, is_seen=is_seen)
        shapes.append(shape)
    return answer(shapes)


async def _account(request: web.Request) -> web.Response:
    """A full profile with what was paid. It has never had the badges: `badges` is null."""
    async with request.app[DATABASE].reading() as conn:
        account = await _asked_for(conn, request)
        is_seen = sees(request, account.id)
        known = await read_known(conn, account_id=account.id, is_full=True, has_badges=False)
        membership = await profile_queries.membership(conn, account_id=account.id)
        payments = await profile_queries.payments(conn, account_id=account.id)
    shape = profile(account, known, is_seen=is_seen) | standing_shape(
        account, known, is_seen=is_seen
    )
    if is_seen:
        paid: Json = {"payments": [payment_shape(payment) for payment in payments]}
        shape["membership"] = paid | membership_shape(membership)
    else:
        # All keys, so that nobody can tell by them whether there is a membership.
        hidden = ("fee", "first_membership", "start_membership", "payments")
        shape["membership"] = dict.fromkeys(hidden)
    return answer(shape)


async def _summary(request: web.Request) -> web.Response:
    async with request.app[DATABASE].reading() as conn:
        account = await _asked_for(conn, request)
        opened = await profile_queries.last_door_open(conn, account_id=account.id)
        shape: Json = {
            "account": account_shape(account, is_seen=sees(request, account.id)),
            "badges": [award_shape(award) for award in await awards(conn, accounts=[account.id])],
            "lastDoorOpen": opened
            and door_event(
                created_at=opened.created_at,
                created_by=opened.created_by,
                created_by_username=opened.created_by_username,
                door=opened.door,
            ),
        }
        if _is_told_fees(request, account.id):
            shape |= await _fees(conn, account.id)
    return answer(shape)


def _is_told_fees(request: web.Request, account_id: int) -> bool:
    if INSIGHT_CIRCLE in visitor(request).circles:
        return True
    # Where everybody sees everything, answers are the old ones, and those left it to the circle.
    return not is_open(request) and sees(request, account_id)


async def _fees(conn: Connection, account_id: int) -> Json:
    now_ms = times.ms(times.now())
    found = await standings(conn, now_ms=now_ms, account_id=account_id)
    standing = found.get(account_id, NO_STANDING)
    membership = await profile_queries.membership(conn, account_id=account_id)
    return {
        "employment": standing.is_employed,
        "paying_member": standing.is_paying,
        "membership": membership_shape(membership),
    }


async def _asked_for(conn: Connection, request: web.Request) -> AccountRow:
    """Raises: HTTPNotFound."""
    account_id = path_id(request, "account")
    account = (
        await profile_queries.account(conn, account_id=account_id) if account_id <= ID_MAX else None
    )
    if account is None:
        raise web.HTTPNotFound
    return account
