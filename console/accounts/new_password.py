"""A new password: by the old one, or by the token of a reset.

Decides that whoever was logged in with the old password no longer is: all sessions of the account
end, and its cookies of the old web app are refused.
"""

from collections.abc import Sequence

import structlog
from aiohttp import web
from msgspec import Struct

from console.accounts import admission, reset_queries
from console.accounts.account import password_mistakes
from console.accounts.admission import PASSWORDS
from console.accounts.throttle import Wait
from console.web import session
from console.web.keys import DATABASE
from console.web.session import Visitor
from console.words import Text

log = structlog.get_logger()

WRONG = Text("Bad password")
CHANGED_MEANWHILE = Text("The password was changed a moment ago, so it stays as it is")


class Changed(Struct, frozen=True):
    """`token`: of the session that goes on in this browser, for `session.set_cookie`."""

    token: str


class Refused(Struct, frozen=True):
    """Nothing was changed. `words`: why."""

    words: str


async def change(
    request: web.Request, visitor: Visitor, *, old: str, new: str
) -> Changed | Refused | Wait:
    """Changes the visitor's password; her session in this browser goes on under a new token.

    Raises: Busy, DatabaseUnavailable.
    """
    admitted = await admission.check(request, visitor.username, old)
    if isinstance(admitted, Wait):
        return admitted
    if admitted is None or admitted.account_id != visitor.account_id:
        return Refused(WRONG)
    wrong = password_mistakes(new)
    if wrong:
        return Refused(wrong[0])
    hashed = await request.app[PASSWORDS].hash(new)
    async with request.app[DATABASE].writing(by=session.author(request)) as conn:
        if not await reset_queries.change_password(
            conn, account_id=visitor.account_id, stored=admitted.stored, replacement=hashed
        ):
            return Refused(CHANGED_MEANWHILE)
        token = await session.begin_alone(request, conn, account_id=visitor.account_id)
    log.info("password.changed", account=visitor.account_id)
    return Changed(token)


async def set_by_token(request: web.Request, token_forms: Sequence[str], *, new: str) -> bool:
    """Sets the password of whom the token was sent to, and uses the token up.

    `token_forms`: see `reset.stored_forms`. False: it is not valid (any more). `new` was checked.
    Raises: Busy, DatabaseUnavailable.
    """
    hashed = await request.app[PASSWORDS].hash(new)
    async with request.app[DATABASE].writing(by=session.author(request)) as conn:
        account_id = await reset_queries.use_token(
            conn, token_forms=token_forms, replacement=hashed
        )
        if account_id is None:
            return False
        await session.end_all(conn, account_id=account_id)
    log.info("password.reset", account=account_id)
    return True
