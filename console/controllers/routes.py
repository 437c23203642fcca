"""The page of controllers, for admins: who is enrolled, when each was heard, and what it says."""

from collections.abc import Sequence
from datetime import datetime

from aiohttp import web
from msgspec import Struct

from console.controllers import keeping_queries, queries, said
from console.controllers.queries import ListedController
from console.controllers.reports import is_offline
from console.controllers.unrecorded import Line, unrecorded
from console.database import Connection
from console.web import times
from console.web.keys import DATABASE
from console.web.render import page
from console.web.routing import Route, Who
from console.words import Text

RETIRED_SHOWN = 50


class Fact(Struct, frozen=True):
    """One line about a controller; `is_bad`: somebody should look."""

    name: str
    words: str
    is_bad: bool = False


class ControllerView(Struct, frozen=True):
    """A controller as the page shows it."""

    id: str
    state: str
    tone: str
    heard_at: datetime | None
    is_offline: bool
    doors: tuple[str, ...]
    tools: tuple[str, ...]
    quarantine_reason: str | None
    facts: tuple[Fact, ...]


def routes() -> list[Route]:
    """The list."""
    return [Route("GET", "/controllers", Who.ADMIN, controllers_page)]


async def controllers_page(request: web.Request) -> web.StreamResponse:
    """All controllers."""
    async with request.app[DATABASE].reading() as conn:
        views = await controller_views(conn)
        retired = await keeping_queries.retired(conn, limit=RETIRED_SHOWN)
    return page(request, "controllers/controllers.html", controllers=views, retired=retired)


async def controller_views(conn: Connection) -> list[ControllerView]:
    """All controllers, by name."""
    now = times.now()
    return [
        view(row, now, await unrecorded(conn, row.id, row.report, now))
        for row in await queries.listed(conn)
    ]


def view(row: ListedController, now: datetime, openings: Sequence[Line] = ()) -> ControllerView:
    """A controller as it is now. `openings`: with break-glass cards, which it can't record."""
    offline = is_offline(row.received_at, now)
    if row.quarantined_at is not None:
        state, tone = Text("In quarantine"), "bad"
    elif row.enrolled_at is None:
        state, tone = Text("Not enrolled yet"), "warn"
    elif row.received_at is None:
        state, tone = Text("Never heard of"), "warn"
    elif offline:
        state, tone = Text("Offline"), "warn"
    else:
        state, tone = Text("Online"), "good"
    return ControllerView(
        id=row.id,
        state=state,
        tone=tone,
        heard_at=row.received_at,
        is_offline=offline and row.received_at is not None,
        doors=tuple(row.doors),
        tools=tuple(row.tools),
        quarantine_reason=row.quarantine_reason,
        facts=(*(_facts(row) if row.report else ()), *(_told(line) for line in openings)),
    )


def _told(line: Line) -> Fact:
    words = (
        Text("{opening}: told, but lost before it was recorded", opening=line.says)
        if line.is_lost
        else Text("{opening}: not recorded yet", opening=line.says)
    )
    return Fact(Text("Break-glass"), words, is_bad=True)


def _facts(row: ListedController) -> list[Fact]:
    journal, is_long = said.journal(row.report)
    clock, is_wrong = said.clock(row.report)
    storage = said.storage(row.report)
    software = str(said.part(row.report, "state").get("software", "?"))[:40]
    return [
        _rights(row, said.part(row.report, "applied")),
        Fact(Text("Journal"), journal, is_bad=is_long),
        Fact(Text("Clock"), clock, is_bad=is_wrong),
        *([] if storage is None else [Fact(Text("Storage"), storage[0], is_bad=storage[1])]),
        Fact(Text("Software"), software),
        *(Fact(Text("Trouble"), trouble, is_bad=True) for trouble in said.troubles(row.report)),
    ]


def _rights(row: ListedController, applied: said.Json) -> Fact:
    has = applied.get("serial")
    if row.digest is None:
        return Fact(Text("Rights"), Text("none published yet"))
    if applied.get("digest") == row.digest.hex():
        return Fact(Text("Rights"), Text("up to date, no. {serial}", serial=row.serial))
    waits = Text("behind: has no. {has}, no. {serial} waits", has=str(has or 0), serial=row.serial)
    return Fact(Text("Rights"), waits, is_bad=True)
