"""The headers that every answer carries, so that a browser helps to keep a page what it is."""

from aiohttp import web

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none';"
    " object-src 'none'"
)
"""Nothing from elsewhere, and no script or style inside a page: text that somebody slipped into a
name can't run."""


async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """Signal on_response_prepare."""
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-Frame-Options"] = "DENY"
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("Cache-Control", "no-store")
