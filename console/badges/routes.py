"""Pages of badges: all of them, one of them, and those of a person. Every member sees them."""

from aiohttp import web
from msgspec.structs import replace

from console.accounts import queries as accounts
from console.accounts.finding import person_or_404
from console.accounts.queries import Person
from console.badges import award_routes, change_routes, page_queries, taking_back_routes
from console.badges.badge import may_award, may_change
from console.badges.taking_back import Actor, held_of, takeable_from
from console.badges.taking_back_routes import HOLDERS_MAX
from console.circles.queries import circle_ids_of
from console.web.keys import DATABASE
from console.web.render import page
from console.web.requests import ID, path_id, query_text
from console.web.routing import Route, Who
from console.web.session import visitor

BADGES_MAX = 100
CATEGORIES_MAX = 40
HELD_MAX = 40
_BADGE = f"/badges/{{badge:{ID}}}"


def routes() -> list[Route]:
    """Everything below /badges, and the badges of a person."""
    return [
        Route("GET", "/badges", Who.MEMBER, badges_page),
        Route("GET", _BADGE, Who.MEMBER, badge_page),
        Route("GET", "/me/badges", Who.MEMBER, own_page),
        Route("GET", f"/members/{{account:{ID}}}/badges", Who.MEMBER, person_page),
        *change_routes.routes(),
        *award_routes.routes(),
        *taking_back_routes.routes(),
    ]


async def badges_page(request: web.Request) -> web.StreamResponse:
    """All badges, or those of a category, or those that were searched for."""
    text = query_text(request, "badge")
    category = query_text(request, "category")
    async with request.app[DATABASE].reading() as conn:
        rows = await page_queries.badge_rows(
            conn, text=text, category=category, limit=BADGES_MAX + 1
        )
        categories = await page_queries.categories(conn, limit=CATEGORIES_MAX)
        mine = await circle_ids_of(conn, account_id=visitor(request).account_id)
    return page(
        request,
        "badges/badges.html",
        badges=rows[:BADGES_MAX],
        has_more=len(rows) > BADGES_MAX,
        categories=categories,
        text=text,
        category=category,
        mine=mine,
    )


async def badge_page(request: web.Request) -> web.StreamResponse:
    """One badge, and who has it."""
    me = visitor(request)
    text = query_text(request, "holder")
    async with request.app[DATABASE].reading() as conn:
        badge = await page_queries.badge_row(conn, badge_id=path_id(request, "badge"))
        if badge is None:
            raise web.HTTPNotFound
        holders = await page_queries.holder_rows(
            conn, badge_id=badge.id, text=text, limit=HOLDERS_MAX
        )
        takeable = await takeable_from(
            conn,
            badge,
            actor=Actor(me.account_id, me.is_admin),
            accounts=[holder.account_id for holder in holders],
        )
        mine = await circle_ids_of(conn, account_id=me.account_id)
    return page(
        request,
        "badges/badge.html",
        badge=badge,
        holders=holders,
        takeable=takeable,
        done=None,
        text=text,
        awarded=query_text(request, "awarded"),
        may_award=may_award(badge.kind, mine),
        may_change=may_change(
            badge.kind,
            is_maker=badge.made_by_id == me.account_id,
            actor_circles=mine,
            is_admin=me.is_admin,
        ),
    )


async def own_page(request: web.Request) -> web.StreamResponse:
    """The visitor's own badges."""
    async with request.app[DATABASE].reading() as conn:
        person = await accounts.person(conn, account_id=visitor(request).account_id)
    if person is None:
        raise web.HTTPNotFound
    return await _person_page(request, person)


async def person_page(request: web.Request) -> web.StreamResponse:
    """The badges of anybody."""
    async with request.app[DATABASE].reading() as conn:
        person = await person_or_404(conn, request)
    return await _person_page(request, person)


async def _person_page(request: web.Request, person: Person) -> web.StreamResponse:
    me = visitor(request)
    async with request.app[DATABASE].reading() as conn:
        held = await held_of(
            conn, person, actor=Actor(me.account_id, me.is_admin), limit=HELD_MAX + 1
        )
    has_more = len(held.badges) > HELD_MAX
    # Each badge leads to its page, where it is taken back: forms beside all would weigh too much.
    held = replace(held, badges=held.badges[:HELD_MAX], takeable=frozenset())
    return page(request, "badges/of_person_page.html", held=held, has_more=has_more)
