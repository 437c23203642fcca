"""Who looks after a tool, besides admins: whoever decides who may use it.

That is whoever is in the circle that manages the tool's circle. Nobody looks after the tool of a
circle that manages itself: its members are those who use the tool.
"""

from aiohttp import web
from msgspec import Struct
from psycopg.rows import class_row

from console.database import Connection
from console.errors import Forbidden
from console.web.keys import SETTINGS
from console.web.roles import circles_for
from console.web.routing import Who
from console.web.session import Visitor
from console.words import Text, any_of, quoted


class Keeping(Struct, frozen=True):
    """A circle whose members look after a tool. `is_in`: somebody is one of them."""

    tool_id: int
    circle: str
    is_in: bool


async def tools_of(conn: Connection, *, account_id: int) -> frozenset[int]:
    """The tools (ids) that somebody looks after."""
    every = await _keepings(conn, account_id=account_id)
    return frozenset([one.tool_id for one in every if one.is_in])


async def sees(conn: Connection, me: Visitor, tool_id: int | None) -> bool:
    """Whether somebody sees what happens at a tool, and who may use it. None: no tool."""
    if Who.FRONT_DESK in me.roles:
        return True
    return tool_id is not None and tool_id in await tools_of(conn, account_id=me.account_id)


async def refusal(conn: Connection, request: web.Request, me: Visitor, tool_id: int) -> Forbidden:
    """For whoever doesn't: each circle that would allow it."""
    every = await _keepings(conn, account_id=me.account_id)
    keepers = [one.circle for one in every if one.tool_id == tool_id]
    circles = [*keepers, *circles_for(Who.FRONT_DESK, request.app[SETTINGS].roles)]
    return Forbidden(
        Text(
            "This is for members of the circle {circles}. Whoever manages it can add you.",
            circles=any_of(quoted(circle) for circle in dict.fromkeys(circles)),
        )
    )


async def _keepings(conn: Connection, *, account_id: int) -> list[Keeping]:
    async with conn.cursor(row_factory=class_row(Keeping)) as cursor:
        await cursor.execute(
            """
            select t.id as tool_id, k.name as circle,
                   exists (select from circle_member m
                            where m.circle = k.id and m.account = %(account_id)s) as is_in
              from tool_description t
              join circle c on c.id = t.circle
              join circle k on k.id = c.admin_circle and k.id <> c.id
             where c.management_style = 'ADMIN_CIRCLE'
               and t.id not in (select tool from access.retired_tool)
            """,
            {"account_id": account_id},
        )
        return await cursor.fetchall()
