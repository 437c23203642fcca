"""The old exports of everybody with password hashes: for LDAP, and as a passwd file.

They were open to the world. Here they are off unless the settings say who gets them.
"""

import structlog
from aiohttp import hdrs, web

from console.directory import queries
from console.directory.asking import Refused, refused
from console.directory.entry import Entry
from console.directory.ldif import ldif
from console.directory.passwd import is_nameable, passwd
from console.web.keys import DATABASE, SETTINGS
from console.web.routing import Route, Who
from console.web.session import address_of

log = structlog.get_logger()

LDIF_TYPE = "text/html; charset=utf-8"
LINES_TYPE = "text/plain;charset=utf-8"
"""Both as the old web app had them, whatever they hold."""


def routes() -> list[Route]:
    """Its paths. Their guard is a token."""
    return [
        Route("GET", "/core/ldap/users.ldif", Who.ANYONE, _ldif),
        Route("GET", "/passwd.php", Who.ANYONE, _passwd),
    ]


async def _ldif(request: web.Request) -> web.Response:
    entries = await _entries(request)
    log.info("directory.exported", kind="ldif", people=len(entries), address=address_of(request))
    return web.Response(body=ldif(entries), headers={hdrs.CONTENT_TYPE: LDIF_TYPE})


async def _passwd(request: web.Request) -> web.Response:
    entries = await _entries(request)
    log.info(
        "directory.exported",
        kind="passwd",
        people=len(entries),
        left_out=[entry.account_id for entry in entries if not is_nameable(entry.username)],
        address=address_of(request),
    )
    return web.Response(body=passwd(entries), headers={hdrs.CONTENT_TYPE: LINES_TYPE})


async def _entries(request: web.Request) -> list[Entry]:
    """Everybody, for whoever may know. Raises: HTTPNotFound, HTTPForbidden, HTTPUnauthorized."""
    address = address_of(request)
    reason = refused(
        request.app[SETTINGS].legacy,
        address=address,
        authorization=request.headers.get(hdrs.AUTHORIZATION, ""),
    )
    if reason is not None and reason is not Refused.OFF:
        log.warning("directory.refused", reason=reason, address=address, path=request.path)
    match reason:
        case Refused.OFF:
            raise web.HTTPNotFound
        case Refused.ADDRESS:
            raise web.HTTPForbidden
        case Refused.TOKEN:
            raise web.HTTPUnauthorized
        case None:
            async with request.app[DATABASE].reading() as conn:
                return await queries.entries(conn)
