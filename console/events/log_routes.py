"""`/log`: what happened in the house, the newest first, searched, and live while it is open.

For the front desk and admins; who of them sees what is in `log.py`.
"""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from aiohttp import web

from console.accounts.finding import one_called
from console.audit.search import DATE_CHARACTERS, NAME_CHARACTERS_MAX, read_days
from console.audit.search import Typed as TypedDays
from console.database import Connection, Database
from console.events import log_queries as queries
from console.events.at_place import WITH_DETAIL, detail
from console.events.log import Sort, Typed, kinds_of, sorts_for
from console.events.log_queries import PlaceRow, Search
from console.events.paging import Before, before_fields, read_before
from console.events.queries import RecentRow
from console.events.recent import Day, days_of
from console.web.keys import DATABASE, SETTINGS
from console.web.live_hub import LiveFragment
from console.web.render import page
from console.web.requests import query_text
from console.web.routing import Route, Who
from console.web.session import visitor
from console.words import Text

PATH = "/log"
SHOWN = 30


def routes() -> list[Route]:
    """The log."""
    return [Route("GET", PATH, Who.FRONT_DESK, log_page)]


async def log_page(request: web.Request) -> web.StreamResponse:
    """The events that are looked for."""
    typed = Typed(
        place=query_text(request, "place"),
        person=query_text(request, "username", characters_max=NAME_CHARACTERS_MAX),
        sort=query_text(request, "sort"),
        since=query_text(request, "since", characters_max=DATE_CHARACTERS + 1),
        until=query_text(request, "until", characters_max=DATE_CHARACTERS + 1),
    )
    sees_all, before = visitor(request).is_admin, read_before(request)
    days, rest = list[Day](), None
    async with request.app[DATABASE].reading() as conn:
        places = await queries.places(conn)
        search = await _search(request, conn, typed, places)
        mark = await queries.mark(conn)
        if isinstance(search, Search):
            days, rest = await _found(conn, search, before)
    mistakes: Mapping[str, str] = {} if isinstance(search, Search) else search
    return page(
        request,
        "events/log.html",
        status=422 if mistakes else 200,
        days=days,
        typed=typed,
        mistakes=mistakes,
        places=[("", Text("Everywhere")), *((place.path, place.name) for place in places)],
        sorts=sorts_for(sees_all=sees_all).items(),
        sees_all=sees_all,
        is_first=before is None,
        is_live=before is None and not mistakes,
        mark=mark,
        explains=True,
        newest=_address(typed, None),
        older=None if rest is None else _address(typed, rest),
    )


async def _found(
    conn: Connection, search: Search, before: Before | None
) -> tuple[list[Day], RecentRow | None]:
    """A page of the events that are meant, and the last one of it, if there are more."""
    rows = await queries.happened(conn, search=search, before=before, limit=SHOWN + 1)
    shown = rows[:SHOWN]
    payloads = await queries.payloads(
        conn, ids=[row.event_id for row in shown], kinds=sorted(WITH_DETAIL)
    )
    kinds = {row.event_id: row.kind for row in shown}
    details = {id_: detail(kinds[id_], payload) for id_, payload in payloads.items()}
    return days_of(shown, details), shown[-1] if len(rows) > SHOWN else None


async def _search(
    request: web.Request, conn: Connection, typed: Typed, places: Sequence[PlaceRow]
) -> Search | Mapping[str, str]:
    """What is looked for; or by field what is wrong with it."""
    sees_all = visitor(request).is_admin
    days = read_days(
        TypedDays(since=typed.since, until=typed.until), request.app[SETTINGS].site.time_zone
    )
    mistakes = dict(days) if isinstance(days, Mapping) else {}
    person = await one_called(conn, typed.person) if typed.person else None
    if isinstance(person, Text):
        mistakes["username"] = person
    at = [place for place in places if place.path == typed.place]
    if typed.place and not at:
        mistakes["place"] = Text("There is no such door or tool. Choose one.")
    sort = next((each for each in sorts_for(sees_all=sees_all) if each == typed.sort), None)
    if sort is None:
        mistakes["sort"] = Text("Choose one of these.")
    if isinstance(days, Mapping) or isinstance(person, Text) or sort is None or mistakes:
        return mistakes
    return Search(
        kinds=kinds_of(sort, sees_all=sees_all),
        place=at[0] if at else None,
        person=None if person is None else person.account_id,
        since=days.since,
        until=days.until,
        of_tools={Sort.TOOLS: True, Sort.OPENINGS: False}.get(sort),
    )


def _address(typed: Typed, last: RecentRow | None) -> str:
    fields = dict(typed.parameters())
    if last is not None:
        fields |= before_fields(last)
    return f"{PATH}?{urlencode(fields)}" if fields else PATH


class LogMark:
    """Says to pages that show the log that there is something new: they ask for it themselves,
    since what each of them looks for is its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def channels(self) -> frozenset[str]:
        """Events that came in, answers of doors without a controller, tools that were taken."""
        return frozenset({"access_event", "access_checkout"})

    async def fragments(
        self, audience: Who, changed: frozenset[str] | None
    ) -> Sequence[LiveFragment]:
        """The mark, whatever changed, for whom the log is. Raises: DatabaseUnavailable."""
        del changed
        if audience is Who.MEMBER:
            return []
        async with self._database.reading() as conn:
            return [LiveFragment("log", "events/log_mark.html", {"mark": await queries.mark(conn)})]
