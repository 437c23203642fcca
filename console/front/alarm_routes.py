"""`/log/alarms`: alarms that are over, and who has looked into them. For admins."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime

from aiohttp import web
from msgspec import Struct

from console.accounts import queries as accounts
from console.database import Connection
from console.errors import BadRequest, DatabaseUnavailable
from console.events import past_alarm_queries as queries
from console.events.looks import told_looks
from console.events.past_alarm_queries import LISTED_MAX, Look
from console.events.past_alarms import (
    COMMENT_CHARACTERS_MAX,
    LOOKED_BACK_DAYS,
    AlarmKey,
    lasts,
)
from console.front.alarms import ALARMS, places_now, waiting_alarms
from console.web import times
from console.web.keys import DATABASE
from console.web.mistakes import Mistaken
from console.web.numbers import read_id
from console.web.one_line import line_mistake
from console.web.render import lead_to, page
from console.web.requests import form
from console.web.routing import Route, Who
from console.web.session import author, visitor
from console.words import Text

_PATH = "/log/alarms"


class Typed(Struct, frozen=True):
    """What stood in the form that was refused, and why."""

    key: AlarmKey
    comment: str
    mistakes: Mapping[str, Text]


def routes() -> list[Route]:
    """The page, and saying that one has looked."""
    return [
        Route("GET", _PATH, Who.ADMIN, alarms_page),
        Route("POST", _PATH, Who.ADMIN, look_into),
    ]


async def alarms_page(request: web.Request) -> web.StreamResponse:
    """What waits for somebody to look into it, and what was looked into."""
    async with request.app[DATABASE].reading() as conn:
        return await _answer(request, conn, None)


async def look_into(request: web.Request) -> web.StreamResponse:
    """Keeps that the visitor has looked, into no more than she was shown."""
    fields = await form(request)
    last_event = read_id(fields.get("last_event", ""))
    if last_event is None:
        raise BadRequest(Text("This form is not one of this page. Reload the page."))
    look = Look(
        AlarmKey(fields.get("point", ""), fields.get("kind", ""), fields.get("reason", "")),
        last_event,
        visitor(request).account_id,
        fields.get("comment", "").strip(),
    )
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        refused = await _look(conn, look, now=times.now())
    if refused is not None:
        async with request.app[DATABASE].reading() as conn:
            typed = Typed(look.key, look.comment, refused.mistakes)
            return await _answer(request, conn, typed)
    with suppress(DatabaseUnavailable):  # then the bar tells of it in a moment
        await request.app[ALARMS].look()
    return lead_to(request, _PATH)


async def _look(conn: Connection, look: Look, *, now: datetime) -> Mistaken | None:
    """Why it was not written. Sent twice it is written once, and that is no mistake."""
    wrong = line_mistake(look.comment, characters_max=COMMENT_CHARACTERS_MAX, is_needed=False)
    if wrong is not None:
        return Mistaken({"comment": wrong})
    for place in await places_now(conn, now):
        if place.key == look.key.point and lasts(look.key, place.reported):
            return Mistaken({"form": Text("It is not over yet. Come back once it is.")})
    if await queries.add_look(conn, look):
        return None
    looker = await queries.looker(conn, key=look.key, event_id=look.last_event)
    if looker == look.actor_id:
        return None
    if looker is None:
        return Mistaken({"form": Text("There is nothing to look into any more.")})
    who = await accounts.person(conn, account_id=looker)
    name = who.shown_name if who else Text("Somebody")
    return Mistaken({"form": Text("{name} has looked into it meanwhile.", name=name)})


async def _answer(
    request: web.Request, conn: Connection, typed: Typed | None
) -> web.StreamResponse:
    now = times.now()
    waiting = await waiting_alarms(conn, await places_now(conn, now), now)
    looked = await queries.looks(conn, point=None, limit=LISTED_MAX)
    return page(
        request,
        "front/alarms.html",
        status=422 if typed else 200,
        waiting=waiting,
        looks=told_looks(looked, now),
        typed=typed,
        is_listed=typed is not None and any(one.row.key == typed.key for one in waiting),
        days=LOOKED_BACK_DAYS,
        most=LISTED_MAX,
        comment_max=COMMENT_CHARACTERS_MAX,
    )
