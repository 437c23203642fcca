"""Who is asking: server-side sessions, named by a random token in a cookie.

Decides how long a log-in lasts and what a visitor is known by. Whether a password was right is for
`console.accounts`; what a visitor may do is in `permit.py` and the features. While the old web app
is there, somebody who is logged in there is here, too, and stays so only as long as there.
"""

import hashlib
import secrets
import time

from aiohttp import web
from msgspec import Struct

from console.database import Author, Connection
from console.errors import ConsoleError
from console.web import old_cookie, queries
from console.web.keys import DATABASE, SETTINGS
from console.web.old_cookie import OldSession
from console.web.queries import SessionRow
from console.web.requests import client_address, wants_data
from console.web.roles import roles_of
from console.web.routing import Who

COOKIE = "p2k16_session"
LIFETIME_SECONDS = 31 * 24 * 3600
"""Counted from the last use."""
QUIET_SECONDS = 5 * 60
"""A session's use is written down at most this often."""
SESSIONS_PER_ACCOUNT_MAX = 20
TOKEN_BYTES = 32
USER_AGENT_CHARACTERS_MAX = 200


class Visitor(Struct, frozen=True):
    """Whoever is logged in, as she is at this moment.

    `runs_something`: she manages a circle, or certifies a badge.
    """

    account_id: int
    username: str
    name: str | None
    circles: frozenset[str]
    roles: frozenset[Who]
    runs_something: bool = False

    @property
    def is_admin(self) -> bool:
        """Whether she may do everything that anybody may."""
        return Who.ADMIN in self.roles

    @property
    def shown_name(self) -> str:
        """The name, or the user name of somebody who has none."""
        return self.name or self.username


class NobodyLoggedIn(ConsoleError):
    """A page that needs to know who asks was reached by a route that lets anyone in."""


_VISITOR = web.RequestKey("visitor", Visitor)
_RENEWED_TOKEN = web.RequestKey("renewed_token", str)


def visitor(request: web.Request) -> Visitor:
    """Who is logged in. Raises: NobodyLoggedIn."""
    found = visitor_or_none(request)
    if found is None:
        raise NobodyLoggedIn("Nobody is logged in.")
    return found


def visitor_or_none(request: web.Request) -> Visitor | None:
    """Who is logged in, as far as `load` has found out."""
    return request.get(_VISITOR)


def author(request: web.Request, *, account_id: int | None = None) -> Author:
    """Whom a change comes from that a request makes.

    `account_id`: who that is, where nobody is logged in yet but the person is known.
    """
    me = visitor_or_none(request)
    resource = request.match_info.route.resource
    place = request.path if resource is None else resource.canonical
    return Author(
        account_id=me.account_id if me else account_id,
        address=address_of(request),
        doing=f"{request.method} {place}",
    )


async def load(request: web.Request) -> Visitor | None:
    """Finds out who asks, and remembers it with the request. Raises: DatabaseUnavailable.

    Who comes to a page with nothing but a cookie of the old web app gets a session.
    """
    row = await _find(request, is_used=True)
    if row is None:
        return None
    if not row.is_ours and request.method == "GET" and not wants_data(request):
        by = author(request, account_id=row.account_id)
        async with request.app[DATABASE].writing(by=by) as conn:
            if not await queries.takes_old_sessions(conn, account_id=row.account_id):
                return None  # the password was changed a moment ago
            request[_RENEWED_TOKEN] = await begin(request, conn, account_id=row.account_id)
    request[_VISITOR] = _visitor(request, row)
    return request[_VISITOR]


async def is_still(request: web.Request, known: Visitor) -> bool:
    """Whether the session that a long answer began with still holds, with the same rights."""
    row = await _find(request, is_used=False)
    return row is not None and _visitor(request, row) == known


async def begin(request: web.Request, conn: Connection, *, account_id: int) -> str:
    """Starts a session with a new token, and ends the one that the browser had before.

    Returns the token, for `set_cookie`; the caller's transaction makes it valid.
    """
    old = _token(request)
    if old is not None:
        await queries.delete_session(conn, token_digest=_digest(old))
    token = secrets.token_urlsafe(TOKEN_BYTES)
    await queries.add_session(
        conn,
        token_digest=_digest(token),
        account_id=account_id,
        lifetime_seconds=LIFETIME_SECONDS,
        address=address_of(request),
        user_agent=_user_agent(request),
        beside_old=_old_session(request) == OldSession(account_id),
    )
    await queries.delete_surplus_sessions(
        conn, account_id=account_id, kept=SESSIONS_PER_ACCOUNT_MAX
    )
    return token


def digest_of(request: web.Request) -> bytes | None:
    """What the database calls this browser's session; None: it has none of ours."""
    token = _token(request)
    return None if token is None else _digest(token)


async def end(request: web.Request, conn: Connection) -> None:
    """Deletes the session, if there is one."""
    token = _token(request)
    if token is not None:
        await queries.delete_session(conn, token_digest=_digest(token))


async def begin_alone(request: web.Request, conn: Connection, *, account_id: int) -> str:
    """The same, and ends all others of the account: see `end_all`."""
    await end_all(conn, account_id=account_id)
    return await begin(request, conn, account_id=account_id)


async def end_all(conn: Connection, *, account_id: int) -> None:
    """Ends all sessions of an account, and refuses its cookies of the old web app."""
    await queries.delete_sessions_of(conn, account_id=account_id)
    await queries.refuse_old_sessions(
        conn, account_id=account_id, seconds=old_cookie.LIFETIME_SECONDS
    )


def session_key(request: web.Request) -> bytes | None:
    """The same for all pages of one browser. None: nothing but a cookie of the old web app."""
    token = _token(request)
    return None if token is None else _digest(token)


def set_cookie(request: web.Request, response: web.StreamResponse, token: str) -> None:
    """Hands the browser its token: not to scripts, not to other sites' forms."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=LIFETIME_SECONDS,
        path="/",
        httponly=True,
        samesite="Lax",
        secure=_is_https(request),
    )


def forget_cookie(request: web.Request, response: web.StreamResponse) -> None:
    """Lets the browser drop its token, and the cookie of the old web app where we read that."""
    response.del_cookie(COOKIE, path="/", httponly=True, samesite="Lax", secure=_is_https(request))
    if request.app[SETTINGS].legacy.secret_key is not None:
        response.del_cookie(old_cookie.COOKIE, path="/", httponly=True)


def renew_cookie(request: web.Request, response: web.StreamResponse) -> None:
    """A session that was prolonged has its cookie prolonged, too. A stream calls it by itself."""
    token = request.get(_RENEWED_TOKEN)
    if token is not None and COOKIE not in response.cookies and not response.prepared:
        set_cookie(request, response, token)


def address_of(request: web.Request) -> str:
    """The visitor's network address, as far as it can be known."""
    return client_address(request, has_proxy=request.app[SETTINGS].http.public_url is not None)


async def _find(request: web.Request, *, is_used: bool) -> SessionRow | None:
    """By which session somebody asks: one of ours before one of the old web app.

    `is_used`: it is prolonged, and its cookie is to be: see `renew_cookie`.
    """
    token, old = _token(request), _old_session(request)
    digest = session_key(request)
    old_account = None if old is None else old.account_id
    if digest is None and old_account is None:
        return None
    async with request.app[DATABASE].reading() as conn:
        for row in await queries.sessions(
            conn, token_digest=digest, old_account=old_account, quiet_seconds=QUIET_SECONDS
        ):
            if token is None or digest is None or not row.is_ours:
                return row
            if _was_left(row, old):
                await queries.delete_session(conn, token_digest=digest)
                continue
            if is_used and row.is_due:
                await queries.touch_session(
                    conn, token_digest=digest, lifetime_seconds=LIFETIME_SECONDS
                )
                request[_RENEWED_TOKEN] = token
            return row
    return None


def _was_left(row: SessionRow, old: OldSession | None) -> bool:
    """Whether the person has logged out at the old web app, or somebody else has logged in there.

    A cookie that is gone, or expired, says nothing.
    """
    return row.beside_old and old is not None and old.account_id != row.account_id


def _visitor(request: web.Request, row: SessionRow) -> Visitor:
    circles = frozenset(row.circles)
    return Visitor(
        account_id=row.account_id,
        username=row.username,
        name=row.name,
        circles=circles,
        roles=roles_of(circles, request.app[SETTINGS].roles),
        runs_something=row.runs_something,
    )


def _old_session(request: web.Request) -> OldSession | None:
    """What the cookie of the old web app says; None: there is none, or it isn't read here."""
    secret_key = request.app[SETTINGS].legacy.secret_key
    value = request.cookies.get(old_cookie.COOKIE)
    if secret_key is None or not value:
        return None
    return old_cookie.read_old_cookie(value, secret_key=secret_key, now_s=time.time())


def _is_https(request: web.Request) -> bool:
    url = request.app[SETTINGS].http.public_url
    return url is not None and url.lower().startswith("https:")


def _token(request: web.Request) -> str | None:
    token = request.cookies.get(COOKIE)
    return token if token and len(token) <= 100 else None


def _digest(token: str) -> bytes:
    """What the database holds: whoever reads it there can't log in with it."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _user_agent(request: web.Request) -> str:
    text = request.headers.get("User-Agent", "")
    return "".join(c for c in text if c.isprintable())[:USER_AGENT_CHARACTERS_MAX]
