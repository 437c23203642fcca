"""Pages of doors, and opening one. Decides who sees what: a member her own doors on the front page,
an admin all of them, with who may open each and what happened there."""

from collections.abc import Sequence

from aiohttp import web
from msgspec import Struct

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
from console.doors.opening import NoSuchDoor, Opened
from console.doors.queries import PersonRow
from console.doors.wording import outcome_words, remedy, why, why_not
from console.events.at_place import told_at
from console.events.looks import LOOKS_SHOWN, told_looks
from console.events.past_alarm_queries import looks
from console.first_card.queries import is_marked, waiting_claims
from console.rights import queries as rights
from console.rights.access import may_open_which, who_may_open
from console.web import times
from console.web.keys import DATABASE, SETTINGS
from console.web.render import fragment, page
from console.web.requests import is_htmx
from console.web.routing import Route, Who
from console.web.session import author, visitor
from sync.ids import AccountRef, PointKey
from sync.rights import BREAK_GLASS_MAX, PointKind

ANY_DOOR = web.AppKey("any_door", AnyDoor)

PEOPLE_SHOWN = 30
RETIRED_SHOWN = 50
_KEY = "{door:[a-z0-9-]{1,32}}"


class MyDoor(Struct, frozen=True):
    """A door on the front page. `refusal` is empty for one that the visitor may open."""

    door: DoorView
    refusal: str
    remedy: str


class MayOpen(Struct, frozen=True):
    """Somebody who may open a door, and why."""

    person: PersonRow
    why: str


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


async def doors_for(conn: Connection, account_id: int) -> Sequence[MyDoor]:
    """Every door, those first that this account may open now."""
    now = times.now()
    answers = await may_open_which(conn, account_id=account_id, now_ms=int(now.timestamp() * 1000))
    mine: list[MyDoor] = []
    for row in await queries.doors(conn):
        door, answer = view(row, now), answers.get(PointKey(row.key))
        if answer is None:
            continue  # it was made between the two questions
        allowed = answer.decision.is_allowed
        mine.append(
            MyDoor(
                door,
                "" if allowed else why_not(answer, door.name, now),
                "" if allowed else remedy(answer, door.circles, now),
            )
        )
    return sorted(mine, key=lambda one: one.refusal != "")


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
        who = await who_may_open(
            conn, door_key=key, now_ms=int(now.timestamp() * 1000), most=PEOPLE_SHOWN + 1
        )
        names = await queries.people(conn, accounts={one.account for one in who})
        happened = await told_at(conn, key, is_tool=False)
        looked = await looks(conn, point=key, limit=LOOKS_SHOWN)
        takes_first_cards = await is_marked(conn, key=key)
        claims = await waiting_claims(conn, now=now)
    openers = [
        MayOpen(names[one.account], why(one.answer, door.circles, now))
        for one in who
        if one.account in names
    ]
    return page(
        request,
        "doors/door.html",
        door=door,
        openers=openers[:PEOPLE_SHOWN],
        has_more=len(openers) > PEOPLE_SHOWN,
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
    door = view(rows[0], times.now())
    words = outcome_words(outcome, door.name, door.circles, times.now())
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
