"""Pages of tools. Decides who sees what: members what a tool does and who uses it, whoever looks
after it also what happened at it, and admins the orders to its controller."""

from aiohttp import web

from console.accounts.fields import Field, may_see
from console.controllers.order_pages import Place, give_order
from console.events.at_place import told_at
from console.events.looks import LOOKS_SHOWN, told_looks
from console.events.past_alarm_queries import LookRow, looks
from console.tools import checkout_routes, keeping_queries, keeping_routes, looking_after
from console.tools import page_queries as queries
from console.tools.offers import offers
from console.web import times
from console.web.keys import DATABASE
from console.web.render import page
from console.web.requests import ID, path_id
from console.web.routing import Route, Who
from console.web.session import visitor
from sync.ids import PointKey
from sync.rights import PointKind

RETIRED_SHOWN = 50
_TOOL = f"/tools/{{tool:{ID}}}"


def routes() -> list[Route]:
    """Everything below /tools."""
    return [
        Route("GET", "/tools", Who.MEMBER, tools_page),
        Route("GET", _TOOL, Who.MEMBER, tool_page),
        Route("POST", f"{_TOOL}/orders", Who.ADMIN, order_tool),
        *checkout_routes.routes(),
        *keeping_routes.routes(),
    ]


async def tools_page(request: web.Request) -> web.StreamResponse:
    """All tools: those first that the visitor has, or may use."""
    async with request.app[DATABASE].reading() as conn:
        every = await offers(conn, visitor(request))
        mark = await queries.checkouts_mark(conn)
        retired: list[keeping_queries.RetiredRow] = []
        if visitor(request).is_admin:
            retired = await keeping_queries.retired(conn, limit=RETIRED_SHOWN)
    return page(
        request,
        "tools/tools.html",
        offers=every,
        place="all",
        mark=mark,
        refused=None,
        retired=retired,
    )


async def tool_page(request: web.Request) -> web.StreamResponse:
    """One tool: its state, who uses it, where it hangs."""
    tool_id, me = path_id(request, "tool"), visitor(request)
    async with request.app[DATABASE].reading() as conn:
        found = await offers(conn, me, tool_id=tool_id)
        if not found:
            raise web.HTTPNotFound
        tool, happened = found[0].tool, ()
        looked: list[LookRow] = []
        sees = await looking_after.sees(conn, me, tool_id)
        if sees and tool.key is not None:
            happened = await told_at(
                conn, PointKey(tool.key), is_tool=True, has_labels=may_see(Field.CARDS, me.roles)
            )
            looked = await looks(conn, point=tool.key, limit=LOOKS_SHOWN)
        mark = await queries.checkouts_mark(conn)
    return page(
        request,
        "tools/tool.html",
        tool=tool,
        offers=found,
        place="one",
        mark=mark,
        refused=None,
        happened=happened,
        looks=told_looks(looked, times.now()),
        sees_all=sees,
        sees_log=Who.FRONT_DESK in me.roles,
    )


async def order_tool(request: web.Request) -> web.StreamResponse:
    """Takes the tool out of service, stops it, and so on."""
    tool_id = path_id(request, "tool")
    async with request.app[DATABASE].reading() as conn:
        rows = await queries.tool_rows(conn, tool_id=tool_id)
    if not rows or rows[0].key is None:
        raise web.HTTPNotFound
    place = Place(PointKind.TOOL, PointKey(rows[0].key), rows[0].name, f"/tools/{tool_id}")
    return await give_order(request, place)
