"""The old API of accounts: logging in and out, registering, passwords, one's phone number.

Source: its contract, §2 and §5.
"""

from html import escape

from aiohttp import web

from console.accounts import admission, new_password, queries
from console.accounts.account import (
    EMAIL_CHARACTERS_MAX,
    NAME_CHARACTERS_MAX,
    PASSWORD_CHARACTERS_MAX,
    PHONE_CHARACTERS_MAX,
    USERNAME_CHARACTERS_MAX,
    Registration,
    phone_mistakes,
)
from console.accounts.admission import USERNAME_CHARACTERS_MAX as TYPED_CHARACTERS_MAX
from console.accounts.new_password import Changed, Refused
from console.accounts.registration import register
from console.accounts.reset import RESETS
from console.accounts.throttle import Wait
from console.errors import BadRequest
from console.legacy.answers import answer, done
from console.legacy.bodies import read_body
from console.legacy.profile_shapes import own_profile
from console.web import session
from console.web.keys import DATABASE
from console.web.routing import Route, Who

PASSWORD_CHARACTERS_MIN = 3
"""At registration. Clients of the old API may count on it; a password set later has 8 or more."""
WRONG = "Invalid credentials"
RESET_STARTED = (
    "If we found your user in our systems we have sent an email to your registered email."
)


def routes() -> list[Route]:
    """Its paths."""
    return [
        Route("POST", "/service/authz/log-in", Who.ANYONE, log_in),
        Route("POST", "/service/authz/log-out", Who.ANYONE, log_out),
        Route("POST", "/service/register-account", Who.ANYONE, register_account),
        Route("POST", "/service/start-reset-password", Who.ANYONE, start_reset_password),
        Route("POST", "/service/set-password", Who.MEMBER, set_password),
        Route("POST", "/service/edit-profile", Who.MEMBER, edit_profile),
        Route("GET", "/protected", Who.MEMBER, protected),
    ]


async def log_in(request: web.Request) -> web.StreamResponse:
    """Begins a session; the answer is one's own profile."""
    body = await read_body(request)
    username = body.text("username", least=1)
    password = body.text("password", least=1)
    outcome = await admission.log_in(request, username, password)
    if isinstance(outcome, Wait):
        raise admission.too_many(outcome)
    if outcome is None:
        raise BadRequest(WRONG)
    async with request.app[DATABASE].reading() as conn:
        profile = await own_profile(conn, account_id=outcome.account_id, is_full=True)
    response = answer(profile)
    session.set_cookie(request, response, outcome.token)
    return response


async def log_out(request: web.Request) -> web.StreamResponse:
    """Ends the session, if there is one."""
    async with request.app[DATABASE].writing(by=session.author(request)) as conn:
        await session.end(request, conn)
    response = done()
    session.forget_cookie(request, response)
    return response


async def register_account(request: web.Request) -> web.StreamResponse:
    """Makes an account, and doesn't log in."""
    body = await read_body(request)
    new = Registration(
        username=body.text("username", least=1, most=USERNAME_CHARACTERS_MAX),
        email=body.text("email", least=1, most=EMAIL_CHARACTERS_MAX),
        name=body.optional_text("name", least=1, most=NAME_CHARACTERS_MAX),
        phone=body.optional_text("phone", most=PHONE_CHARACTERS_MAX),
    )
    password = body.text("password", least=PASSWORD_CHARACTERS_MIN, most=PASSWORD_CHARACTERS_MAX)
    made = await register(request, new, password=password)
    if isinstance(made, str):
        raise BadRequest(made)
    return done()


async def start_reset_password(request: web.Request) -> web.StreamResponse:
    """Mails a link to whoever has the user name or e-mail address.

    The answer is the same whether there is somebody.
    """
    text = (await read_body(request)).text("username", least=1)
    # Neither a user name nor an address can be longer, so what is left of it is nobody's.
    wait = await request.app[RESETS].start(request, text=text[:TYPED_CHARACTERS_MAX])
    if wait is not None:
        raise admission.too_many(wait)
    return answer({"message": RESET_STARTED})


async def set_password(request: web.Request) -> web.StreamResponse:
    """Changes one's password; sessions elsewhere end."""
    body = await read_body(request)
    old = body.text("oldPassword", least=1)
    new = body.text("newPassword", least=1, most=PASSWORD_CHARACTERS_MAX)
    outcome = await new_password.change(request, session.visitor(request), old=old, new=new)
    match outcome:
        case Wait():
            raise admission.too_many(outcome)
        case Refused(words):
            raise BadRequest(words)
        case Changed(token):
            response = done()
            session.set_cookie(request, response, token)
            return response


async def edit_profile(request: web.Request) -> web.StreamResponse:
    """Changes one's phone number; everything else stays."""
    phone = (await read_body(request)).text("phone", most=PHONE_CHARACTERS_MAX)
    wrong = phone_mistakes(phone)
    if wrong:
        raise BadRequest(wrong[0])
    visitor = session.visitor(request)
    async with request.app[DATABASE].writing(by=session.author(request)) as conn:
        await queries.set_phone(conn, account_id=visitor.account_id, phone=phone)
    return done()


async def protected(request: web.Request) -> web.StreamResponse:
    """Says who is logged in."""
    visitor = session.visitor(request)
    return web.Response(
        text=f"Logged in as: {visitor.account_id}, username={escape(visitor.username)}",
        content_type="text/html",
    )
