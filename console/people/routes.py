"""Pages of people: the list, one person, oneself. Who sees what is in `accounts/fields.py`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aiohttp import web
from msgspec import Struct

from console.access.lines import access_lines
from console.accounts import queries as accounts
from console.accounts.fields import Field, may_see
from console.accounts.finding import person_or_404
from console.accounts.queries import Person
from console.audit.routes import changes_of
from console.avatars.routes import face
from console.badges.taking_back import Actor, held_of
from console.badges.taking_back_routes import BADGES_MAX
from console.cards.card import LABEL_CHARACTERS_MAX
from console.cards.routes import PersonCards, person_cards
from console.cards.routes import Typed as TypedCard
from console.circles.routes import person_circles
from console.circles.trying import Typed as TypedCircle
from console.database import Connection
from console.events.recent import days_of
from console.explain.shut import shut_now
from console.membership.contacts import asked_instead
from console.membership.standing import Standing, standing
from console.membership.standing_queries import PaidRow, facts_of, paid_by
from console.people import queries
from console.people.history import done_by
from console.people.queries import ListedRow, PrivateRow
from console.tools.page_queries import OutRow, out_with
from console.web import times
from console.web.keys import DATABASE, SETTINGS
from console.web.render import fragment, page
from console.web.requests import ID, is_htmx, query_text
from console.web.routing import Route, Who
from console.web.session import Visitor, visitor

PEOPLE_MAX = 50
PEOPLE_WHOLE = 1000
"""Where the whole list is asked for, to print it."""
PAYMENTS_MAX = 2
HAPPENED_MAX = 4
TOOLS_MAX = 3


class Listed(Struct, frozen=True):
    """A person in the list; `standing` None: it isn't for this visitor."""

    row: ListedRow
    standing: Standing | None


class Private(Struct, frozen=True):
    """What not everybody sees of a person. None: it isn't for this visitor."""

    contact: PrivateRow | None = None
    standing: Standing | None = None
    member_since: datetime | None = None
    payments: list[PaidRow] | None = None
    cards: PersonCards | None = None
    tools: list[OutRow] | None = None


def routes() -> list[Route]:
    """Everything below /members, and /me."""
    return [
        Route("GET", "/members", Who.MEMBER, people_page),
        Route("GET", f"/members/{{account:{ID}}}", Who.MEMBER, person_page),
        Route("GET", "/me", Who.MEMBER, own_page),
    ]


async def people_page(request: web.Request) -> web.StreamResponse:
    """Everybody, or whoever's name holds the search text."""
    text, is_whole = query_text(request, "q"), "all" in request.query
    most = PEOPLE_WHOLE if is_whole else PEOPLE_MAX
    me = visitor(request)
    async with request.app[DATABASE].reading() as conn:
        rows = await queries.people(conn, text=text, limit=most)
        count = len(rows) if len(rows) < most else await queries.count_people(conn, text=text)
    context: Mapping[str, Any] = {
        "people": [_listed(row, me) for row in rows],
        "count": count,
        "text": text,
        "is_whole": is_whole,
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
    return Listed(
        row,
        standing(row.facts(), times.now()) if may_see(Field.STANDING, me.roles) else None,
    )


async def _person_page(
    request: web.Request, conn: Connection, person: Person
) -> web.StreamResponse:
    me = visitor(request)
    circles = await person_circles(conn, person=person, visitor_id=me.account_id)
    actor = Actor(me.account_id, me.is_admin)
    held = await held_of(conn, person, actor=actor, limit=BADGES_MAX)
    private = await _private(request, conn, person)
    is_me = me.account_id == person.account_id
    ask = await asked_instead(request, conn, private.standing) if is_me else None
    her_face = await face(conn, account_id=person.account_id, name=person.shown_name)
    changes = await changes_of(conn, account_id=person.account_id) if me.is_admin else None
    accesses = days = None
    shut: Mapping[str, str] = {}
    if Who.FRONT_DESK in me.roles:
        shut = await shut_now(conn)
        accesses = await access_lines(conn, account_id=person.account_id)
        days = days_of(await done_by(conn, person, limit=HAPPENED_MAX))
    return page(
        request,
        "people/person.html",
        person=person,
        face=her_face,
        is_me=is_me,
        prints_labels=request.app[SETTINGS].mqtt.has_label_printer,
        ask=ask,
        hers=circles,
        typed_circle=TypedCircle(),
        held=held,
        private=private,
        cards=private.cards,
        typed_card=TypedCard(),
        label_max=LABEL_CHARACTERS_MAX,
        changes=changes,
        accesses=accesses,
        shut=shut,
        days=days,
        explains=True,
        tools_max=TOOLS_MAX,
        may_enter_payments=Who.TREASURER in me.roles,
    )


async def _private(request: web.Request, conn: Connection, person: Person) -> Private:
    me = visitor(request)
    is_self = me.account_id == person.account_id
    seen = {field for field in Field if may_see(field, me.roles, is_self=is_self)}
    account_id = person.account_id
    row = facts = cards = paid = tools = None
    if seen & {Field.CONTACT, Field.STANDING}:
        row = await queries.private_facts(conn, account_id=account_id)
    if Field.STANDING in seen:
        facts = await facts_of(conn, account_id=account_id)
    if Field.CARDS in seen and facts is not None:
        cards = await person_cards(request, conn, person)
    if Field.PAYMENTS in seen and facts is not None:
        paid = await paid_by(conn, account_id=account_id, limit=PAYMENTS_MAX)
    if Field.TOOLS in seen:
        tools = await out_with(conn, account_id=account_id)
    return Private(
        contact=row if Field.CONTACT in seen else None,
        standing=standing(facts, times.now()) if facts else None,
        member_since=row.member_since if row and Field.STANDING in seen else None,
        payments=paid,
        cards=cards,
        tools=tools,
    )
