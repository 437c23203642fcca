"""Pages of people. Decides who sees what: names and circles are for members; address, payments and
cards for the person herself and for admins, and for admins who changed what."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from console.accounts import queries as accounts
from console.accounts.finding import person_or_404
from console.accounts.queries import Person
from console.audit.routes import changes_of
from console.cards.card import LABEL_CHARACTERS_MAX
from console.cards.routes import PersonCards, person_cards
from console.cards.routes import Typed as TypedCard
from console.circles.routes import Typed as TypedCircle
from console.circles.routes import person_circles
from console.database import Connection
from console.people import queries
from console.people.queries import ListedRow, PaymentRow, PrivateRow
from console.people.standing import Standing, standing
from console.web import times
from console.web.keys import DATABASE
from console.web.render import fragment, page
from console.web.requests import ID, is_htmx, query_text
from console.web.routing import Route, Who
from console.web.session import Visitor, visitor

PEOPLE_MAX = 50
PAYMENTS_MAX = 6


@dataclass(frozen=True, slots=True)
class Listed:
    """A person in the list; `standing` and `cards` are None for members."""

    row: ListedRow
    standing: Standing | None
    cards: int | None


@dataclass(frozen=True, slots=True)
class Private:
    """What only the person and admins see."""

    row: PrivateRow
    standing: Standing
    payments: list[PaymentRow]
    cards: PersonCards


def routes() -> list[Route]:
    """Everything below /members, and /me."""
    return [
        Route("GET", "/members", Who.MEMBER, people_page),
        Route("GET", f"/members/{{account:{ID}}}", Who.MEMBER, person_page),
        Route("GET", "/me", Who.MEMBER, own_page),
    ]


async def people_page(request: web.Request) -> web.StreamResponse:
    """Everybody, or whoever's name holds the search text."""
    text = query_text(request, "q")
    me = visitor(request)
    async with request.app[DATABASE].reading() as conn:
        rows = await queries.people(conn, text=text, limit=PEOPLE_MAX)
        count = len(rows) if len(rows) < PEOPLE_MAX else await queries.count_people(conn, text=text)
    context: Mapping[str, Any] = {
        "people": [_listed(row, me) for row in rows],
        "count": count,
        "text": text,
    }
    if is_htmx(request):
        return fragment(request, "people/list.html", **context)
    return page(request, "people/people.html", **context)


async def person_page(request: web.Request) -> web.StreamResponse:
    """One person."""
    async with request.app[DATABASE].reading() as conn:
        person = await person_or_404(conn, request)
        return await _person_page(request, conn, person)


async def own_page(request: web.Request) -> web.StreamResponse:
    """The visitor herself."""
    async with request.app[DATABASE].reading() as conn:
        person = await accounts.person(conn, account_id=visitor(request).account_id)
        if person is None:
            raise web.HTTPNotFound
        return await _person_page(request, conn, person)


def _listed(row: ListedRow, me: Visitor) -> Listed:
    if not me.is_admin:
        return Listed(row, None, None)
    return Listed(row, standing(row.facts(), times.now()), row.cards)


async def _person_page(
    request: web.Request, conn: Connection, person: Person
) -> web.StreamResponse:
    me = visitor(request)
    circles = await person_circles(conn, person=person, visitor_id=me.account_id)
    private = None
    if me.is_admin or me.account_id == person.account_id:
        private = await _private(conn, person, me)
    changes = await changes_of(conn, account_id=person.account_id) if me.is_admin else None
    return page(
        request,
        "people/person.html",
        person=person,
        is_me=me.account_id == person.account_id,
        hers=circles,
        typed_circle=TypedCircle(),
        private=private,
        cards=private.cards if private else None,
        typed_card=TypedCard(),
        label_max=LABEL_CHARACTERS_MAX,
        changes=changes,
    )


async def _private(conn: Connection, person: Person, me: Visitor) -> Private | None:
    row = await queries.private_facts(conn, account_id=person.account_id)
    if row is None:
        return None
    return Private(
        row=row,
        standing=standing(row.facts(), times.now()),
        payments=await queries.payments(conn, account_id=person.account_id, limit=PAYMENTS_MAX),
        cards=await person_cards(conn, person=person, me=me),
    )
