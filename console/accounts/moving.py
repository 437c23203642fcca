"""Tells an e-mail address that it is no longer that of an account.

Only by an admin's change: whoever changes her own gives her password for it.
"""

import structlog
from aiohttp import web

from console.accounts import reset
from console.accounts.account import Profile
from console.mail import MailFailed
from console.web.keys import MAILER, SETTINGS
from console.web.render import TEMPLATES
from console.web.session import visitor
from console.words import Text

log = structlog.get_logger()


async def tell_old_address(request: web.Request, known: Profile, *, account_id: int) -> bool:
    """Whether the address that stands there until now was sent a mail that says who changes it."""
    app = request.app
    if not reset.is_possible(app):
        return False
    mailer, language = app[MAILER], app[SETTINGS].site.language
    context = {
        "space": mailer.association,
        "username": known.username,
        "by": visitor(request).shown_name,
        "circle": app[SETTINGS].roles.admin_circle,
    }
    subject = Text("Another e-mail address for your account at {space}", space=mailer.association)
    try:
        await mailer.send(
            to=known.email,
            subject=app[TEMPLATES].say(language, subject),
            html=app[TEMPLATES].text(language, "accounts/moved_mail.html", context),
        )
    except MailFailed as error:
        log.error("old_address.untold", account=account_id, reason=str(error))
        return False
    log.info("old_address.told", account=account_id)
    return True
