"""A link for a new password that an admin has sent to somebody.

Decides that it goes by mail to whom it is for. Where no mail can be sent the admin is shown it,
once, but not that of somebody whose circles give her a role: the admin would else become whom she
likes, and nobody would be told.
"""

import asyncio
from collections.abc import Sequence

from aiohttp import web
from msgspec import Struct

from console.accounts import reset, settings_queries
from console.accounts.reset_queries import Forgetful
from console.accounts.throttle import Throttle, Wait
from console.web import session
from console.web.keys import DATABASE, SETTINGS
from console.web.roles import circles_for
from console.web.routing import Who

LINKS = web.AppKey("links", Throttle)
"""How often one person may be sent a link by others, within the same time as she may herself."""


class Sent(Struct, frozen=True):
    """The mail server has taken it."""


class Unsent(Struct, frozen=True):
    """It has not."""


class Shown(Struct, frozen=True):
    """No mail can be sent: it is for the admin to hand over."""

    link: str


class Withheld(Struct, frozen=True):
    """No mail can be sent, and these circles give her a role."""

    circles: Sequence[str]


Outcome = Sent | Unsent | Shown | Withheld | Wait


async def hand_out(request: web.Request, person: Forgetful, *, is_new: bool = False) -> Outcome:
    """Sends or makes a link. `is_new`: the account was made a moment ago. Raises: HTTPNotFound."""
    # By whom it is for alone: an admin may add as many people in an evening as there are.
    attempt = request.app[LINKS].attempt(
        account=person.username,
        address=person.username,
        now=asyncio.get_running_loop().time(),
    )
    if isinstance(attempt, Wait):
        return attempt
    by = session.author(request)
    if reset.is_possible(request.app):
        is_sent = await reset.send(request.app, person, by=by, is_new=is_new)
        return Sent() if is_sent else Unsent()
    base_url = request.app[SETTINGS].http.public_url or f"http://{request.host}"
    async with request.app[DATABASE].writing(by=by) as conn:
        mine = await settings_queries.circles_of(conn, account_id=person.account_id)
        roles = role_circles(request, mine)
        if roles:
            return Withheld(roles)
        link = await reset.make_link(conn, person, base_url=base_url)
    if link is None:
        raise web.HTTPNotFound
    return Shown(link)


def role_circles(request: web.Request, circles: Sequence[str]) -> list[str]:
    """Those of these circles that let somebody do more than every member may."""
    roles = request.app[SETTINGS].roles
    giving = {circle for who in Who for circle in circles_for(who, roles)}
    return [circle for circle in circles if circle in giving]
