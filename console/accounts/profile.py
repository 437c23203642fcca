"""Stores who somebody is said to be: by herself, or by an admin.

Decides that nobody's change is overwritten by a form that was open meanwhile.
"""

from collections.abc import Mapping

import psycopg
from aiohttp import web

from console.accounts import queries as accounts
from console.accounts import settings_queries as queries
from console.accounts.account import EMAIL_TAKEN, Profile, profile_mistakes
from console.accounts.admission import Admitted
from console.database import Connection
from console.web import session
from console.web.keys import DATABASE
from console.web.versions import CHANGED_MEANWHILE
from console.words import Text

NOT_HERS = Text("This is not your password.")
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


async def store(
    request: web.Request,
    typed: Profile,
    *,
    account_id: int,
    version: str,
    proven: Admitted | None = None,
) -> Mistakes:
    """Stores what has been typed; empty, too, where it says so already. Raises: HTTPNotFound.

    `proven`: by which password, that must still be hers; None: nothing was to be proven.
    """
    try:
        async with request.app[DATABASE].writing(by=session.author(request)) as conn:
            known = await queries.profile(conn, account_id=account_id, is_locking=True)
            if known is None:
                raise web.HTTPNotFound
            if known == typed:
                return {}
            if proven is not None and not await accounts.still_has_password(
                conn, account_id=account_id, stored=proven.stored
            ):
                return {"password": NOT_HERS}
            if typed.email != known.email:
                await accounts.lock_registrations(conn)
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
