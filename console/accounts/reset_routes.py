"""Pages for who has forgotten a password: asking for a link, and what the link leads to.

`/reset-password-form` and `/set-new-password` are those of the old web app, so that links which it
has sent work here: the contract of its API, §5.
"""

from math import ceil

from aiohttp import web

from console.accounts import new_password, reset, reset_queries
from console.accounts.account import password_mistakes
from console.accounts.admission import USERNAME_CHARACTERS_MAX
from console.accounts.reset import RESETS
from console.web.keys import DATABASE
from console.web.render import page
from console.web.requests import form
from console.web.routing import Route, Who
from console.words import Text

TOKEN_CHARACTERS_MAX = 100
INVALID = "/login?show_message=recovery-invalid-request"


def routes() -> list[Route]:
    """All of them."""
    return [
        Route("GET", "/forgot-password", Who.ANYONE, forgot_page),
        Route("POST", "/forgot-password", Who.ANYONE, forgot),
        Route("GET", "/reset-password-form", Who.ANYONE, new_password_page),
        Route("POST", "/set-new-password", Who.ANYONE, set_new_password),
    ]


async def forgot_page(request: web.Request) -> web.StreamResponse:
    """Asks who it is; says so where no mail can be sent."""
    return _forgot(request)


async def forgot(request: web.Request) -> web.StreamResponse:
    """Sends a link; the answer is the same whether there is such a person."""
    text = (await form(request)).get("username", "").strip()[:USERNAME_CHARACTERS_MAX]
    if not text:
        return _forgot(request, status=422, mistake=Text("Type your user name or e-mail address."))
    wait = await request.app[RESETS].start(request, text=text)
    if wait is None:
        return web.Response(status=302, headers={"Location": "/login?show_message=recovery"})
    seconds = ceil(wait.seconds)
    response = _forgot(
        request,
        status=429,
        typed=text,
        mistake=Text("Too often. Wait {seconds} s, then try again.", seconds=seconds),
    )
    response.headers["Retry-After"] = str(seconds)
    return response


async def new_password_page(request: web.Request) -> web.StreamResponse:
    """The form that the link in the mail leads to."""
    token = request.query.get("reset_token", "")
    username = await _holder(request, token)
    if username is None:
        return _invalid()
    return _new_password(request, token, username)


async def set_new_password(request: web.Request) -> web.StreamResponse:
    """Sets the password and uses the token up; a password that won't do leaves it valid."""
    fields = await form(request)
    token, password = fields.get("reset_token", ""), fields.get("password", "")
    username = await _holder(request, token)
    if username is None:
        return _invalid()
    wrong = password_mistakes(password)
    if wrong:
        return _new_password(request, token, username, status=422, mistake=wrong[0])
    if not await new_password.set_by_token(request, reset.stored_forms(token), new=password):
        return _invalid()
    return web.Response(status=302, headers={"Location": "/"})


async def _holder(request: web.Request, token: str) -> str | None:
    if not token or len(token) > TOKEN_CHARACTERS_MAX or "\0" in token:
        return None
    async with request.app[DATABASE].reading() as conn:
        return await reset_queries.holder(conn, token_forms=reset.stored_forms(token))


def _forgot(
    request: web.Request, *, status: int = 200, typed: str = "", mistake: str | None = None
) -> web.Response:
    return page(
        request,
        "accounts/forgot.html",
        status=status,
        is_possible=reset.is_possible(request.app),
        typed=typed,
        mistake=mistake,
    )


def _new_password(
    request: web.Request,
    token: str,
    username: str,
    *,
    status: int = 200,
    mistake: str | None = None,
) -> web.Response:
    response = page(
        request,
        "accounts/new_password.html",
        status=status,
        token=token,
        username=username,
        mistake=mistake,
    )
    # The token stands in the address, so nobody is told that. `no-referrer` would hide the form's
    # origin from ourselves, too (Fetch standard, "append a request Origin header"), and the form
    # would be refused as one of another site.
    response.headers["Referrer-Policy"] = "strict-origin"
    return response


def _invalid() -> web.Response:
    return web.Response(status=302, headers={"Location": INVALID})
