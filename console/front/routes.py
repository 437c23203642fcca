"""`GET /`: one thing to do, biggest: open a door. Below it my tools, and what happens now, live."""

from aiohttp import web

from console.access.lines import access_lines
from console.doors.routes import doors_for
from console.events.recent import recent_days
from console.membership.contacts import asked_instead
from console.membership.standing import standing
from console.membership.standing_queries import facts_of
from console.tools.offers import my_tools
from console.tools.page_queries import checkouts_mark
from console.web import times
from console.web.keys import DATABASE
from console.web.render import page
from console.web.routing import Route, Who
from console.web.session import visitor


def routes() -> list[Route]:
    """The front page, and the rest of the navigation."""
    return [
        Route("GET", "/", Who.MEMBER, front_page),
        Route("GET", "/run", Who.MEMBER, run_page),
    ]


async def front_page(request: web.Request) -> web.StreamResponse:
    """Doors, my tools, what happened."""
    me = visitor(request)
    async with request.app[DATABASE].reading() as conn:
        lines = await access_lines(conn, account_id=me.account_id)
        doors = await doors_for(conn, lines)
        facts = await facts_of(conn, account_id=me.account_id)
        found = standing(facts, times.now()) if facts else None
        ask = await asked_instead(request, conn, found)
        tools = await my_tools(conn, lines, me.account_id)
        mark = await checkouts_mark(conn)
        days = await recent_days(conn, Who.ADMIN if me.is_admin else Who.MEMBER)
    return page(
        request,
        "front/front.html",
        doors=doors,
        standing=found,
        ask=ask,
        mine=tools,
        mark=mark,
        refused=None,
        days=days,
        explains=me.is_admin,
    )


async def run_page(request: web.Request) -> web.StreamResponse:
    """What the visitor runs: the rest of the navigation, for a phone."""
    return page(request, "front/run.html")
