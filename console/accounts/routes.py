"""Logging in and out, and the suggestions for a name being typed."""

from math import ceil
from urllib.parse import urlencode

from aiohttp import web

from console.accounts import (
    adding,
    admission,
    joining,
    kept_routes,
    links,
    queries,
    reset,
    reset_routes,
    settings_routes,
)
from console.accounts.admission import PASSWORDS, THROTTLE, USERNAME_CHARACTERS_MAX, LoggedIn
from console.accounts.basic import BASIC, BasicCredentials
from console.accounts.passwords import PasswordThreads
from console.accounts.reset import RESETS, Resets
from console.accounts.throttle import Throttle, Wait
from console.web import session
from console.web.keys import DATABASE, SETTINGS
from console.web.render import fragment, page
from console.web.requests import form, local_path, query_text
from console.web.routing import Route, Who
from console.words import Text

WRONG = Text("Wrong user name or password")
MISTAKES = {"bad-login": WRONG}
NOTICES = {
    "recovery": Text("If we know you, a link is on its way to your e-mail address."),
    "recovery-invalid-request": Text("That link no longer works: it was used, or is too old."),
}
"""By `show_message`, as the old web app calls them."""
SUGGESTIONS_MAX = 8


def routes() -> list[Route]:
    """Joining, logging in and out, passwords, one's own account, others' accounts, suggestions."""
    return [
        *reset_routes.routes(),
        *joining.routes(),
        *settings_routes.routes(),
        *adding.routes(),
        *kept_routes.routes(),
        Route("GET", "/login", Who.ANYONE, login_page),
        Route("POST", "/login", Who.ANYONE, log_in),
        Route("POST", "/logout", Who.ANYONE, log_out),
        Route("GET", "/suggestions/people", Who.MEMBER, suggest_people),
    ]


def set_up(app: web.Application) -> None:
    """Gives the application what log-ins need, until it ends."""
    app[PASSWORDS] = PasswordThreads()
    often = app[SETTINGS].login.failures_per_minute
    app[THROTTLE] = Throttle(failures_per_minute=often)
    app[joining.JOINS] = Throttle(failures_per_minute=often)
    app[links.LINKS] = Throttle(failures_per_minute=often, window_seconds=reset.WINDOW_SECONDS)
    app[BASIC] = BasicCredentials()
    app[RESETS] = Resets(often=often)
    app.on_cleanup.append(_end)


async def _end(app: web.Application) -> None:
    await app[RESETS].close()
    app[PASSWORDS].close()


async def login_page(request: web.Request) -> web.StreamResponse:
    """The form; somebody who is logged in goes where she wanted."""
    there = local_path(request.query.get("next"))
    if await session.load(request) is not None:
        raise web.HTTPSeeOther(there)
    message = request.query.get("show_message", "")
    return page(
        request,
        "accounts/login.html",
        there=there,
        username=query_text(request, "username", characters_max=USERNAME_CHARACTERS_MAX),
        mistake=MISTAKES.get(message),
        notice=NOTICES.get(message),
    )


async def log_in(request: web.Request) -> web.StreamResponse:
    """Checks name and password; begins a new session, or leads back to the form.

    Status and places are those of the old web app: the contract of its API, §5.
    """
    fields = await form(request)
    username = fields.get("username", "")[:USERNAME_CHARACTERS_MAX]
    there = local_path(fields.get("next"))
    outcome = await admission.log_in(request, username, fields.get("password", ""))
    match outcome:
        case Wait():
            seconds = ceil(outcome.seconds)
            response = page(
                request,
                "accounts/login.html",
                status=429,
                there=there,
                username=username,
                mistake=Text(
                    "Too many wrong tries. Wait {seconds} s, then try again.", seconds=seconds
                ),
                notice=None,
            )
            response.headers["Retry-After"] = str(seconds)
            return response
        case None:
            back = {"show_message": "bad-login", "username": username}
            if there != "/":
                back["next"] = there
            return web.Response(status=302, headers={"Location": f"/login?{urlencode(back)}"})
        case LoggedIn(token=token):
            response = web.Response(status=302, headers={"Location": there})
            session.set_cookie(request, response, token)
            return response


async def log_out(request: web.Request) -> web.StreamResponse:
    """Ends the session, here and on the server."""
    async with request.app[DATABASE].writing(by=session.author(request)) as conn:
        await session.end(request, conn)
    response = web.Response(status=303, headers={"Location": "/login"})
    session.forget_cookie(request, response)
    return response


async def suggest_people(request: web.Request) -> web.StreamResponse:
    """Options for a field in which a name is typed."""
    text = query_text(request, "username").removeprefix("@")
    async with request.app[DATABASE].reading() as conn:
        found = await queries.people_like(conn, text=text, limit=SUGGESTIONS_MAX) if text else []
    return fragment(request, "accounts/suggestions.html", people=found)
