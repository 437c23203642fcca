"""`/me/label`: prints the visitor's own label for a box. Decides what is said of it.

Somebody else's label would show her phone number and address, so nobody prints that here.
"""

from aiohttp import web

from console.labels import queries
from console.labels.printing import print_label
from console.web.keys import DATABASE, MQTT, SETTINGS
from console.web.render import page
from console.web.routing import Route, Who
from console.web.session import visitor
from console.words import Text

PATH = "/me/label"
NO_PRINTER = Text("No label printer is set up here: nothing was printed. An admin can set one up.")
NO_ANSWER = Text(
    "The label printer can't be reached just now: the MQTT broker doesn't answer. Try again later."
)


def routes() -> list[Route]:
    """Both."""
    return [
        Route("GET", PATH, Who.MEMBER, label_page),
        Route("POST", PATH, Who.MEMBER, print_own),
    ]


async def label_page(request: web.Request) -> web.StreamResponse:
    """What the label says, and the button."""
    return await _answer(request, "", is_sent="sent" in request.query)


async def print_own(request: web.Request) -> web.StreamResponse:
    """Prints it."""
    mqtt = request.app[SETTINGS].mqtt
    if not mqtt.has_label_printer:
        return await _answer(request, NO_PRINTER, status=422)
    async with request.app[DATABASE].reading() as conn:
        owner = await queries.owner(conn, account_id=visitor(request).account_id)
    if owner is None:
        raise web.HTTPNotFound
    if not await print_label(request.app[MQTT], owner, prefix=mqtt.legacy_label_prefix):
        return await _answer(request, NO_ANSWER, status=503)
    raise web.HTTPSeeOther(f"{PATH}?sent=1")


async def _answer(
    request: web.Request, mistake: str, *, status: int = 200, is_sent: bool = False
) -> web.StreamResponse:
    async with request.app[DATABASE].reading() as conn:
        owner = await queries.owner(conn, account_id=visitor(request).account_id)
    if owner is None:
        raise web.HTTPNotFound
    return page(
        request,
        "labels/label.html",
        status=status,
        owner=owner,
        has_printer=request.app[SETTINGS].mqtt.has_label_printer,
        is_sent=is_sent,
        mistake=mistake,
    )
