"""Who is asking: server-side sessions, named by a random token in a cookie.

Decides how long a log-in lasts and what a visitor is known by. Whether a password was right is for
`console.accounts`; what a visitor may do is in `permit.py` and the features.
"""

import hashlib
import secrets
from dataclasses import dataclass

from aiohttp import web

from console.database import Connection
from console.errors import ConsoleError
from console.web import queries
from console.web.keys import DATABASE, SETTINGS
from console.web.requests import client_address

COOKIE = "p2k16_session"
LIFETIME_SECONDS = 31 * 24 * 3600
"""Counted from the last use."""
QUIET_SECONDS = 5 * 60
"""A session's use is written down at most this often."""
SESSIONS_PER_ACCOUNT_MAX = 20
TOKEN_BYTES = 32
USER_AGENT_CHARACTERS_MAX = 200


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever is logged in, as she is at this moment."""

    account_id: int
    username: str
    name: str | None
    circles: frozenset[str]
    is_admin: bool
    manages_circles: bool = False

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


async def load(request: web.Request) -> Visitor | None:
    """Finds out who asks, and remembers it with the request. Raises: DatabaseUnavailable."""
    token = _token(request)
    if token is None:
        return None
    found = await find(request, token)
    if found is not None:
        request[_VISITOR] = found
    return found


async def find(request: web.Request, token: str) -> Visitor | None:
    """Whose session a token names. Raises: DatabaseUnavailable."""
    digest = _digest(token)
    database = request.app[DATABASE]
    async with database.reading() as conn:
        row = await queries.session(conn, token_digest=digest, quiet_seconds=QUIET_SECONDS)
        if row is None:
            return None
        if row.is_due:
            await queries.touch_session(
                conn, token_digest=digest, lifetime_seconds=LIFETIME_SECONDS
            )
            request[_RENEWED_TOKEN] = token
    circles = frozenset(row.circles)
    return Visitor(
        account_id=row.account_id,
        username=row.username,
        name=row.name,
        circles=circles,
        is_admin=request.app[SETTINGS].roles.admin_circle in circles,
        manages_circles=row.manages_circles,
    )


async def is_still(request: web.Request, known: Visitor) -> bool:
    """Whether the session that a long answer began with still holds, with the same rights."""
    token = _token(request)
    return token is not None and await find(request, token) == known


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
    )
    await queries.delete_surplus_sessions(
        conn, account_id=account_id, kept=SESSIONS_PER_ACCOUNT_MAX
    )
    return token


async def end(request: web.Request, conn: Connection) -> None:
    """Deletes the session, if there is one."""
    token = _token(request)
    if token is not None:
        await queries.delete_session(conn, token_digest=_digest(token))


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
    """Lets the browser drop its token."""
    response.del_cookie(COOKIE, path="/", httponly=True, samesite="Lax", secure=_is_https(request))


def renew_cookie(request: web.Request, response: web.StreamResponse) -> None:
    """A session that was prolonged has its cookie prolonged, too."""
    token = request.get(_RENEWED_TOKEN)
    if token is not None and COOKIE not in response.cookies and not response.prepared:
        set_cookie(request, response, token)


def address_of(request: web.Request) -> str:
    """The visitor's network address, as far as it can be known."""
    return client_address(request, has_proxy=request.app[SETTINGS].http.public_url is not None)


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
