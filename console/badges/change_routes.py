"""The form of a badge.

Anybody makes one, as in the old web app; who may change it is in `badge.py`.
"""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from console.badges import keeping, keeping_queries, page_queries
from console.badges.badge import (
    CATEGORY_CHARACTERS_MAX,
    DESCRIPTION_CHARACTERS_MAX,
    PAGE_TITLE_CHARACTERS_MAX,
    may_change,
    may_entrust,
)
from console.badges.keeping import Actor, Typed, typed_of
from console.badges.page_queries import BadgeRow
from console.circles.queries import all_circles, circle_ids_of
from console.database import Connection
from console.errors import Forbidden
from console.web.keys import DATABASE, SETTINGS
from console.web.mistakes import Mistakes
from console.web.numbers import read_id
from console.web.render import page
from console.web.requests import ID, form, path_id
from console.web.roles import circles_for
from console.web.routing import Route, Who
from console.web.session import author, visitor
from console.web.versions import CHANGED_MEANWHILE
from console.words import Text, any_of, quoted

CATEGORIES_MAX = 40
_BADGE = f"/badges/{{badge:{ID}}}"
_NO_CIRCLE = 0
"""No circle has this number."""


def routes() -> list[Route]:
    """Making a badge and changing it."""
    return [
        Route("GET", "/badges/new", Who.MEMBER, new_form),
        Route("POST", "/badges", Who.MEMBER, make_badge),
        Route("GET", f"{_BADGE}/change", Who.MEMBER, change_form),
        Route("POST", _BADGE, Who.MEMBER, change_badge),
    ]


async def new_form(request: web.Request) -> web.StreamResponse:
    """An empty form."""
    async with request.app[DATABASE].reading() as conn:
        return await _answer(request, conn, None, Typed())


async def make_badge(request: web.Request) -> web.StreamResponse:
    """Makes a badge that nobody has yet."""
    typed = _typed(await form(request))
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        made = await keeping.make(conn, typed, actor=_actor(request))
        if not isinstance(made, int):
            return await _answer(request, conn, None, typed, mistakes=made)
    raise web.HTTPSeeOther(f"/badges/{made}")


async def change_form(request: web.Request) -> web.StreamResponse:
    """The form with the badge as it is."""
    async with request.app[DATABASE].reading() as conn:
        row = await _changeable(request, conn)
        return await _answer(request, conn, row, typed_of(row))


async def change_badge(request: web.Request) -> web.StreamResponse:
    """Changes a badge, unless somebody else has changed it meanwhile."""
    fields = await form(request)
    typed = _typed(fields)
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        await keeping_queries.lock_badge(conn, badge_id=path_id(request, "badge"))
        row = await _changeable(request, conn)
        if typed != typed_of(row):
            if fields.get("version", "") != row.version:
                # With a stale form the newest values are shown, else what was typed.
                stale = {"form": CHANGED_MEANWHILE}
                return await _answer(request, conn, row, typed_of(row), mistakes=stale)
            mistakes = await keeping.change(conn, typed, row=row, actor=_actor(request))
            if mistakes:
                return await _answer(request, conn, row, typed, mistakes=mistakes)
    raise web.HTTPSeeOther(f"/badges/{row.id}")


async def _changeable(request: web.Request, conn: Connection) -> BadgeRow:
    """The badge of the path. Raises: HTTPNotFound; Forbidden, which says who may change it."""
    row = await page_queries.badge_row(conn, badge_id=path_id(request, "badge"))
    if row is None:
        raise web.HTTPNotFound
    me = visitor(request)
    circles = await circle_ids_of(conn, account_id=me.account_id)
    is_maker = row.made_by_id == me.account_id
    if not may_change(row.kind, is_maker=is_maker, actor_circles=circles, is_admin=me.is_admin):
        named = [*circles_for(Who.ADMIN, request.app[SETTINGS].roles)]
        if row.circle_name is not None:
            named.insert(0, row.circle_name)
        raise Forbidden(
            Text(
                "This badge is changed by members of the circle {circles}.",
                circles=any_of(quoted(name) for name in dict.fromkeys(named)),
            )
        )
    return row


async def _answer(
    request: web.Request,
    conn: Connection,
    row: BadgeRow | None,
    typed: Typed,
    *,
    mistakes: Mistakes | None = None,
) -> web.Response:
    me = visitor(request)
    now = None if row is None else row.circle_id
    mine = await circle_ids_of(conn, account_id=me.account_id)

    def may_choose(circle_id: int | None) -> bool:
        return may_entrust(circle_id, now=now, actor_circles=mine, is_admin=me.is_admin)

    circles: list[tuple[int | str, Text]] = [
        (each.circle_id, Text("members of “{name}”", name=each.name))
        for each in await all_circles(conn)
        if may_choose(each.circle_id)
    ]
    if may_choose(None):
        circles.insert(0, ("", Text("everybody")))
    context: Mapping[str, Any] = {
        "badge": row,
        "typed": typed,
        "mistakes": mistakes or {},
        "circles": circles,
        "categories": await page_queries.categories(conn, limit=CATEGORIES_MAX),
        "title_max": PAGE_TITLE_CHARACTERS_MAX,
        "description_max": DESCRIPTION_CHARACTERS_MAX,
        "category_max": CATEGORY_CHARACTERS_MAX,
    }
    return page(request, "badges/form.html", status=422 if mistakes else 200, **context)


def _actor(request: web.Request) -> Actor:
    me = visitor(request)
    (admin_circle,) = circles_for(Who.ADMIN, request.app[SETTINGS].roles)
    return Actor(me.account_id, is_admin=me.is_admin, admin_circle=admin_circle)


def _typed(fields: Mapping[str, str]) -> Typed:
    circle = fields.get("circle", "")
    return Typed(
        title=fields.get("title", "").strip(),
        description=fields.get("description", "").replace("\r\n", "\n").strip(),
        category=fields.get("category", "").strip(),
        circle_id=(read_id(circle) or _NO_CIRCLE) if circle else None,
    )
