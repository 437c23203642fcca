"""`/settings`: what is in force, for admins. It is read here, and changed where each line says."""

from datetime import UTC, datetime
from email.utils import parseaddr
from importlib.metadata import version

from aiohttp import web

from console.controllers.keeping_routes import IDENTITY
from console.in_force import queries
from console.in_force.told import Known, sections
from console.web.keys import DATABASE, MAILER, SETTINGS
from console.web.render import page
from console.web.routing import Route, Who


def routes() -> list[Route]:
    """The page."""
    return [Route("GET", "/settings", Who.ADMIN, settings_page)]


async def settings_page(request: web.Request) -> web.StreamResponse:
    """All of it, on one page."""
    settings, identity = request.app[SETTINGS], request.app.get(IDENTITY)
    roles = settings.roles
    named = (roles.admin_circle, roles.front_desk_circle, roles.treasurer_circle)
    async with request.app[DATABASE].reading() as conn:
        known = Known(
            version=version("p2k16"),
            association=request.app[MAILER].association,
            is_named=bool(parseaddr(settings.mail.sender)[0]),
            database=await queries.database(conn),
            circles=await queries.members(conn, circles=[name for name in named if name]),
            keys_end_at=None
            if identity is None or identity.keys_end_ms is None
            else datetime.fromtimestamp(identity.keys_end_ms / 1000, UTC),
        )
    return page(request, "in_force/in_force.html", sections=sections(settings, known))
