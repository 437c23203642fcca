"""The old API of tools. Source: its contract, §7."""

from aiohttp import web

from console.database import Connection
from console.errors import BadRequest
from console.legacy.answers import Audit, Json, answer, moment_or_none, object_not_found
from console.legacy.bodies import read_body, shown
from console.tools import queries
from console.tools.checkout import CHECKOUTS
from console.tools.queries import ToolRow
from console.tools.tool import (
    NAME_CHARACTERS_MAX,
    HasIt,
    NeedsBetterCard,
    NobodyHasIt,
    NoMember,
    NoSuchTool,
    NotInCircle,
    SomebodyElseHasIt,
    is_name,
)
from console.web.keys import DATABASE
from console.web.requests import ID, path_id
from console.web.routing import Route, Who
from console.web.session import author, visitor


def routes() -> list[Route]:
    """Its paths."""
    return [
        Route("GET", "/data/tool", Who.MEMBER, list_tools),
        Route("GET", f"/data/tool/{{tool:{ID}}}", Who.MEMBER, one_tool),
        Route("POST", "/data/tool", Who.DESPOT, save_tool),
        Route("PUT", "/data/tool", Who.DESPOT, save_tool),
        Route("POST", "/service/tool/checkout", Who.MEMBER, check_out),
        Route("POST", "/service/tool/checkin", Who.MEMBER, check_in),
    ]


async def list_tools(request: web.Request) -> web.StreamResponse:
    """All of them, by id."""
    async with request.app[DATABASE].reading() as conn:
        rows = await queries.tools(conn)
    return answer([tool_shape(row) for row in rows])


async def one_tool(request: web.Request) -> web.StreamResponse:
    """The one."""
    async with request.app[DATABASE].reading() as conn:
        return answer(await _one(conn, path_id(request, "tool")))


async def save_tool(request: web.Request) -> web.StreamResponse:
    """Makes a tool, or changes the one with `id`; answers with it."""
    body = await read_body(request)
    tool_id = body.number("id", or_text=True) if body.has_value("id") else None
    name = body.text("name", most=NAME_CHARACTERS_MAX)
    description = body.nullable_text("description")
    circle_name = body.nullable_text("circle")
    if not circle_name:
        raise BadRequest("A tool needs a circle")
    actor = visitor(request).account_id
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        if not is_name(name) and not await _is_named(conn, tool_id, name):
            raise BadRequest(
                "name: a part of an MQTT topic, so without +, # and control characters"
            )
        circle = await queries.circle_id(conn, name=circle_name)
        if circle is None:
            raise BadRequest(f"No such circle: {shown(circle_name)}")
        if tool_id is None:
            tool_id = await queries.add_tool(
                conn, name=name, description=description, circle=circle, actor=actor
            )
        else:
            await queries.change_tool(
                conn,
                tool_id=tool_id,
                name=name,
                description=description,
                circle=circle,
                actor=actor,
            )
        shape = await _one(conn, tool_id)
    return answer(shape)


async def check_out(request: web.Request) -> web.StreamResponse:
    """Takes a tool for the visitor; answers with all tools."""
    tool = (await read_body(request)).whole_number("tool")
    me = visitor(request)
    result = await request.app[CHECKOUTS].check_out(tool, actor=me.account_id, by=author(request))
    match result:
        case NoSuchTool():
            raise object_not_found()
        case NotInCircle(None):
            raise BadRequest("This tool has no circle, so nobody can use it")
        case NotInCircle(circle):
            raise BadRequest(f"{me.username} is not in the {circle} circle")
        case NoMember():
            raise BadRequest(
                f"{me.username} does not have an active membership and is not employed in an"
                " active company"
            )
        case NeedsBetterCard():
            raise BadRequest("This tool is released by cards that are hard to copy only")
        case HasIt():
            raise BadRequest("Tools can only be checked out once.")
        case _:
            return await list_tools(request)


async def check_in(request: web.Request) -> web.StreamResponse:
    """Gives a tool back; answers with all tools."""
    tool = (await read_body(request)).whole_number("tool")
    me = visitor(request)
    result = await request.app[CHECKOUTS].check_in(
        tool, actor=me.account_id, is_admin=me.is_admin, by=author(request)
    )
    match result:
        case NoSuchTool():
            raise object_not_found()
        case NobodyHasIt():
            raise web.HTTPConflict(text="This tool is not checked out")
        case SomebodyElseHasIt(its, holder):
            raise web.HTTPForbidden(
                text=f"{its.name} is checked out by {holder.username}: {me.username} is not"
                " somebody who may use it"
            )
        case _:
            return await list_tools(request)


def tool_shape(row: ToolRow) -> Json:
    """A tool, and who has it."""
    checkout: Json = {"active": False}
    if row.holder_id is not None:
        checkout = {
            "active": True,
            "started": moment_or_none(row.started),
            "account": row.holder_id,
            "username": row.holder,
        }
    audit = Audit(row.id, row.created_at, row.created_by, row.updated_at, row.updated_by)
    return {
        **audit.spelled(),
        "name": row.name,
        "description": row.description,
        "circle": row.circle,
        "checkout": checkout,
    }


async def _is_named(conn: Connection, tool_id: int | None, name: str) -> bool:
    """Whether the tool is called so already. The old web app took any name."""
    rows = [] if tool_id is None else await queries.tools(conn, tool_id=tool_id)
    return any(row.name == name for row in rows)


async def _one(conn: Connection, tool_id: int) -> Json:
    rows = await queries.tools(conn, tool_id=tool_id)
    if not rows:
        raise object_not_found()
    return tool_shape(rows[0])
