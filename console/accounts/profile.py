"""Stores who somebody is said to be: by herself, or by an admin.

Decides that nobody's change is overwritten by a form that was open meanwhile.
"""

from collections.abc import Mapping

import psycopg
from aiohttp import web

from console.accounts import settings_queries as queries
from console.accounts.account import EMAIL_TAKEN, Profile, profile_mistakes
from console.database import Connection
from console.web import session
from console.web.keys import DATABASE
from console.web.versions import CHANGED_MEANWHILE

Mistakes = Mapping[str, str]
"""By field; `form`: with all of it."""


async def mistakes_with(
    conn: Connection, known: Profile, typed: Profile, *, account_id: int, version: str
) -> Mistakes:
    """What keeps `typed` from being stored."""
    if known != typed and known.version != version:
        return {"form": CHANGED_MEANWHILE}
    found = profile_mistakes(typed, known)
    if found:
        return found
    if await queries.is_email_taken(conn, account_id=account_id, email=typed.email):
        return {"email": EMAIL_TAKEN}
    return {}


async def store(request: web.Request, typed: Profile, *, account_id: int, version: str) -> Mistakes:
    """Stores what has been typed; empty, too, where it says so already. Raises: HTTPNotFound."""
    try:
        async with request.app[DATABASE].writing(by=session.author(request)) as conn:
            known = await queries.profile(conn, account_id=account_id, is_locking=True)
            if known is None:
                raise web.HTTPNotFound
            if known == typed:
                return {}
            found = await mistakes_with(conn, known, typed, account_id=account_id, version=version)
            if found:
                return found
            await queries.set_profile(
                conn,
                account_id=account_id,
                name=typed.name,
                email=typed.email,
                phone=typed.phone,
            )
    except psycopg.errors.UniqueViolation:
        return {"email": EMAIL_TAKEN}
    return {}
