"""Whether a user name and a password belong together, and the session of whom they belong to.

Decides that a wrong password, a name that is unknown or too long, and a system account get the same
answer in the same time, and that every try counts, whichever door it knocks at: page, old API,
Basic credentials.
"""

import asyncio
from math import ceil

import structlog
from aiohttp import web
from msgspec import Struct

from console.accounts import queries
from console.accounts.account import PASSWORD_CHARACTERS_MAX
from console.accounts.passwords import PasswordThreads
from console.accounts.queries import LoginRow
from console.accounts.throttle import Throttle, Wait
from console.web import session
from console.web.keys import DATABASE

log = structlog.get_logger()

PASSWORDS = web.AppKey("passwords", PasswordThreads)
THROTTLE = web.AppKey("throttle", Throttle)

USERNAME_CHARACTERS_MAX = 200


class Admitted(Struct, frozen=True):
    """The password was right. `rehashed`: a newer hash to store in place of `stored`."""

    account_id: int
    stored: str | None
    rehashed: str | None


class LoggedIn(Struct, frozen=True):
    """`token`: of the session that began, for `session.set_cookie`."""

    account_id: int
    token: str


async def log_in(request: web.Request, username: str, password: str) -> LoggedIn | Wait | None:
    """Begins a session for whom the two stand for. None and what is raised: see `check`."""
    outcome = await check(request, username, password)
    return await _begin(request, outcome) if isinstance(outcome, Admitted) else outcome


async def check(request: web.Request, username: str, password: str) -> Admitted | Wait | None:
    """Whom the two stand for. None: wrong, for whatever reason. Raises: Busy."""
    throttle = request.app[THROTTLE]
    me = session.visitor_or_none(request)
    attempt = throttle.attempt(
        account=username[:USERNAME_CHARACTERS_MAX],
        address=session.address_of(request),
        now=asyncio.get_running_loop().time(),
        is_own=me is not None and me.username == username,
    )
    if isinstance(attempt, Wait):
        log.warning("login.throttled", seconds=ceil(attempt.seconds))
        return attempt
    try:
        admitted = await _verify(request, username, password)
    except Exception:
        throttle.forgive(attempt)  # that nobody could look is no failure of the visitor
        raise
    if admitted is None:
        log.info("login.refused")
    else:
        throttle.succeeded(attempt)
    return admitted


async def _begin(request: web.Request, admitted: Admitted) -> LoggedIn | None:
    """None: the password was changed while it was looked at."""
    by = session.author(request, account_id=admitted.account_id)
    async with request.app[DATABASE].writing(by=by) as conn:
        if not await queries.still_has_password(
            conn, account_id=admitted.account_id, stored=admitted.stored
        ):
            log.info("login.refused")
            return None
        if admitted.stored is not None and admitted.rehashed is not None:
            await queries.replace_password(
                conn,
                account_id=admitted.account_id,
                stored=admitted.stored,
                replacement=admitted.rehashed,
            )
        token = await session.begin(request, conn, account_id=admitted.account_id)
    log.info("login.succeeded", account=admitted.account_id)
    return LoggedIn(admitted.account_id, token)


def too_many(wait: Wait) -> web.HTTPTooManyRequests:
    """What a program is answered that tried too often."""
    seconds = ceil(wait.seconds)
    return web.HTTPTooManyRequests(
        text=f"Too many tries. Wait {seconds} s, then try again.",
        headers={"Retry-After": str(seconds)},
    )


def choose(candidates: list[LoginRow], username: str) -> LoginRow | None:
    """Who is meant by a user name: of several that differ in case only the exact one."""
    for candidate in candidates:
        if candidate.username == username:
            return candidate
    return candidates[0] if len(candidates) == 1 else None


async def _verify(request: web.Request, username: str, password: str) -> Admitted | None:
    if len(username) > USERNAME_CHARACTERS_MAX or len(password) > PASSWORD_CHARACTERS_MAX:
        # Nobody has these; whoever sends them waits like anybody, and no more than that is hashed.
        await request.app[PASSWORDS].verify("", None)
        return None
    async with request.app[DATABASE].reading() as conn:
        candidates = await queries.login_candidates(conn, username=username)
    found = choose(candidates, username)
    stored = found.password if found else None
    verdict = await request.app[PASSWORDS].verify(password, stored)
    if found is None or not verdict.is_right:
        return None
    return Admitted(found.account_id, stored, verdict.rehashed)
