"""Leads from a path with slashes side by side to the path that is meant, as the old web app did.

Source: the contract of its API, §13.7. Decides that nobody is sent where there is nothing, and
nobody to another site.
"""

import re

from aiohttp import web
from yarl import URL

from console.web.requests import local_path
from console.web.routing import Handler

_SLASHES = re.compile("/{2,}")


@web.middleware
async def merge_slashes(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Redirects with 308, so that method and body go along."""
    if request.match_info.http_exception is not None:
        there = await _meant(request)
        if there is not None:
            raise web.HTTPPermanentRedirect(URL(there, encoded=True))
    return await handler(request)


async def _meant(request: web.Request) -> str | None:
    """Path and query of what is meant; None: there is nothing."""
    path = request.rel_url.raw_path
    merged = _SLASHES.sub("/", path)
    if merged == path:
        return None
    found = await request.app.router.resolve(
        request.clone(rel_url=URL.build(path=merged, encoded=True))
    )
    if isinstance(found.http_exception, web.HTTPNotFound):
        return None
    query = request.rel_url.raw_query_string
    return local_path(f"{merged}?{query}" if query else merged, default="") or None
