"""`GET /`: one thing to do, biggest: open a door. Below it my tools, and what happens now, live."""

from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from console.database import Connection
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

DoorsFor = Callable[[Connection, int], Awaitable[Sequence[object]]]
"""The doors that an account may know of, as `doors/mine.html` shows them."""


def routes(doors_for: DoorsFor) -> list[Route]:
    """The front page. `doors_for` is the doors' own query."""

    async def front(request: web.Request) -> web.StreamResponse:
        me = visitor(request)
        async with request.app[DATABASE].reading() as conn:
            doors = await doors_for(conn, me.account_id)
            facts = await facts_of(conn, account_id=me.account_id)
            found = standing(facts, times.now()) if facts else None
            ask = await asked_instead(request, conn, found)
            tools = await my_tools(conn, me.account_id)
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

    return [Route("GET", "/", Who.MEMBER, front), Route("GET", "/run", Who.MEMBER, run_page)]


async def run_page(request: web.Request) -> web.StreamResponse:
    """What the visitor runs: the rest of the navigation, for a phone."""
    return page(request, "front/run.html")
