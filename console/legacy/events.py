"""The old API of events. Source: its contract, §7."""

from collections.abc import Sequence

from aiohttp import web

from console.badges.queries import awards, descriptions
from console.database import Connection
from console.events import book_queries as queries
from console.events.book_queries import BookRow
from console.events.visits import visits
from console.legacy.answers import Json, answer
from console.legacy.badge_shapes import award_shape, description_shape
from console.legacy.event_shapes import badge_event, door_event, tool_event
from console.web import times
from console.web.keys import DATABASE
from console.web.render import page
from console.web.routing import Route, Who

RECENT_HOURS = 24
TOOLS_DAYS = 7
EVENTS_MAX = 100


def routes() -> list[Route]:
    """Its paths."""
    return [
        Route("GET", "/service/recent-events", Who.MEMBER, recent_events),
        Route("GET", "/service/tool/recent-events", Who.MEMBER, recent_tool_events),
        Route("GET", "/frontpage-graph", Who.ANYONE, frontpage_graph),
    ]


async def recent_events(request: web.Request) -> web.StreamResponse:
    """Doors and badges of the last day, the newest first."""
    async with request.app[DATABASE].reading() as conn:
        rows = await queries.openings_and_badges(conn, hours=RECENT_HOURS, limit=EVENTS_MAX)
        shapes = await _shapes(conn, rows)
    return answer(shapes)


async def recent_tool_events(request: web.Request) -> web.StreamResponse:
    """Tools that were taken and given back in the last week, the newest first."""
    async with request.app[DATABASE].reading() as conn:
        rows = await queries.tool_events(conn, days=TOOLS_DAYS, limit=EVENTS_MAX)
    return answer(
        [
            tool_event(
                created_at=row.created_at,
                created_by=row.created_by,
                created_by_username=row.username,
                name=row.name or "",
                tool_name=row.text,
            )
            for row in rows
        ]
    )


async def frontpage_graph(request: web.Request) -> web.StreamResponse:
    """How many people came; numbers without names, so anyone may see them."""
    now = times.now()
    async with request.app[DATABASE].reading() as conn:
        return page(request, "events/visits.html", visits=await visits(conn, now))


async def _shapes(conn: Connection, rows: Sequence[BookRow]) -> list[Json]:
    numbers = {row.number for row in rows if row.domain == "badge" and row.number is not None}
    awarded = {one.id: one for one in await awards(conn, ids=numbers)} if numbers else {}
    meant = {one.id: one for one in await descriptions(conn)} if numbers else {}
    shapes: list[Json] = []
    for row in rows:
        award = awarded.get(row.number or 0)
        if row.domain == "door":
            shape = door_event(
                created_at=row.created_at,
                created_by=row.created_by,
                created_by_username=row.username,
                door=row.text,
            )
        elif award is None:
            continue
        else:
            description = meant.get(award.description_id)
            shape = badge_event(
                created_at=row.created_at,
                created_by=row.created_by,
                created_by_username=row.username,
                award=award_shape(award),
                description=None if description is None else description_shape(description),
            )
        shapes.append(shape)
    return shapes
