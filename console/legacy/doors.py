"""The old API of doors. Source: its contract, §7."""

from aiohttp import web

from console.controllers.orders import NoAnswer, Refused
from console.doors.any_door import Tried
from console.doors.opening import Failed, NoSuchDoor, NotAllowed, Opened
from console.doors.routes import ANY_DOOR
from console.doors.wording import outcome_words
from console.errors import BadRequest
from console.legacy.answers import done
from console.legacy.bodies import read_body, shown
from console.web import times
from console.web.routing import Route, Who
from console.web.session import author, visitor
from sync.ids import AccountRef, PointKey

DOORS_MAX = 100
"""At once. The old web app had no limit."""


def routes() -> list[Route]:
    """Its paths."""
    return [Route("POST", "/service/door/open", Who.MEMBER, open_doors)]


async def open_doors(request: web.Request) -> web.StreamResponse:
    """Opens the doors one after the other, if the visitor may open all; each as often as named."""
    keys = (await read_body(request)).texts("doors", most=DOORS_MAX)
    if not keys:
        raise BadRequest("doors: at least one is needed")
    me = visitor(request)
    tried = await request.app[ANY_DOOR].open(
        [PointKey(key) for key in keys],
        actor=AccountRef(me.account_id),
        by=author(request),
    )
    match tried.outcome:
        case Opened():
            return done()
        case NoSuchDoor():
            raise BadRequest(f"Unknown door: {shown(tried.door)}")
        case NotAllowed():
            raise BadRequest(
                f"{me.username} does not have an active membership, or lacks door circle membership"
                f"{_before(tried)}"
            )
        case NoAnswer() | Failed(is_late=True):
            raise web.HTTPGatewayTimeout(text=_words(tried, tried.outcome))
        case other:
            raise web.HTTPBadGateway(text=_words(tried, other))


def _words(tried: Tried, outcome: NoAnswer | Failed | Refused) -> str:
    """Which door did not open and why, and which had opened."""
    return f"{tried.door}: {outcome_words(outcome, times.now())}{_before(tried)}"


def _before(tried: Tried) -> str:
    return f" Opened before it: {', '.join(tried.opened)}." if tried.opened else ""
