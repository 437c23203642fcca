"""`/search`: finds people, cards, doors and everything else by whatever is typed.

Decides that a card's number, and a user name that nothing else has, lead straight to the person.
What was typed is in no log: lines of requests name the route.
"""

import asyncio
from urllib.parse import urlencode

from aiohttp import web

from console.cards.card import kind
from console.database import Connection
from console.search import queries
from console.search.card_number import credentials
from console.search.hit import LOOKS, SHOWN, Found, Group, Hit, Scope, scope, straight_to
from console.search.queries import CardRow, HitRow
from console.web.keys import DATABASE, SITE_SALT
from console.web.render import fragment, page
from console.web.requests import is_htmx, query_text
from console.web.routing import Route, Who
from console.web.session import visitor
from console.words import Text
from sync.credential import site_digest

TEXT_CHARACTERS_MAX = 100


def routes() -> list[Route]:
    """The one page."""
    return [Route("GET", "/search", Who.MEMBER, search)]


async def search(request: web.Request) -> web.StreamResponse:
    """Groups of what was found; a fragment of it while somebody types."""
    text, me = query_text(request, "q", characters_max=TEXT_CHARACTERS_MAX), visitor(request)
    may = scope(me.roles, account_id=me.account_id)
    numbers = await _numbers(request, text) if may.cards_of is None else ()
    found: tuple[Found, ...] = ()
    if text:
        async with request.app[DATABASE].reading() as conn:
            if numbers and not is_htmx(request):
                owners = await queries.owners(conn, numbers=numbers)
                if len(owners) == 1:
                    raise web.HTTPSeeOther(f"/members/{owners[0]}")
            found = await _found(request, conn, text, numbers, may)
        there = straight_to(found)
        if there and not is_htmx(request):
            raise web.HTTPSeeOther(there)
    show, template = (
        (fragment, "search/found.html") if is_htmx(request) else (page, "search/search.html")
    )
    return show(request, template, text=text, found=found, sees_cards=may.cards_of is None)


async def _numbers(request: web.Request, text: str) -> tuple[bytes, ...]:
    """Digests of the cards that it may be the number of; some milliseconds each, in a thread."""
    salt = request.app[SITE_SALT]
    return tuple([await asyncio.to_thread(site_digest, one, salt) for one in credentials(text)])


async def _found(
    request: web.Request, conn: Connection, text: str, numbers: tuple[bytes, ...], may: Scope
) -> tuple[Found, ...]:
    found: list[Found] = []
    limit = SHOWN + 1
    for group in Group:
        if group not in may.groups:
            continue
        match group:
            case Group.PEOPLE:
                rows = await queries.people(conn, text=text, contact=may.contact, limit=limit)
                hits = [_hit(request, group, row) for row in rows]
            case Group.CARDS:
                cards = await queries.cards(
                    conn, text=text, numbers=numbers, cards_of=may.cards_of, limit=limit
                )
                hits = [_card(request, row) for row in cards]
            case _:
                rows = await queries.named(conn, group, text=text, limit=limit)
                hits = [_hit(request, group, row) for row in rows]
        if hits:
            found.append(_group(request, group, hits, text))
    return tuple(found)


def _group(request: web.Request, group: Group, hits: list[Hit], text: str) -> Found:
    name, all_of_them = LOOKS[group]
    has_more = len(hits) > SHOWN
    more = ""
    if has_more and group is Group.PEOPLE:
        more = f"/members?{urlencode({'q': text})}"
    elif has_more:
        is_hidden = group is Group.DOORS and not visitor(request).is_admin
        more = "/" if is_hidden else all_of_them
    return Found(group, name, tuple(hits[:SHOWN]), has_more, more)


def _card(request: web.Request, row: CardRow) -> Hit:
    is_own = row.account_id == visitor(request).account_id
    detail = Text("{name}, lost", name=row.owner) if row.is_lost else row.owner
    path = "/me" if is_own else f"/members/{row.account_id}"
    return Hit(row.label or kind(row.credential_type), detail, path, is_exact=False)


def _hit(request: web.Request, group: Group, row: HitRow) -> Hit:
    return Hit(row.title, row.detail, _path(request, group, row), row.is_exact)


def _path(request: web.Request, group: Group, row: HitRow) -> str:
    me = visitor(request)
    match group:
        case Group.DOORS if me.is_admin:
            return f"/doors/{row.id}"
        case Group.DOORS:  # members find all doors on the front page, and open them there
            return f"/doors/{row.id}/people" if Who.FRONT_DESK in me.roles else "/"
        case _:
            return f"{LOOKS[group][1]}/{row.id}"
