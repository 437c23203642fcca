"""`/members/new`: an admin makes somebody an account, for which she chooses the password herself.

Until she has, by the link that she is sent, nobody can log in with it.
"""

import secrets
from collections.abc import Mapping

from aiohttp import web

from console.accounts import kept_routes, links, reset
from console.accounts.account import (
    EMAIL_CHARACTERS_MAX,
    NAME_CHARACTERS_MAX,
    PHONE_CHARACTERS_MAX,
    USERNAME_CHARACTERS_MAX,
    adding_mistakes,
)
from console.accounts.queries import Person
from console.accounts.registration import field_of, made_before, register, registration_of
from console.accounts.reset_queries import Forgetful
from console.web.render import lead_to, page
from console.web.requests import form
from console.web.routing import Route, Who

PATH = "/members/new"
UNKNOWN_PASSWORD_BYTES = 32
"""Of a password that nobody is told: the old web app expects every account to have one."""


def routes() -> list[Route]:
    """The form, and what it sends."""
    return [
        Route("GET", PATH, Who.ADMIN, adding_page),
        Route("POST", PATH, Who.ADMIN, add),
    ]


async def adding_page(request: web.Request) -> web.StreamResponse:
    """The form."""
    return _answer(request, {}, {})


async def add(request: web.Request) -> web.StreamResponse:
    """Makes the account and has a link sent; or says beside each field what is wrong with it."""
    fields = await form(request)
    new = registration_of(fields)
    mistakes = adding_mistakes(new)
    if mistakes:
        return _answer(request, fields, mistakes)
    made = await register(request, new, password=secrets.token_urlsafe(UNKNOWN_PASSWORD_BYTES))
    if isinstance(made, str):
        account_id = await made_before(request, new)
        if account_id is not None:  # the form was sent twice; on that page are links, too
            return lead_to(request, kept_routes.path_of(account_id))
        return _answer(request, fields, {field_of(made): made})
    person = Forgetful(made.account_id, new.username, new.email)
    outcome = await links.hand_out(request, person, is_new=True)
    told = Person(made.account_id, new.username, new.name)
    return await kept_routes.tell(request, told, outcome, is_new=True)


def _answer(
    request: web.Request, fields: Mapping[str, str], mistakes: Mapping[str, str]
) -> web.Response:
    typed = {name: fields.get(name, "") for name in ("name", "username", "email", "phone")}
    return page(
        request,
        "accounts/add.html",
        status=422 if mistakes else 200,
        typed=typed,
        mistakes=mistakes,
        sends_mail=reset.is_possible(request.app),
        name_max=NAME_CHARACTERS_MAX,
        username_max=USERNAME_CHARACTERS_MAX,
        email_max=EMAIL_CHARACTERS_MAX,
        phone_max=PHONE_CHARACTERS_MAX,
    )
