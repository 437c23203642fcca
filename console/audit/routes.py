"""Who changed what, for admins: the searchable list, and the section of a person's page."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from aiohttp import web
from msgspec import Struct
from msgspec.structs import replace

from console.accounts.finding import one_called
from console.audit import queries
from console.audit.change import ChangeRow, named
from console.audit.places import PLACES
from console.audit.search import (
    DATE_CHARACTERS,
    NAME_CHARACTERS_MAX,
    NO_MISTAKES,
    TEXT_CHARACTERS_MAX,
    Point,
    Search,
    Typed,
    read_days,
)
from console.audit.wording import Told, tell
from console.database import Connection
from console.web import times
from console.web.keys import DATABASE, SETTINGS
from console.web.render import page
from console.web.requests import query_text
from console.web.routing import Route, Who
from console.words import Text

PATH = "/log/changes"
PAGE_CHANGES = 15
PERSON_CHANGES = 4
LOOKED_AT = 5_000
"""Changes in which a text is looked for at a time."""
_ID_CHARACTERS_MAX = 18


class Found(Struct, frozen=True):
    """A page of the list. `rest`: where the next one begins; None: that was all.

    `looked_until`: a text was looked for until there only.
    """

    changes: Sequence[Told]
    rest: Point | None = None
    looked_until: Point | None = None


def routes() -> list[Route]:
    """The list."""
    return [Route("GET", PATH, Who.ADMIN, changes_page)]


async def changes_page(request: web.Request) -> web.StreamResponse:
    """The changes that are looked for, newest first."""
    typed = Typed(
        person=query_text(request, "person", characters_max=NAME_CHARACTERS_MAX),
        place=query_text(request, "place") if request.query.get("place") in PLACES else "",
        text=query_text(request, "text", characters_max=TEXT_CHARACTERS_MAX),
        since=query_text(request, "since", characters_max=DATE_CHARACTERS + 1),
        until=query_text(request, "until", characters_max=DATE_CHARACTERS + 1),
    )
    before_id = _before(request)
    async with request.app[DATABASE].reading() as conn:
        search = await _search(request, conn, typed)
        if isinstance(search, Search):
            if before_id is not None:
                before = await queries.point(conn, change_id=before_id)
                search = replace(search, before=before)
            found = await find(conn, search)
        else:
            found = Found(())
    mistakes = NO_MISTAKES if isinstance(search, Search) else search
    return page(
        request,
        "audit/changes.html",
        status=422 if mistakes else 200,
        found=found,
        typed=typed,
        mistakes=mistakes,
        places=sorted((place.name, key) for key, place in PLACES.items()),
        is_first=not isinstance(search, Search) or search.before is None,
        newest=_address(typed, None),
        older=_address(typed, found.rest),
        text_max=TEXT_CHARACTERS_MAX,
        name_max=NAME_CHARACTERS_MAX,
    )


async def find(conn: Connection, search: Search) -> Found:
    """A page of the changes that are meant."""
    most = PAGE_CHANGES + 1
    looked_at = LOOKED_AT if search.text else most
    rows = await queries.changes(conn, search=search, limit=most, looked_at=looked_at)
    shown = rows[:PAGE_CHANGES]
    told = await _told(conn, shown)
    if len(rows) > len(shown):
        return Found(told, Point(shown[-1].happened_at, shown[-1].id))
    if search.text:
        end = await queries.end_of(conn, search=search, looked_at=LOOKED_AT)
        return Found(told, end, end)
    return Found(told)


async def changes_of(conn: Connection, *, account_id: int) -> Sequence[Told]:
    """What was last changed about a person, for `audit/of_person.html`; for admins only."""
    rows = await queries.changes(
        conn,
        search=Search(person=account_id, concerns_only=True),
        limit=PERSON_CHANGES,
        looked_at=PERSON_CHANGES,
    )
    return await _told(conn, rows)


async def _search(
    request: web.Request, conn: Connection, typed: Typed
) -> Search | Mapping[str, str]:
    """What is looked for; or by field what is wrong with it."""
    days = read_days(typed, request.app[SETTINGS].site.time_zone)
    person = await one_called(conn, typed.person) if typed.person else None
    mistakes = dict(days) if isinstance(days, Mapping) else {}
    if isinstance(person, Text):
        mistakes["person"] = person
    if isinstance(days, Mapping) or isinstance(person, Text) or mistakes:
        return mistakes
    return Search(
        person=person and person.account_id,
        place=typed.place or None,
        text=typed.text,
        since=days.since,
        until=days.until,
    )


async def _told(conn: Connection, rows: Sequence[ChangeRow]) -> Sequence[Told]:
    known = await queries.known(conn, things=named(rows))
    now = times.now()
    return [tell(row, known, now) for row in rows]


def _before(request: web.Request) -> int | None:
    text = request.query.get("before", "")
    is_id = text.isascii() and text.isdecimal() and len(text) <= _ID_CHARACTERS_MAX
    return int(text) if is_id else None


def _address(typed: Typed, before: Point | None) -> str:
    fields = dict(typed.parameters())
    if before is not None:
        fields["before"] = str(before.id)
    return f"{PATH}?{urlencode(fields)}" if fields else PATH
