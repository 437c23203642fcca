"""Pages of tools. Decides who sees what: members what a tool does and who uses it, admins also what
happened at it, and the orders to its controller."""

from aiohttp import web

from console.controllers.order_pages import Place, give_order
from console.events.at_place import told_at
from console.rights.access import may_use_tool, may_use_which_tool
from console.tools import keeping_queries, keeping_routes
from console.tools import page_queries as queries
from console.tools.view import may_use, view
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
        *keeping_routes.routes(),
    ]


async def tools_page(request: web.Request) -> web.StreamResponse:
    """All tools, those first that the visitor may use."""
    now = times.now()
    async with request.app[DATABASE].reading() as conn:
        rows = await queries.tool_rows(conn)
        answers = await may_use_which_tool(
            conn,
            account_id=visitor(request).account_id,
            now_ms=int(now.timestamp() * 1000),
        )
        retired: list[keeping_queries.RetiredRow] = []
        if visitor(request).is_admin:
            retired = await keeping_queries.retired(conn, limit=RETIRED_SHOWN)
    tools = [(view(row, now), may_use(answers.get(row.id), row, now)) for row in rows]
    tools.sort(key=lambda tool: tool[1].tone != "good")
    return page(request, "tools/tools.html", tools=tools, retired=retired)


async def tool_page(request: web.Request) -> web.StreamResponse:
    """One tool: its state, who uses it, where it hangs."""
    tool_id, me, now = path_id(request, "tool"), visitor(request), times.now()
    async with request.app[DATABASE].reading() as conn:
        rows = await queries.tool_rows(conn, tool_id=tool_id)
        if not rows:
            raise web.HTTPNotFound
        (row,) = rows
        answer = await may_use_tool(
            conn, account_id=me.account_id, tool=tool_id, now_ms=int(now.timestamp() * 1000)
        )
        happened = ()
        if me.is_admin and row.key is not None:
            happened = await told_at(conn, row.key, is_tool=True)
    return page(
        request,
        "tools/tool.html",
        tool=view(row, now),
        mine=may_use(answer, row, now),
        happened=happened,
        shows_people=Who.FRONT_DESK in me.roles,
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
