"""In which language a page is: the visitor's choice, else what her browser asks for, else ours."""

from aiohttp import web

from console.errors import BadRequest
from console.web.keys import SETTINGS
from console.web.requests import form, local_path
from console.web.routing import Route, Who
from console.words import Language, Text

COOKIE = "p2k16_language"
LIFETIME_SECONDS = 365 * 24 * 3600
HEADER_CHARACTERS_MAX = 500

_BY_TAG = {
    "en": Language.ENGLISH,
    "nb": Language.NORWEGIAN,
    "no": Language.NORWEGIAN,
    "nn": Language.NORWEGIAN,
}
"""Nynorsk is near enough to bokmål for its readers to prefer that to English."""


def routes() -> list[Route]:
    """Choosing one."""
    return [Route("POST", "/language", Who.ANYONE, choose)]


async def choose(request: web.Request) -> web.StreamResponse:
    """Remembers the choice in the browser, and leads back."""
    fields = await form(request)
    try:
        language = Language(fields.get("language", ""))
    except ValueError as error:
        raise BadRequest(Text("There is no such language here.")) from error
    response = web.Response(status=303, headers={"Location": local_path(fields.get("next"))})
    url = request.app[SETTINGS].http.public_url or ""
    response.set_cookie(
        COOKIE,
        language.value,
        max_age=LIFETIME_SECONDS,
        path="/",
        httponly=True,
        samesite="Lax",
        secure=url.lower().startswith("https:"),
    )
    return response


def language_of(request: web.Request) -> Language:
    """The language of the answer to this request."""
    chosen = request.cookies.get(COOKIE)
    if chosen in {language.value for language in Language}:
        return Language(chosen)
    asked_for = preferred(request.headers.get("Accept-Language", ""))
    return asked_for or request.app[SETTINGS].site.language


def preferred(accept_language: str) -> Language | None:
    """The first of our languages that a browser asks for; None: none of them.

    Source: RFC 9110 §12.5.4. What can't be read counts for nothing.
    """
    asked = [_asked(each) for each in accept_language[:HEADER_CHARACTERS_MAX].split(",")]
    known = [(weight, language) for weight, language in asked if language and weight > 0]
    return max(known, key=lambda each: each[0])[1] if known else None


def _asked(text: str) -> tuple[float, Language | None]:
    tag, _, parameter = text.partition(";")
    name, _, value = parameter.strip().partition("=")
    language = _BY_TAG.get(tag.strip().lower().partition("-")[0])
    if not parameter.strip():
        return 1.0, language
    try:
        return (float(value) if name.strip().lower() == "q" else 0.0), language
    except ValueError:
        return 0.0, language
