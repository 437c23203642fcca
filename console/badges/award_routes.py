"""Awarding a badge: people are searched for and ticked, or their user names pasted, in one form.

It also works without scripts: the button that searches sends the form back with what it has found.
"""

from collections.abc import Mapping, Sequence

from aiohttp import web
from msgspec import Struct

from console.badges import keeping_queries, page_queries
from console.badges.award_several import Refused, Wanted, award_all, not_a_certifier
from console.badges.badge import AWARDED_MAX, may_award
from console.badges.page_queries import BadgeRow
from console.circles.queries import circle_ids_of
from console.database import Connection
from console.errors import Forbidden
from console.web.keys import DATABASE
from console.web.numbers import read_id
from console.web.render import fragment, lead_to, page
from console.web.requests import ID, form, is_htmx, path_id
from console.web.routing import Route, Who
from console.web.session import author, visitor

FOUND_MAX = 20
_PATH = f"/badges/{{badge:{ID}}}/awards"
_TICK = "person-"


class Typed(Struct, frozen=True):
    """What stands in the form."""

    ticked: frozenset[int] = frozenset()
    usernames: str = ""
    search: str = ""

    @property
    def lines(self) -> Sequence[str]:
        """The user names, each once."""
        found = (line.strip() for line in self.usernames.splitlines())
        return list(dict.fromkeys(name for name in found if name))


def routes() -> list[Route]:
    """Awarding one badge."""
    return [
        Route("GET", _PATH, Who.MEMBER, award_form),
        Route("POST", _PATH, Who.MEMBER, award),
    ]


async def award_form(request: web.Request) -> web.StreamResponse:
    """An empty form."""
    async with request.app[DATABASE].reading() as conn:
        badge = await _awardable(request, conn)
        return await _answer(request, conn, badge, Typed())


async def award(request: web.Request) -> web.StreamResponse:
    """Awards the badge to everybody who was named, or to nobody; or shows whom the search finds."""
    fields = await form(request)
    typed = _typed(fields)
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        await keeping_queries.lock_badge(conn, badge_id=path_id(request, "badge"))
        badge = await _awardable(request, conn)
        if "find" in fields:
            return await _answer(request, conn, badge, typed)
        wanted = Wanted(typed.ticked, typed.lines)
        outcome = await award_all(conn, badge, wanted, awarder_id=visitor(request).account_id)
        if isinstance(outcome, Refused):
            return await _answer(request, conn, badge, typed, refused=outcome)
    return lead_to(request, f"/badges/{badge.id}?awarded={len(outcome)}")


async def _awardable(request: web.Request, conn: Connection) -> BadgeRow:
    """The badge of the path. Raises: HTTPNotFound; Forbidden, which says who may award it."""
    badge = await page_queries.badge_row(conn, badge_id=path_id(request, "badge"))
    if badge is None:
        raise web.HTTPNotFound
    circles = await circle_ids_of(conn, account_id=visitor(request).account_id)
    if not may_award(badge.kind, circles):
        raise Forbidden(not_a_certifier(badge))
    return badge


async def _answer(
    request: web.Request,
    conn: Connection,
    badge: BadgeRow,
    typed: Typed,
    *,
    refused: Refused | None = None,
) -> web.Response:
    people = await page_queries.people_to_tick(
        conn, badge_id=badge.id, text=typed.search, ids=typed.ticked, limit=FOUND_MAX
    )
    show = fragment if is_htmx(request) else page
    return show(
        request,
        "badges/award.html" if is_htmx(request) else "badges/award_page.html",
        status=422 if refused else 200,
        badge=badge,
        typed=typed,
        people=people,
        found=sum(each.account_id not in typed.ticked for each in people),
        found_max=FOUND_MAX,
        awarded_max=AWARDED_MAX,
        refused=refused,
    )


def _typed(fields: Mapping[str, str]) -> Typed:
    names = (name.removeprefix(_TICK) for name in fields if name.startswith(_TICK))
    ticked = frozenset(each for each in map(read_id, names) if each is not None)
    search = "".join(c for c in fields.get("search", "") if c.isprintable())
    return Typed(ticked, fields.get("usernames", ""), search[:100].strip())
