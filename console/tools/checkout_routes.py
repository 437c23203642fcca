"""Taking a tool and giving it back from a page. Decides what a refusal is called, and where the
answer stands: each of three pages has an element `#tools` of its own.

A form names whom its page showed to have the tool. If that is somebody else by now, nothing is
done, and the visitor is asked again.
"""

from collections.abc import Mapping

from aiohttp import web

from console.access.lines import access_lines
from console.errors import BadRequest
from console.tools.checkout import CHECKOUTS
from console.tools.offers import my_tools, offers
from console.tools.queries import holder_name
from console.tools.tool import (
    HasIt,
    NeedsBetterCard,
    NobodyHasIt,
    NoMember,
    NoSuchTool,
    NotInCircle,
    Returning,
    Returns,
    Seen,
    SomebodyElseHasIt,
    Takes,
    Taking,
)
from console.web.keys import DATABASE
from console.web.render import fragment, page
from console.web.requests import ID, form, is_htmx, path_id
from console.web.routing import Route, Who
from console.web.session import author, visitor
from console.words import Text

_TOOL = f"/tools/{{tool:{ID}}}"


def routes() -> list[Route]:
    """Below the page of a tool. Who may is the rule's decision."""
    return [
        Route("POST", f"{_TOOL}/checkout", Who.MEMBER, check_out),
        Route("POST", f"{_TOOL}/checkin", Who.MEMBER, check_in),
    ]


async def check_out(request: web.Request) -> web.StreamResponse:
    """Takes the tool for the visitor; from somebody else only if her page showed that."""
    fields = await form(request)
    result = await request.app[CHECKOUTS].check_out(
        path_id(request, "tool"),
        actor=visitor(request).account_id,
        by=author(request),
        seen=_seen(fields),
    )
    return await _answer(request, fields, result)


async def check_in(request: web.Request) -> web.StreamResponse:
    """Gives the tool back, also for somebody else."""
    fields = await form(request)
    me = visitor(request)
    result = await request.app[CHECKOUTS].check_in(
        path_id(request, "tool"),
        actor=me.account_id,
        is_admin=me.is_admin,
        by=author(request),
        seen=_seen(fields),
    )
    return await _answer(request, fields, result)


def refusal(result: Taking | Returning, holder: str) -> Text | None:
    """Why not; None: it is as the visitor wanted it. `holder`: the name of whoever has it."""
    match result:
        case Takes() | Returns() | HasIt() | NobodyHasIt():
            return None  # the last two: as when a form is sent twice
        case NotInCircle(circle):
            if circle is None:
                return Text("It has no circle, so nobody can use it")
            return Text("For members of circle “{circle}”", circle=circle)
        case NoMember():
            return Text("You have no membership now.")
        case NeedsBetterCard():
            return Text("It needs a card that can't be copied")
        case SomebodyElseHasIt():
            return Text(
                "{name} has it now. Look, and press again if you still want to.", name=holder
            )


def _seen(fields: Mapping[str, str]) -> Seen:
    text = fields.get("seen", "")
    if not text:
        return Seen(None)
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise BadRequest(Text("This form is not one of ours. Reload the page."))
    return Seen(int(text))


async def _answer(
    request: web.Request, fields: Mapping[str, str], result: Taking | Returning | NoSuchTool
) -> web.StreamResponse:
    if isinstance(result, NoSuchTool):
        raise web.HTTPNotFound
    tool_id, place = path_id(request, "tool"), fields.get("place", "one")
    me = visitor(request)
    async with request.app[DATABASE].reading() as conn:
        holder = ""
        if isinstance(result, SomebodyElseHasIt):
            holder = await holder_name(conn, account_id=result.holder.account_id)
        refused = refusal(result, holder)
        status = 200 if refused is None else 422
        if not is_htmx(request):
            if refused is None:
                paths = {"all": "/tools", "mine": "/"}
                raise web.HTTPSeeOther(paths.get(place, f"/tools/{tool_id}"))
            place = "one"
        if place == "mine":
            lines = await access_lines(conn, account_id=me.account_id)
            mine = await my_tools(conn, lines, me.account_id)
            return fragment(request, "tools/mine.html", status=status, mine=mine, refused=refused)
        only = None if place == "all" else tool_id
        every = await offers(conn, me, tool_id=only)
    context = {"offers": every, "place": place, "refused": refused, "refused_at": tool_id}
    if is_htmx(request):
        return fragment(request, "tools/offers.html", status=status, **context)
    return page(request, "tools/refused.html", status=status, **context)
