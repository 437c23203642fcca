"""Somebody makes herself an account.

Decides nothing about what it must be like, which is in `account.py`, but that nobody else gets the
same user name or e-mail address meanwhile, in any case.
"""

from collections.abc import Mapping

import psycopg
import structlog
from aiohttp import web
from msgspec import Struct

from console.accounts import queries
from console.accounts.account import EMAIL_TAKEN, USERNAME_TAKEN, Registration, registration_mistake
from console.accounts.admission import PASSWORDS
from console.database import Connection
from console.web import session
from console.web.keys import DATABASE

log = structlog.get_logger()


class Registered(Struct, frozen=True):
    """There is an account now."""

    account_id: int


async def register(request: web.Request, new: Registration, *, password: str) -> Registered | str:
    """Makes the account. A text says why there is none. Raises: Busy, DatabaseUnavailable."""
    database = request.app[DATABASE]
    async with database.reading() as conn:
        mistake = await _mistake(conn, new)
    if mistake is not None:
        return mistake
    hashed = await request.app[PASSWORDS].hash(password)
    try:
        async with database.writing(by=session.author(request)) as conn:
            await queries.lock_registrations(conn)
            mistake = await _mistake(conn, new)
            if mistake is not None:
                return mistake
            account_id = await queries.insert_account(
                conn,
                username=new.username,
                email=new.email,
                name=new.name or "",
                phone=new.phone,
                password=hashed,
            )
    except psycopg.errors.UniqueViolation:  # the old web app was quicker
        async with database.reading() as conn:
            return await _mistake(conn, new) or USERNAME_TAKEN
    log.info("account.registered", account=account_id)
    return Registered(account_id)


async def made_before(request: web.Request, new: Registration) -> int | None:
    """The account, if the form was sent twice: it was made just so, a moment ago, by the visitor.

    Whether nobody who is logged in is the same nobody, her password tells.
    """
    me = session.visitor_or_none(request)
    async with request.app[DATABASE].reading() as conn:
        return await queries.made_just_now(
            conn, new=new, actor_id=None if me is None else me.account_id
        )


def registration_of(fields: Mapping[str, str]) -> Registration:
    """What a form of `/join` or `/members/new` asks for."""
    return Registration(
        username=fields.get("username", "").strip(),
        email=fields.get("email", "").strip(),
        name=fields.get("name", "").strip(),
        phone=fields.get("phone", "").strip() or None,
    )


def field_of(refusal: str) -> str:
    """The field of such a form that `register` refuses."""
    return "email" if refusal == EMAIL_TAKEN else "username"


async def _mistake(conn: Connection, new: Registration) -> str | None:
    taken = await queries.taken(conn, username=new.username, email=new.email)
    return registration_mistake(new, taken)
