"""Pages of doors, and opening one. Decides who sees what: a member her own doors on the front page,
an admin all of them, with who may open each and what happened there."""

from collections.abc import Sequence

from aiohttp import web
from msgspec import Struct

from console.access.at_place import first_who_can
from console.access.lines import by_door, lines_at, lines_of
from console.access.wording import Reasons
from console.cards.break_glass_queries import break_glass_cards
from console.cards.card import kind
from console.controllers.order_pages import Place, give_order
from console.controllers.queries import reports
from console.controllers.shown import Shown
from console.controllers.unrecorded import unrecorded
from console.database import Connection
from console.doors import changing_queries, circle_routes, keeping_routes, queries
from console.doors.about import about
from console.doors.any_door import AnyDoor
from console.doors.door import DoorView, view
from console.doors.opening import NoSuchDoor, NotAllowed, Opened
from console.doors.wording import outcome_words
from console.events.at_place import told_at
from console.events.looks import LOOKS_SHOWN, told_looks
from console.events.past_alarm_queries import looks
from console.first_card.queries import is_marked, waiting_claims
from console.rights import queries as rights
from console.web import times
from console.web.keys import DATABASE, SETTINGS
from console.web.render import fragment, page
from console.web.requests import is_htmx
from console.web.routing import Route, Who
from console.web.session import author, visitor
from console.words import Text
from sync.ids import AccountRef, PointKey
from sync.rights import BREAK_GLASS_MAX, PointKind

ANY_DOOR = web.AppKey("any_door", AnyDoor)

PEOPLE_SHOWN = 20
RETIRED_SHOWN = 50
_KEY = "{door:[a-z0-9-]{1,32}}"


class MyDoor(Struct, frozen=True):
    """A door on the front page, and whether and why the visitor may open it."""

    door: DoorView
    reasons: Reasons


def routes() -> list[Route]:
    """Everything below /doors."""
    return [
        Route("GET", "/doors", Who.ADMIN, doors_page),
        Route("GET", f"/doors/{_KEY}", Who.ADMIN, door_page),
        Route("POST", f"/doors/{_KEY}/openings", Who.MEMBER, open_door),
        Route("POST", f"/doors/{_KEY}/orders", Who.ADMIN, order_door),
        *circle_routes.routes(),
        *keeping_routes.routes(),
    ]


async def doors_for(conn: Connection, lines: Sequence[Reasons]) -> Sequence[MyDoor]:
    """Every door, those first that somebody may open now. `lines`: her access."""
    hers, now = by_door(lines), times.now()
    # One that was made between the two questions is in one of them only.
    mine = [
        MyDoor(view(row, now), hers[row.key])
        for row in await queries.doors(conn)
        if row.key in hers
    ]
    return sorted(mine, key=lambda one: not one.reasons.is_yes)


async def doors_page(request: web.Request) -> web.StreamResponse:
    """All doors: what is true of each now."""
    async with request.app[DATABASE].reading() as conn:
        views = [view(row, times.now()) for row in await queries.doors(conn)]
        cards = await break_glass_cards(conn)
        claims = await waiting_claims(conn, now=times.now())
        retired = await changing_queries.retired(conn, limit=RETIRED_SHOWN)
        openings = [
            line
            for controller, report in await reports(conn)
            for line in await unrecorded(conn, controller, report, times.now())
        ]
    break_glass = [(row, kind(row.credential_type)) for row in cards]
    return page(
        request,
        "doors/doors.html",
        doors=views,
        break_glass=break_glass,
        most=BREAK_GLASS_MAX,
        unrecorded=openings,
        claims=claims,
        retired=retired,
    )


async def door_page(request: web.Request) -> web.StreamResponse:
    """One door: its state, who may open it and why, what happened there."""
    key = PointKey(request.match_info["door"])
    now = times.now()
    async with request.app[DATABASE].reading() as conn:
        rows = await queries.doors(conn, key=key)
        facts = await rights.doors(conn, key=key)
        if not rows or not facts:
            raise web.HTTPNotFound
        door = view(rows[0], now)
        who = await first_who_can(conn, door=key, now_ms=times.ms(now), most=PEOPLE_SHOWN + 1)
        happened = await told_at(conn, key, is_tool=False)
        looked = await looks(conn, point=key, limit=LOOKS_SHOWN)
        takes_first_cards = await is_marked(conn, key=key)
        claims = await waiting_claims(conn, now=now)
    return page(
        request,
        "doors/door.html",
        door=door,
        openers=lines_of(who[:PEOPLE_SHOWN]),
        has_more=len(who) > PEOPLE_SHOWN,
        about=about(facts[0], zone=request.app[SETTINGS].site.time_zone),
        happened=happened,
        looks=told_looks(looked, now),
        takes_first_cards=takes_first_cards,
        claims=claims,
    )


async def open_door(request: web.Request) -> web.StreamResponse:
    """Opens the door for the visitor, and says what became of it.

    Takes up to 3 s; 10 s where the old door controller moves it.
    """
    key = PointKey(request.match_info["door"])
    tried = await request.app[ANY_DOOR].open(
        [key], actor=AccountRef(visitor(request).account_id), by=author(request)
    )
    outcome = tried.outcome
    async with request.app[DATABASE].reading() as conn:
        rows = await queries.doors(conn, key=key)
        if not rows or isinstance(outcome, NoSuchDoor):
            raise web.HTTPNotFound
        if isinstance(outcome, NotAllowed):
            words = await _why_not(conn, key, visitor(request).account_id)
        else:
            words = outcome_words(outcome, times.now())
    door = view(rows[0], times.now())
    is_open = isinstance(outcome, Opened)
    shown = Shown(words, "unlock" if is_open else "cross", "good" if is_open else "bad")
    answer = fragment if is_htmx(request) else page
    template = "doors/outcome.html" if is_htmx(request) else "doors/outcome_page.html"
    return answer(request, template, status=200 if is_open else 422, shown=shown, door=door)


async def order_door(request: web.Request) -> web.StreamResponse:
    """Locks the door down, takes it out of service, and so on."""
    key = PointKey(request.match_info["door"])
    async with request.app[DATABASE].reading() as conn:
        rows = await queries.doors(conn, key=key)
    if not rows:
        raise web.HTTPNotFound
    return await give_order(request, Place(PointKind.DOOR, key, rows[0].name, f"/doors/{key}"))


async def _why_not(conn: Connection, door: PointKey, account_id: int) -> str:
    found = await lines_at(conn, door, [account_id])
    lacks = [lack.sentences for _, one in found for lack in one.lacks]
    # What was missing a moment ago can be there now.
    return Text.joined(lacks) or Text("You may not open it at this moment. Try again.")
