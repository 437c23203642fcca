"""Logging in and out, and the suggestions for a name being typed.

Decides that a wrong password, an unknown user name and a system account get the same answer, and
how often somebody may try.
"""

import asyncio
from dataclasses import dataclass
from math import ceil

import structlog
from aiohttp import web

from console.accounts import queries
from console.accounts.passwords import PasswordThreads
from console.accounts.queries import LoginRow
from console.accounts.throttle import Attempt, Throttle, Wait
from console.web import session
from console.web.keys import DATABASE
from console.web.render import fragment, page
from console.web.requests import form, local_path, query_text
from console.web.routing import Route, Who

log = structlog.get_logger()

PASSWORDS = web.AppKey("passwords", PasswordThreads)
THROTTLE = web.AppKey("throttle", Throttle)

WRONG = "Wrong user name or password"
USERNAME_CHARACTERS_MAX = 200
SUGGESTIONS_MAX = 8


def routes() -> list[Route]:
    """Everything below /login, /logout and /suggestions."""
    return [
        Route("GET", "/login", Who.ANYONE, login_page),
        Route("POST", "/login", Who.ANYONE, log_in),
        Route("POST", "/logout", Who.ANYONE, log_out),
        Route("GET", "/suggestions/people", Who.MEMBER, suggest_people),
    ]


async def login_page(request: web.Request) -> web.StreamResponse:
    """The form; somebody who is logged in goes where she wanted."""
    there = local_path(request.query.get("next"))
    if await session.load(request) is not None:
        raise web.HTTPSeeOther(there)
    return page(request, "accounts/login.html", there=there, username="", mistake=None)


async def log_in(request: web.Request) -> web.StreamResponse:
    """Checks name and password; begins a new session."""
    fields = await form(request)
    username = fields.get("username", "")[:USERNAME_CHARACTERS_MAX]
    there = local_path(fields.get("next"))
    outcome = await _check(request, username, fields.get("password", ""))
    match outcome:
        case Wait():
            seconds = ceil(outcome.seconds)
            response = page(
                request,
                "accounts/login.html",
                status=429,
                there=there,
                username=username,
                mistake=f"Too many wrong tries. Wait {seconds} s, then try again.",
            )
            response.headers["Retry-After"] = str(seconds)
            return response
        case None:
            return page(
                request,
                "accounts/login.html",
                status=422,
                there=there,
                username=username,
                mistake=WRONG,
            )
        case Admitted():
            response = web.Response(status=303, headers={"Location": there})
            session.set_cookie(request, response, await _begin(request, outcome))
            log.info("login.succeeded", account=outcome.account_id)
            return response


async def log_out(request: web.Request) -> web.StreamResponse:
    """Ends the session, here and on the server."""
    async with request.app[DATABASE].writing() as conn:
        await session.end(request, conn)
    response = web.Response(status=303, headers={"Location": "/login"})
    session.forget_cookie(request, response)
    return response


async def suggest_people(request: web.Request) -> web.StreamResponse:
    """Options for a field in which a name is typed."""
    text = query_text(request, "username")
    async with request.app[DATABASE].reading() as conn:
        found = await queries.people_like(conn, text=text, limit=SUGGESTIONS_MAX) if text else []
    return fragment(request, "accounts/suggestions.html", people=found)


@dataclass(frozen=True, slots=True)
class Admitted:
    """The password was right. `rehashed`: a newer hash to store in place of `stored`."""

    account_id: int
    stored: str | None
    rehashed: str | None


async def _check(request: web.Request, username: str, password: str) -> Admitted | Wait | None:
    """None: wrong, for whatever reason."""
    throttle = request.app[THROTTLE]
    attempt = throttle.attempt(
        account=username,
        address=session.address_of(request),
        now=asyncio.get_running_loop().time(),
    )
    if isinstance(attempt, Wait):
        log.warning("login.throttled", seconds=ceil(attempt.seconds))
        return attempt
    try:
        admitted = await _verify(request, username, password)
    except Exception:
        throttle.succeeded(attempt)  # that nobody could look is no failure of the visitor
        raise
    return _judge(throttle, attempt, admitted)


def _judge(throttle: Throttle, attempt: Attempt, admitted: Admitted | None) -> Admitted | None:
    if admitted is None:
        log.info("login.refused")
    else:
        throttle.succeeded(attempt)
    return admitted


async def _verify(request: web.Request, username: str, password: str) -> Admitted | None:
    async with request.app[DATABASE].reading() as conn:
        candidates = await queries.login_candidates(conn, username=username)
    found = choose(candidates, username)
    stored = found.password if found else None
    verdict = await request.app[PASSWORDS].verify(password, stored)
    if found is None or not verdict.is_right:
        return None
    return Admitted(found.account_id, stored, verdict.rehashed)


def choose(candidates: list[LoginRow], username: str) -> LoginRow | None:
    """Who is meant by a user name: of several that differ in case only the exact one."""
    for candidate in candidates:
        if candidate.username == username:
            return candidate
    return candidates[0] if len(candidates) == 1 else None


async def _begin(request: web.Request, admitted: Admitted) -> str:
    async with request.app[DATABASE].writing() as conn:
        if admitted.stored is not None and admitted.rehashed is not None:
            await queries.replace_password(
                conn,
                account_id=admitted.account_id,
                stored=admitted.stored,
                replacement=admitted.rehashed,
            )
        return await session.begin(request, conn, account_id=admitted.account_id)
