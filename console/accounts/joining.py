"""`/join`: somebody makes herself an account and is logged in with it."""

import asyncio
from collections.abc import Mapping
from math import ceil

from aiohttp import web

from console.accounts import admission
from console.accounts.account import USERNAME_CHARACTERS_MAX, joining_mistakes
from console.accounts.admission import LoggedIn
from console.accounts.registration import field_of, made_before, register, registration_of
from console.accounts.throttle import Throttle, Wait
from console.web import session
from console.web.render import page
from console.web.requests import form
from console.web.routing import Route, Who
from console.words import Text

JOINS = web.AppKey("joins", Throttle)
"""How often one address may try, whether or not it succeeds."""


def routes() -> list[Route]:
    """The form, and what it sends."""
    return [
        Route("GET", "/join", Who.ANYONE, join_page),
        Route("POST", "/join", Who.ANYONE, join),
    ]


async def join_page(request: web.Request) -> web.StreamResponse:
    """The form; somebody who is logged in has an account."""
    if await session.load(request) is not None:
        raise web.HTTPSeeOther("/")
    return _answer(request, {}, {})


async def join(request: web.Request) -> web.StreamResponse:
    """Makes the account and begins a session; or says beside each field what is wrong with it."""
    fields = await form(request)
    new = registration_of(fields)
    password = fields.get("password", "")
    mistakes = joining_mistakes(new, password)
    if mistakes:
        return _answer(request, fields, mistakes)
    attempt = request.app[JOINS].attempt(
        account=new.username,
        address=session.address_of(request),
        now=asyncio.get_running_loop().time(),
    )
    if isinstance(attempt, Wait):
        return _later(request, fields, attempt)
    made = await register(request, new, password=password)
    # A name that is taken can't be kept from whoever wants to have it.
    taken = {field_of(made): made} if isinstance(made, str) else {}
    if taken and await made_before(request, new) is None:
        return _answer(request, fields, taken)
    outcome = await admission.log_in(request, new.username, password)
    if taken and not isinstance(outcome, LoggedIn):
        return _answer(request, fields, taken)
    response = web.Response(status=303, headers={"Location": "/"})
    if isinstance(outcome, LoggedIn):
        session.set_cookie(request, response, outcome.token)
    return response


def _later(request: web.Request, fields: Mapping[str, str], wait: Wait) -> web.Response:
    """What was typed is there still; but for the password."""
    seconds = ceil(wait.seconds)
    words = Text("Too many tries. Wait {seconds} s, then press Join again.", seconds=seconds)
    response = _answer(request, fields, {"form": words})
    response.set_status(429)
    response.headers["Retry-After"] = str(seconds)
    return response


def _answer(
    request: web.Request, fields: Mapping[str, str], mistakes: Mapping[str, str]
) -> web.Response:
    typed = {name: fields.get(name, "") for name in ("name", "username", "email", "phone")}
    return page(
        request,
        "accounts/join.html",
        status=422 if mistakes else 200,
        typed=typed,
        mistakes=mistakes,
        username_max=USERNAME_CHARACTERS_MAX,
    )
