"""Pages that explain: a tap, who can open a door or use a tool, and what somebody can.

Taps and people are for the front desk, and of a tool for whoever looks after it; her own are
everybody's. Whoever looks after a tool is not told until when somebody is a member, nor what she
calls her card.
"""

from collections.abc import Mapping, Sequence

from aiohttp import web

from console.access.at_place import whether_they_can, who_can
from console.access.lines import access_lines, lines_of
from console.access.queries import PlaceRow
from console.access.wording import Reasons, reasons
from console.accounts.fields import Field, may_see
from console.accounts.finding import person_or_404
from console.accounts.queries import Person, people_like
from console.explain import queries, tap_wording
from console.explain.next_steps import Looked, steps_from_access, steps_from_tap
from console.explain.shut import shut_now
from console.explain.tap import explained_tap
from console.tools import looking_after
from console.web import times
from console.web.keys import DATABASE
from console.web.permit import not_for
from console.web.render import page
from console.web.requests import ID, path_id, query_text
from console.web.routing import Route, Who
from console.web.session import visitor
from sync.ids import PointKey

PEOPLE_SHOWN = 40
"""A page stays light; others are found by name."""
FOUND_SHOWN = 20


def routes() -> list[Route]:
    """All of them."""
    return [
        Route("GET", f"/log/taps/{{event:{ID}}}", Who.MEMBER, tap_page),
        Route("GET", "/doors/{door:[a-z0-9-]{1,32}}/people", Who.FRONT_DESK, door_people),
        Route("GET", f"/tools/{{tool:{ID}}}/people", Who.MEMBER, tool_people),
        Route("GET", "/me/access", Who.MEMBER, own_access),
        Route("GET", f"/members/{{account:{ID}}}/access", Who.FRONT_DESK, access_of),
    ]


async def tap_page(request: web.Request) -> web.StreamResponse:
    """Why a tap was answered as it was."""
    me, now = visitor(request), times.now()
    async with request.app[DATABASE].reading() as conn:
        row = await queries.tap(conn, event_id=path_id(request, "event"))
        is_hers = row is not None and row.account_id == me.account_id
        if not (is_hers or await looking_after.sees(conn, me, row.tool_id if row else None)):
            if row is not None and row.tool_id is not None:
                raise await looking_after.refusal(conn, request, me, row.tool_id)
            raise not_for(Who.FRONT_DESK, request)
        if row is None:
            raise web.HTTPNotFound
        shown = row if may_see(Field.CARDS, me.roles, is_self=False) else row.without_owner()
        told = await explained_tap(conn, shown, now_ms=times.ms(now))
    tells = may_see(Field.STANDING, me.roles, is_self=is_hers)
    today = None
    if told.today is not None and (not row.is_lost or told.row.is_anothers_now):
        today = reasons(told.today, now, tells_standing=tells)
    return page(
        request,
        "explain/tap.html",
        told=told,
        headline=tap_wording.headline(told),
        steps=tap_wording.lines(told, now, tells_standing=tells),
        finding=tap_wording.finding(told),
        decided=tap_wording.decided(told, now, names_controller=me.is_admin),
        today=tap_wording.today(told, now),
        lacks=today.lacks if today else (),
        remedy=tap_wording.remedy(told),
        steps_on=steps_from_tap(told, me.roles, account_id=me.account_id),
        is_mine=row.account_id == me.account_id,
        sees_tool=Who.FRONT_DESK not in me.roles,
        card_label=row.card_label if may_see(Field.CARDS, me.roles, is_self=is_hers) else None,
    )


async def door_people(request: web.Request) -> web.StreamResponse:
    """Who can open this door, and why; whoever is searched for also if she can't."""
    return await _people_page(request, PointKey(request.match_info["door"]), is_tool=False)


async def tool_people(request: web.Request) -> web.StreamResponse:
    """The same for a tool; also for whoever looks after it."""
    tool_id = path_id(request, "tool")
    async with request.app[DATABASE].reading() as conn:
        me = visitor(request)
        if not await looking_after.sees(conn, me, tool_id):
            raise await looking_after.refusal(conn, request, me, tool_id)
        point = await queries.point_of_tool(conn, tool_id=tool_id)
    if point is None:
        raise web.HTTPNotFound
    return await _people_page(request, point, is_tool=True)


async def own_access(request: web.Request) -> web.StreamResponse:
    """What the visitor can open and use, and what is missing for the rest."""
    me = visitor(request)
    async with request.app[DATABASE].reading() as conn:
        every = await access_lines(conn, account_id=me.account_id)
        shut = await shut_now(conn)
    looked = Looked(me.account_id, me.shown_name, me.roles, is_hers=True)
    return _access_page(request, every, looked, None, shut)


async def access_of(request: web.Request) -> web.StreamResponse:
    """The same of somebody."""
    async with request.app[DATABASE].reading() as conn:
        person = await person_or_404(conn, request)
        every = await access_lines(conn, account_id=person.account_id)
        shut = await shut_now(conn)
    looked = Looked(person.account_id, person.shown_name, visitor(request).roles, is_hers=False)
    return _access_page(request, every, looked, person, shut)


def _access_page(
    request: web.Request,
    every: Sequence[Reasons],
    looked: Looked,
    person: Person | None,
    shut: Mapping[str, str],
) -> web.StreamResponse:
    steps = steps_from_access((one.at for one in every), looked)
    return page(
        request,
        "explain/access.html",
        accesses=every,
        person=person,
        shut=shut,
        steps_on=steps,
    )


async def _people_page(
    request: web.Request, point: PointKey, *, is_tool: bool
) -> web.StreamResponse:
    text, now = query_text(request, "q"), times.now()
    async with request.app[DATABASE].reading() as conn:
        if text:
            named = await people_like(conn, text=text, limit=FOUND_SHOWN)
            found = await whether_they_can(
                conn,
                point=point,
                accounts=[row.account_id for row in named],
                now_ms=times.ms(now),
            )
        else:
            found = await who_can(conn, point=point, now_ms=times.ms(now))
        shut = await shut_now(conn)
    if found is None or (found[0].tool_id is not None) is not is_tool:
        raise web.HTTPNotFound
    place, people = found
    return page(
        request,
        "explain/people.html",
        place=place,
        shut=shut.get(place.key, ""),
        path=_path(place),
        text=text,
        count=len(people),
        is_cut=bool(text) and len(people) == FOUND_SHOWN,
        people=lines_of(
            people[:PEOPLE_SHOWN],
            tells_standing=may_see(Field.STANDING, visitor(request).roles),
        ),
    )


def _path(place: PlaceRow) -> str:
    return f"/doors/{place.key}" if place.tool_id is None else f"/tools/{place.tool_id}"
