"""A forgotten password: a link goes to the e-mail address of whoever a name stands for.

Decides what a token is, and that an answer tells nobody who has an account: mail is sent after it,
in the background. The link leads to `[http] public_url`, never to where a request says it went.
"""

import asyncio
import hashlib
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Sequence

import psycopg
import structlog
from aiohttp import web

from console.accounts import reset_queries
from console.accounts.reset_queries import Forgetful
from console.accounts.throttle import Throttle, Wait
from console.database import Author, Connection
from console.errors import ConsoleError
from console.mail import MailFailed
from console.supervision import end
from console.web import session
from console.web.keys import DATABASE, MAILER, SETTINGS
from console.web.render import TEMPLATES
from console.words import Text

log = structlog.get_logger()

TOKEN_BYTES = 24
VALID_HOURS = 24
WINDOW_SECONDS = 15 * 60.0
"""Within it, as many resets may be asked for as log-ins may fail within a minute."""
RUNNING_MAX = 50
END_SECONDS = 2.0
"""Mail that is under way when the program ends gets so long."""

_OLD_TOKEN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""A UUID: what the old web app sends, and stores as it is."""


def new_token() -> str:
    """A token that nobody can guess."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def stored_form(token: str) -> str:
    """What is stored for a token of ours: 50 characters, as many as the column takes."""
    digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
    return f"sha256:{urlsafe_b64encode(digest).decode('ascii').rstrip('=')}"


def stored_forms(token: str) -> Sequence[str]:
    """What a token may be stored as.

    One of the old web app may be stored as it is. The stored form of ours is never a token itself:
    it isn't a UUID.
    """
    ours = stored_form(token)
    return (ours, token) if _OLD_TOKEN.fullmatch(token) else (ours,)


def is_possible(app: web.Application) -> bool:
    """Whether a link can be sent: there is a mail server, and an address to lead to."""
    return app[MAILER].is_on and app[SETTINGS].http.public_url is not None


class Resets:
    """Sends the links, after the answers; so many at a time, and only so often."""

    def __init__(self, *, often: int) -> None:
        """`often`: how often within WINDOW_SECONDS for one name, and from one address."""
        self._throttle = Throttle(failures_per_minute=often, window_seconds=WINDOW_SECONDS)
        self._running: set[asyncio.Task[bool]] = set()

    async def start(self, request: web.Request, *, text: str) -> Wait | None:
        """Sends a link to whoever has this user name or e-mail address. None, whoever there is.

        Raises: DatabaseUnavailable.
        """
        by = session.author(request)
        address = session.address_of(request)
        now = asyncio.get_running_loop().time()
        attempt = self._throttle.attempt(account=text, address=address, now=now)
        if isinstance(attempt, Wait):
            log.warning("reset.throttled")
            return attempt
        if not is_possible(request.app):
            log.warning("reset.impossible", remedy="set [mail] smtp_url and [http] public_url")
            return None
        async with request.app[DATABASE].reading() as conn:
            found = await reset_queries.called(conn, text=text)
        for person in found:
            if len(self._running) >= RUNNING_MAX:
                log.warning("reset.dropped", account=person.account_id)
                break
            sending = asyncio.create_task(send(request.app, person, by=by))
            self._running.add(sending)
            sending.add_done_callback(self._running.discard)
        return None

    async def close(self) -> None:
        """Waits for a moment, then drops what is under way."""
        if self._running:
            await asyncio.wait(self._running, timeout=END_SECONDS)
        await end(*self._running)


RESETS = web.AppKey("resets", Resets)


async def send(
    app: web.Application, person: Forgetful, *, by: Author, is_new: bool = False
) -> bool:
    """Stores a token, then mails it; the one before comes back if the mail isn't taken.

    `is_new`: somebody else has just made the account for her. False: no mail was sent; the log says
    why.
    """
    token, database, mailer = new_token(), app[DATABASE], app[MAILER]
    token_form, html = stored_form(token), _html(app, person, token, is_new=is_new)
    space = mailer.association
    words = Text("Reset password for {space}", space=space)
    if is_new:
        words = Text("Your account at {space}", space=space)
    subject = app[TEMPLATES].say(app[SETTINGS].site.language, words)
    try:
        async with database.writing(by=by) as conn:
            before = await reset_queries.store_token(
                conn,
                account_id=person.account_id,
                email=person.email,
                token_form=token_form,
                valid_hours=VALID_HOURS,
            )
        if before is None:
            return False
        try:
            await mailer.send(to=person.email, subject=subject, html=html)
        except MailFailed:
            async with database.writing(by=by) as conn:
                await reset_queries.restore_token(
                    conn, account_id=person.account_id, token_form=token_form, token=before
                )
            raise
    except (ConsoleError, psycopg.Error) as error:
        reason = str(error) if isinstance(error, ConsoleError) else type(error).__name__
        log.error("reset.failed", account=person.account_id, reason=reason)
        return False
    log.info("reset.sent", account=person.account_id)
    return True


async def make_link(conn: Connection, person: Forgetful, *, base_url: str) -> str | None:
    """Stores a token and gives its link, which nobody is sent; None: see `store_token`."""
    token = new_token()
    before = await reset_queries.store_token(
        conn,
        account_id=person.account_id,
        email=person.email,
        token_form=stored_form(token),
        valid_hours=VALID_HOURS,
    )
    if before is None:
        return None
    log.info("reset.made", account=person.account_id)
    return _link(base_url, token)


def _html(app: web.Application, person: Forgetful, token: str, *, is_new: bool) -> str:
    context = {
        "space": app[MAILER].association,
        "username": person.username,
        "link": _link(app[SETTINGS].http.public_url or "", token),
        "hours": VALID_HOURS,
        "is_new": is_new,
    }
    return app[TEMPLATES].text(app[SETTINGS].site.language, "accounts/reset_mail.html", context)


def _link(base_url: str, token: str) -> str:
    return f"{base_url.rstrip('/')}/reset-password-form?reset_token={token}"
