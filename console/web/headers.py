"""The headers that every answer carries, so that a browser helps to keep a page what it is."""

from aiohttp import web

from console.web.keys import SETTINGS

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none';"
    " object-src 'none'"
)
"""Nothing from elsewhere, and no script or style inside a page: text that somebody slipped into a
name can't run."""

HSTS = "max-age=31536000"
"""For a year the browser asks for this name by HTTPS only. Source: RFC 6797, section 6.1."""

_FORM_TARGETS = web.RequestKey("form_targets", tuple[str, ...])


def let_forms_lead_to(request: web.Request, origins: tuple[str, ...]) -> None:
    """Lets the forms of this one page lead to these origins as well, such as `https://pay.example`.

    Chromium asks the policy about a redirect that answers a form, too.
    """
    request[_FORM_TARGETS] = origins


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Signal on_response_prepare."""
    response.headers["Content-Security-Policy"] = _policy(request.get(_FORM_TARGETS, ()))
    response.headers["Server"] = "p2k16"  # aiohttp tells its version, and Python's
    public_url = request.app[SETTINGS].http.public_url
    if public_url is not None and public_url.startswith("https://"):
        response.headers["Strict-Transport-Security"] = HSTS
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-Frame-Options"] = "DENY"
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("Cache-Control", "no-store")


def _policy(form_targets: tuple[str, ...]) -> str:
    return CONTENT_SECURITY_POLICY.replace(
        "form-action 'self'", " ".join(("form-action 'self'", *form_targets))
    )
