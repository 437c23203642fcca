"""Orders from a page: the same for doors and tools. Their routes see to it that an admin asks."""

from aiohttp import web
from msgspec import Struct

from console.controllers.order import Order, read_order
from console.controllers.order_wording import answer_shown
from console.controllers.orders import Done, NoSuchPoint, Orders
from console.errors import BadRequest, Busy
from console.web import times
from console.web.render import fragment, page
from console.web.requests import form, is_htmx
from console.web.session import author, visitor
from console.words import Text
from sync.ids import AccountRef, PointKey
from sync.rights import PointKind

ORDERS = web.AppKey("orders", Orders)
"""Absent where there is no way to the controllers."""


class Place(Struct, frozen=True):
    """A door or tool as its page knows it. `path`: of that page."""

    kind: PointKind
    key: PointKey
    name: str
    path: str


async def give_order(request: web.Request, place: Place) -> web.StreamResponse:
    """Gives the order that was sent as a form, and says what became of it; takes up to 3 s."""
    actor = AccountRef(visitor(request).account_id)
    order = read_order(await form(request), kind=place.kind, point=place.key, actor=actor)
    if not isinstance(order, Order):
        raise BadRequest(order)
    orders = request.app.get(ORDERS)
    if orders is None:
        raise Busy(Text("Controllers can't be reached from here just now."))
    answered = await orders.give(order, by=author(request))
    if isinstance(answered, NoSuchPoint):
        raise web.HTTPNotFound
    answer = fragment if is_htmx(request) else page
    template = "controllers/outcome.html" if is_htmx(request) else "controllers/outcome_page.html"
    status = 200 if isinstance(answered, Done) else 422
    shown = answer_shown(answered, order, times.now())
    return answer(request, template, status=status, shown=shown, place=place)
