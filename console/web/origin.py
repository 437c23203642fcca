"""Keeps other web sites from acting through a member's browser.

A browser names the site that a request comes from. A request that changes something and comes from
elsewhere is refused; one that names no site (curl, a script of a member) passes, because no other
web site can make a browser leave both headers out.
"""

from collections.abc import Sequence
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Middleware
from msgspec import Struct

from console.errors import Forbidden
from console.web.routing import Handler
from console.words import Text

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

SIGNED_PATHS = frozenset({"/membership/stripe/webhook"})
"""What comes here carries a signature of its own and is meant to come from elsewhere."""

_DEFAULT_PORTS = {"http": 80, "https": 443}


class Sender(Struct, frozen=True):
    """What a request says of where it comes from and whom it wants to reach."""

    method: str
    path: str
    host: str | None
    origins: Sequence[str]
    fetch_sites: Sequence[str]


def is_foreign(sender: Sender, *, public_url: str | None) -> bool:
    """Whether another site asks for a change.

    With `public_url`, ours is its origin alone; without, ours is `http://` and the request's Host.
    """
    if sender.method in SAFE_METHODS or sender.path in SIGNED_PATHS:
        return False
    if any(site.strip().lower() not in {"same-origin", "none"} for site in sender.fetch_sites):
        return True
    if public_url is not None:
        own = _origin(public_url)
    else:
        own = _origin(f"http://{sender.host}") if sender.host else None
    return any(own is None or _origin(origin) != own for origin in sender.origins)


def origin_check(public_url: str | None) -> Middleware:
    """Refuses foreign changes with 403, before anything of the request is read."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        sender = Sender(
            method=request.method,
            path=request.path,
            host=request.headers.get("Host"),
            origins=request.headers.getall("Origin", []),
            fetch_sites=request.headers.getall("Sec-Fetch-Site", []),
        )
        if is_foreign(sender, public_url=public_url):
            raise Forbidden(
                Text(
                    "This request came from another web site, so nothing was changed."
                    " Open the page here and try again."
                )
            )
        return await handler(request)

    return check


def _origin(url: str) -> tuple[str, str, int | None] | None:
    """Scheme, host and port, comparable; None for "null" and whatever else is no origin."""
    try:
        parts = urlsplit(url.strip().lower())
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        return None
    return parts.scheme, parts.hostname, port or _DEFAULT_PORTS[parts.scheme]
