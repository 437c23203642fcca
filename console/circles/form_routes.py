"""The form of a circle, and removing one. Who may change what of it is in `changing.py`."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from console.circles import changing, keeping, queries
from console.circles.changing import Change, Typed, typed_of
from console.circles.circle import (
    COMMENT_CHARACTERS_MAX,
    DESCRIPTION_CHARACTERS_MAX,
    NAME_CHARACTERS_MAX,
    Kept,
    ManagementStyle,
    may_change,
)
from console.circles.queries import CircleRow
from console.circles.wording import known_by_name, managers, why_kept
from console.database import Connection
from console.errors import Forbidden
from console.rights.dry_run import Preview, SaveForm, take_turn
from console.web.keys import DATABASE, SETTINGS
from console.web.mistakes import Mistakes
from console.web.render import fragment, lead_to, page
from console.web.requests import ID, form, is_htmx, path_id
from console.web.roles import circles_for, names_that_count
from console.web.routing import Route, Who
from console.web.session import author, visitor
from console.words import Text, any_of, quoted

_CIRCLE = f"/circles/{{circle:{ID}}}"


_STYLES = (
    (ManagementStyle.ADMIN_CIRCLE, Text("members of another circle")),
    (ManagementStyle.SELF_ADMIN, Text("its own members")),
)


def routes() -> list[Route]:
    """Making a circle, changing it, removing it."""
    return [
        Route("GET", "/circles/new", Who.ADMIN, new_form),
        Route("POST", "/circles", Who.ADMIN, make_circle),
        Route("GET", f"{_CIRCLE}/change", Who.MEMBER, change_form),
        Route("POST", _CIRCLE, Who.MEMBER, change_circle),
        Route("POST", f"{_CIRCLE}/removal", Who.MEMBER, remove_circle),
    ]


async def new_form(request: web.Request) -> web.StreamResponse:
    """An empty form."""
    async with request.app[DATABASE].reading() as conn:
        return await _answer(request, conn, None, Typed())


async def make_circle(request: web.Request) -> web.StreamResponse:
    """Makes a circle."""
    typed = _typed(await form(request), Typed())
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        made = await changing.make(conn, typed, actor_id=visitor(request).account_id)
        if not isinstance(made, int):
            return await _answer(request, conn, None, typed, mistakes=made)
    return lead_to(request, f"/circles/{made}")


async def change_form(request: web.Request) -> web.StreamResponse:
    """The form with the circle as it is."""
    async with request.app[DATABASE].reading() as conn:
        row = await queries.circle(conn, circle_id=path_id(request, "circle"))
        row = await _changeable(request, conn, row)
        return await _answer(request, conn, row, typed_of(row.circle()))


async def change_circle(request: web.Request) -> web.StreamResponse:
    """Changes a circle, unless somebody else has changed it meanwhile."""
    fields = await form(request)
    me = visitor(request)
    change = Change(
        actor_id=me.account_id,
        is_admin=me.is_admin,
        fixed_names=names_that_count(request.app[SETTINGS].roles),
        version=fields.get("version", ""),
        seen=fields.get("seen", ""),
    )
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        await take_turn(conn)
        locked = await changing.circle_locked(conn, circle_id=path_id(request, "circle"))
        row = await _changeable(request, conn, locked)
        circle = row.circle()
        typed = _typed(fields, typed_of(circle))
        outcome = await changing.change(conn, typed, change, circle=circle, members=row.members)
        if isinstance(outcome, Preview):
            path = f"/circles/{circle.circle_id}"
            title = Text("Change “{name}”?", name=circle.name)
            is_danger = bool(outcome.loses.people)
            managed = changing.becomes_managed(circle, typed)
            also = () if managed is None else (managed,)
            asked = SaveForm(outcome, title, path, fields, path, Text("Save"), is_danger, also)
            return await _answer(request, conn, row, typed, asked=asked)
        if outcome:
            # With a stale form the newest values are shown, else what was typed.
            shown = typed_of(circle) if "form" in outcome else typed
            return await _answer(request, conn, row, shown, mistakes=outcome)
    return lead_to(request, f"/circles/{circle.circle_id}")


async def remove_circle(request: web.Request) -> web.StreamResponse:
    """Removes a circle that nobody is in and nothing refers to: who manages it may."""
    circle_id = path_id(request, "circle")
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        row = await _changeable(
            request, conn, await changing.circle_locked(conn, circle_id=circle_id)
        )
        words: Text | None = None
        if row.name in names_that_count(request.app[SETTINGS].roles):
            words = known_by_name(row.name)
        else:
            kept = await keeping.remove(
                conn, circle_id=circle_id, actor_id=visitor(request).account_id
            )
            words = why_kept(kept) if isinstance(kept, Kept) else None
        if words is not None:
            typed, mistakes = typed_of(row.circle()), {"removal": words}
            return await _answer(request, conn, row, typed, mistakes=mistakes)
    return lead_to(request, "/circles")


async def _changeable(request: web.Request, conn: Connection, row: CircleRow | None) -> CircleRow:
    """The circle. Raises: HTTPNotFound; Forbidden, which says who may change it."""
    if row is None:
        raise web.HTTPNotFound
    me, circle = visitor(request), row.circle()
    mine = await queries.circle_ids_of(conn, account_id=me.account_id)
    if may_change(circle, mine, is_admin=me.is_admin):
        return row
    (admins,) = circles_for(Who.ADMIN, request.app[SETTINGS].roles)
    also = Text("members of the circle “{circle}”", circle=admins)
    who = any_of(dict.fromkeys([managers(circle), also]))
    raise Forbidden(
        Text("{circle} is changed by {managers}.", circle=quoted(circle.name), managers=who)
    )


async def _answer(
    request: web.Request,
    conn: Connection,
    row: CircleRow | None,
    typed: Typed,
    *,
    mistakes: Mistakes | None = None,
    asked: SaveForm | None = None,
) -> web.Response:
    me = visitor(request)
    (admins,) = circles_for(Who.ADMIN, request.app[SETTINGS].roles)
    context: Mapping[str, Any] = {
        "circle": None if row is None else row.circle(),
        "version": "" if row is None else changing.version(row.circle()),
        "typed": typed,
        "mistakes": mistakes or {},
        "asked": asked,
        "styles": _STYLES,
        "circles": await _choices(conn) if me.is_admin else (),
        "is_admin": me.is_admin,
        "admins": admins,
        "name_max": NAME_CHARACTERS_MAX,
        "description_max": DESCRIPTION_CHARACTERS_MAX,
        "comment_max": COMMENT_CHARACTERS_MAX,
    }
    show = fragment if is_htmx(request) else page
    template = "circles/form.html" if is_htmx(request) else "circles/form_page.html"
    return show(request, template, status=422 if mistakes else 200, **context)


async def _choices(conn: Connection) -> list[tuple[str, str]]:
    return [
        ("", Text("Choose")),
        *((row.name, row.name) for row in await queries.all_circles(conn)),
    ]


def _typed(fields: Mapping[str, str], known: Typed) -> Typed:
    """What was typed; of what only admins are asked, as it is where it isn't in the form."""
    style = fields.get("style", known.style or "")
    return Typed(
        name=fields.get("name", known.name).strip(),
        description=fields.get("description", "").strip(),
        style=ManagementStyle(style) if style in set(ManagementStyle) else None,
        admin_circle=fields.get("admin_circle", known.admin_circle),
        needs_comment="needs_comment" in fields,
        first_member=fields.get("username", "").strip(),
        comment=fields.get("comment", "").strip(),
    )
