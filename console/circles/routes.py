"""Pages of circles: all of them, one of them, and the circles of one person."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from msgspec import Struct
from msgspec.structs import replace

from console.access import queries as access
from console.access.wording import ask
from console.accounts import queries as accounts
from console.accounts.finding import one_called, person_or_404
from console.accounts.queries import Person
from console.audit.undoing import Done
from console.circles import form_routes, queries
from console.circles.circle import Circle, may_change, may_manage
from console.circles.opens import opens
from console.circles.queries import MemberRow, PersonCircleRow
from console.circles.trying import Typed, Wanted, add, put_back, putting_back, remove
from console.circles.wording import Mistake, managers
from console.database import Connection
from console.rights.joining import Joining
from console.web.keys import DATABASE, SETTINGS
from console.web.numbers import read_id
from console.web.render import fragment, page
from console.web.requests import ID, form, is_htmx, path_id, query_text
from console.web.routing import Route, Who
from console.web.session import author, visitor
from console.words import Text

MEMBERS_SHOWN = 25
MEMBERS_WHOLE = 1000
"""Where the whole list is asked for, to print it."""
_CIRCLE = f"/circles/{{circle:{ID}}}"
_PERSON = f"/members/{{account:{ID}}}"


class CircleView(Struct, frozen=True):
    """A circle in the list."""

    circle: Circle
    members: int
    is_mine: bool
    may_manage: bool


class PersonCircles(Struct, frozen=True):
    """The circles of a person, and those that the visitor may add her to."""

    person: Person
    circles: list[PersonCircleRow]
    removable: frozenset[int]
    addable: list[Circle]


def routes() -> list[Route]:
    """Everything below /circles, and changing the circles of one person."""
    return [
        Route("GET", "/circles", Who.MEMBER, circles_page),
        Route("GET", _CIRCLE, Who.MEMBER, circle_page),
        *form_routes.routes(),
        Route("POST", f"{_CIRCLE}/members", Who.MEMBER, add_to_circle),
        Route(
            "POST", f"{_CIRCLE}/members/{{account:{ID}}}/removal", Who.MEMBER, remove_from_circle
        ),
        Route("POST", f"{_PERSON}/circles", Who.MEMBER, add_person),
        Route("POST", f"{_PERSON}/circles/{{circle:{ID}}}/removal", Who.MEMBER, remove_person),
    ]


async def circles_page(request: web.Request) -> web.StreamResponse:
    """Every circle."""
    async with request.app[DATABASE].reading() as conn:
        rows = await queries.all_circles(conn)
        mine = await queries.circle_ids_of(conn, account_id=visitor(request).account_id)
    views = [
        CircleView(
            circle=row.circle(),
            members=row.members,
            is_mine=row.circle_id in mine,
            may_manage=may_manage(row.circle(), mine),
        )
        for row in rows
    ]
    return page(request, "circles/circles.html", circles=views)


async def circle_page(request: web.Request) -> web.StreamResponse:
    """One circle and who is in it."""
    async with request.app[DATABASE].reading() as conn:
        context = await _page_context(conn, request)
    return page(request, "circles/circle.html", **context, typed=Typed())


async def add_to_circle(request: web.Request) -> web.StreamResponse:
    """Adds the person whose name was typed, once it was seen what that does."""
    fields = await form(request)
    circle_id = path_id(request, "circle")
    username, comment = fields.get("username", "").strip(), fields.get("comment", "")
    typed = Typed(username=username, comment=comment)
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        found = await one_called(conn, username)
        if isinstance(found, Text):
            typed = replace(typed, mistake=Mistake(found))
        else:
            wanted = _wanted(request, circle_id, found, comment)
            outcome = await add(conn, wanted, seen=fields.get("seen", ""))
            path = f"/circles/{circle_id}"
            posted = {"username": found.handle, "comment": comment}
            typed = typed.after(outcome, wanted, Joining.ADDITION, f"{path}/members", posted, path)
    return await _circle_answer(request, typed)


async def remove_from_circle(request: web.Request) -> web.StreamResponse:
    """Removes one member, once it was seen what that does."""
    path = f"/circles/{path_id(request, 'circle')}"
    return await _circle_answer(request, await _removal(request, path))


async def add_person(request: web.Request) -> web.StreamResponse:
    """Adds the person of the page to the chosen circle, once it was seen what that does."""
    fields = await form(request)
    circle, comment = fields.get("circle", ""), fields.get("comment", "")
    typed = Typed(circle=circle, comment=comment)
    circle_id = read_id(circle)
    if circle_id is not None:
        async with request.app[DATABASE].writing(by=author(request)) as conn:
            person = await person_or_404(conn, request)
            wanted = _wanted(request, circle_id, person, comment)
            outcome = await add(conn, wanted, seen=fields.get("seen", ""))
        path = f"/members/{person.account_id}"
        posted = {"circle": circle, "comment": comment}
        typed = typed.after(outcome, wanted, Joining.ADDITION, f"{path}/circles", posted, path)
    else:
        typed = replace(typed, mistake=Mistake(Text("Choose a circle."), "circle"))
    return await _person_answer(request, typed)


async def remove_person(request: web.Request) -> web.StreamResponse:
    """Removes the person of the page from one circle, once it was seen what that does."""
    path = f"/members/{path_id(request, 'account')}"
    return await _person_answer(request, await _removal(request, path))


async def _removal(request: web.Request, back: str) -> Typed:
    """Removes her, or undoes that. `back`: the page of the form."""
    fields = await form(request)
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        person = await accounts.person(conn, account_id=path_id(request, "account"))
        if person is None:
            return Typed(mistake=Mistake(Text("There is nobody with this number any more.")))
        wanted, seen = _wanted(request, path_id(request, "circle"), person), fields.get("seen", "")
        if fields.get("undo") == "yes":
            kind, posted = Joining.PUTTING_BACK, {"undo": "yes"}
            outcome = await put_back(conn, wanted, seen=seen)
            return Typed().after(outcome, wanted, kind, request.path, posted, back)
        outcome = await remove(conn, wanted, seen=seen)
        if outcome is not None:
            return Typed().after(outcome, wanted, Joining.REMOVAL, request.path, {}, back)
        way_back = await putting_back(conn, wanted)
    told = Joining.REMOVAL.done(person.shown_name)
    return Typed(done=Done.of(told, request.path, seen=way_back))


async def person_circles(conn: Connection, *, person: Person, visitor_id: int) -> PersonCircles:
    """What the section "Circles" of a person's page shows to this visitor."""
    circles = await queries.circles_of(conn, account_id=person.account_id)
    mine = await queries.circle_ids_of(conn, account_id=visitor_id)
    hers = {row.circle_id for row in circles}
    managed = [
        row.circle() for row in await queries.all_circles(conn) if may_manage(row.circle(), mine)
    ]
    return PersonCircles(
        person=person,
        circles=circles,
        removable=frozenset(circle.circle_id for circle in managed) & hers,
        addable=[circle for circle in managed if circle.circle_id not in hers],
    )


def _wanted(request: web.Request, circle_id: int, person: Person, comment: str = "") -> Wanted:
    actor_id, roles = visitor(request).account_id, request.app[SETTINGS].roles
    return Wanted(circle_id, person, comment, actor_id, roles)


async def _circle_context(conn: Connection, request: web.Request) -> Mapping[str, Any]:
    row = await queries.circle(conn, circle_id=path_id(request, "circle"))
    if row is None:
        raise web.HTTPNotFound
    text, is_whole = query_text(request, "member"), "all" in request.query
    members: list[MemberRow] = await queries.members_of(
        conn,
        circle_id=row.circle_id,
        text=text,
        limit=MEMBERS_WHOLE if is_whole else MEMBERS_SHOWN,
    )
    me = visitor(request)
    mine = await queries.circle_ids_of(conn, account_id=me.account_id)
    return {
        "circle": row.circle(),
        "members": members,
        "count": await queries.count_members(conn, circle_id=row.circle_id),
        "text": text,
        "is_whole": is_whole,
        "may_manage": may_manage(row.circle(), mine),
        "may_change": may_change(row.circle(), mine, is_admin=me.is_admin),
        "managed": Text("Changed by {managers}.", managers=managers(row.circle())),
    }


async def _page_context(conn: Connection, request: web.Request) -> Mapping[str, Any]:
    """The same with what stands beside the members."""
    context = await _circle_context(conn, request)
    circle_id = path_id(request, "circle")
    mine = await queries.circle_ids_of(conn, account_id=visitor(request).account_id)
    to_ask = ""
    if circle_id not in mine and not context["may_manage"]:
        asked = await access.circles(conn, ids=[circle_id], asked=[circle_id])
        to_ask = ask([*asked.values()])
    return {**context, "to_ask": to_ask, "opens": await opens(conn, circle_id=circle_id)}


async def _circle_answer(request: web.Request, typed: Typed) -> web.StreamResponse:
    status = 422 if typed.mistake else 200
    if typed.is_done and not is_htmx(request):
        raise web.HTTPSeeOther(f"/circles/{path_id(request, 'circle')}")
    async with request.app[DATABASE].reading() as conn:
        if is_htmx(request):
            context = await _circle_context(conn, request)
            return fragment(request, "circles/members.html", status=status, **context, typed=typed)
        context = await _page_context(conn, request)
    return page(request, "circles/circle.html", status=status, **context, typed=typed)


async def _person_answer(request: web.Request, typed: Typed) -> web.StreamResponse:
    status = 422 if typed.mistake else 200
    if typed.is_done and not is_htmx(request):
        raise web.HTTPSeeOther(f"/members/{path_id(request, 'account')}")
    async with request.app[DATABASE].reading() as conn:
        person = await person_or_404(conn, request)
        hers = await person_circles(conn, person=person, visitor_id=visitor(request).account_id)
    if is_htmx(request):
        return fragment(
            request, "circles/of_person.html", status=status, hers=hers, typed_circle=typed
        )
    return page(
        request, "circles/of_person_page.html", status=status, hers=hers, typed_circle=typed
    )
