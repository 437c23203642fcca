"""`/members/{account}/account`: an admin changes somebody's account.

Decides that she hears of it who could lose her account by it: another e-mail address is told to the
old one, and that of somebody with a role isn't changed where no mail can be sent. One's own account
is changed at `/me/account`, which asks for the password.
"""

from collections.abc import Mapping
from math import ceil
from types import MappingProxyType

import structlog
from aiohttp import web
from msgspec import Struct

from console.accounts import links, moving, reset
from console.accounts import settings_queries as queries
from console.accounts.account import Profile
from console.accounts.finding import person_or_404
from console.accounts.links import Outcome, Sent, Shown, Unsent, Withheld
from console.accounts.profile import Mistakes, mistakes_with, store
from console.accounts.queries import Person
from console.accounts.reset_queries import Forgetful
from console.accounts.throttle import Wait
from console.web import session
from console.web.keys import DATABASE
from console.web.render import lead_to, page
from console.web.requests import ID, form
from console.web.routing import Route, Who
from console.web.session import visitor
from console.words import Text, all_of, quoted

log = structlog.get_logger()

OWN = "/me/account"
_PATH = f"/members/{{account:{ID}}}/account"


class Note(Struct, frozen=True):
    """What became of what was asked."""

    words: Text
    is_good: bool = True


NOTES: Mapping[str, Note] = MappingProxyType(
    {
        "added": Note(
            Text("The account is there. A link to choose its password was sent by mail.")
        ),
        "added-unsent": Note(
            Text(
                "The account is there, but the mail server didn't take the mail with the link. Send"
                " it again below."
            ),
            is_good=False,
        ),
        "sent": Note(Text("A link for a new password was sent by mail.")),
        "unsent": Note(
            Text("The mail server didn't take the mail. Try again in a minute."), is_good=False
        ),
        "saved": Note(Text("Saved.")),
        "told": Note(Text("Saved. The e-mail address until now was sent a mail that says so.")),
        "untold": Note(
            Text("Saved, but no mail says so to the e-mail address until now: tell her yourself."),
            is_good=False,
        ),
        "ended": Note(Text("Logged out there.")),
    }
)
"""By what `said` in the page's address is."""


class Shape(Struct, frozen=True):
    """What the page says besides what is stored. `typed` None: what is stored."""

    mistakes: Mistakes = MappingProxyType({})
    typed: Profile | None = None
    note: Note | None = None
    link: str | None = None


def routes() -> list[Route]:
    """All below it."""
    one = f"{_PATH}/sessions/{{session:[0-9a-f]{{1,16}}}}/end"
    return [
        Route("GET", _PATH, Who.ADMIN, account_page),
        Route("POST", _PATH, Who.ADMIN, save),
        Route("POST", f"{_PATH}/link", Who.ADMIN, hand_out_link),
        Route("POST", one, Who.ADMIN, end_session),
        Route("POST", f"{_PATH}/sessions/end", Who.ADMIN, end_sessions),
    ]


async def account_page(request: web.Request) -> web.StreamResponse:
    """The forms."""
    person = await _somebody_else(request)
    return await _answer(request, person, Shape(note=NOTES.get(request.query.get("said", ""))))


async def save(request: web.Request) -> web.StreamResponse:
    """Stores name, e-mail address and phone, unless somebody changed them meanwhile."""
    fields = await form(request)
    person = await _somebody_else(request)
    typed = Profile(
        username=person.username,
        name=fields.get("name", "").strip(),
        email=fields.get("email", "").strip(),
        phone=fields.get("phone", "").strip(),
    )
    version, account_id = fields.get("version", ""), person.account_id
    said = await _move(request, person, typed, version=version)
    if isinstance(said, str):
        found = await store(request, typed, account_id=account_id, version=version)
    else:
        found = said
    if found:
        # With a stale form the newest values are shown, else what was typed.
        shape = Shape(found, None if "form" in found else typed)
        return await _answer(request, person, shape, status=422)
    return lead_to(request, f"{path_of(person.account_id)}?said={said}")


async def hand_out_link(request: web.Request) -> web.StreamResponse:
    """Sends her a link for a new password, or shows it where no mail can be sent."""
    person = await _somebody_else(request)
    async with request.app[DATABASE].reading() as conn:
        known = await queries.profile(conn, account_id=person.account_id)
    if known is None:
        raise web.HTTPNotFound
    whom = Forgetful(person.account_id, known.username, known.email)
    return await tell(request, person, await links.hand_out(request, whom))


async def tell(
    request: web.Request, person: Person, outcome: Outcome, *, is_new: bool = False
) -> web.StreamResponse:
    """Answers what became of a link. `is_new`: of an account that was made for it."""
    path = path_of(person.account_id)
    match outcome:
        case Sent():
            return lead_to(request, f"{path}?said={'added' if is_new else 'sent'}")
        case Unsent():
            return lead_to(request, f"{path}?said={'added-unsent' if is_new else 'unsent'}")
        case Shown(link):
            note = Note(Text("The account is there.")) if is_new else None
            return await _answer(request, person, Shape(note=note, link=link))
        case Withheld(circles):
            wrong = Text(
                "No mail can be sent here, and the link of somebody in the circle {circles} is"
                " shown to nobody else.",
                circles=all_of(quoted(circle) for circle in circles),
            )
            return await _answer(request, person, Shape({"link": wrong}), status=422)
        case Wait(seconds):
            wrong = Text("Too often. Wait {seconds} s, then try again.", seconds=ceil(seconds))
            return await _answer(request, person, Shape({"link": wrong}), status=429)


async def end_session(request: web.Request) -> web.StreamResponse:
    """Logs out one of her browsers."""
    person = await _somebody_else(request)
    async with request.app[DATABASE].writing(by=session.author(request)) as conn:
        await queries.end_session(
            conn, account_id=person.account_id, session_id=request.match_info["session"]
        )
    return _ended(request, person)


async def end_sessions(request: web.Request) -> web.StreamResponse:
    """Logs out all of her browsers, also those that the old web app let in."""
    person = await _somebody_else(request)
    async with request.app[DATABASE].writing(by=session.author(request)) as conn:
        await queries.add_session_end(conn, account_id=person.account_id, browsers="all")
        await session.end_all(conn, account_id=person.account_id)
    return _ended(request, person)


def path_of(account_id: int) -> str:
    """The page of an account."""
    return f"/members/{account_id}/account"


def _ended(request: web.Request, person: Person) -> web.StreamResponse:
    log.info("sessions.ended", account=person.account_id, by=visitor(request).account_id)
    return lead_to(request, f"{path_of(person.account_id)}?said=ended#sessions")


async def _somebody_else(request: web.Request) -> Person:
    """The person that the path names. Raises: HTTPNotFound; HTTPSeeOther where it is oneself."""
    async with request.app[DATABASE].reading() as conn:
        person = await person_or_404(conn, request)
    if person.account_id == visitor(request).account_id:
        raise web.HTTPSeeOther(OWN)
    return person


async def _move(
    request: web.Request, person: Person, typed: Profile, *, version: str
) -> str | Mistakes:
    """Tells the old address of another one, before it is stored; which note to answer with."""
    async with request.app[DATABASE].reading() as conn:
        known = await queries.profile(conn, account_id=person.account_id)
        if known is None:
            raise web.HTTPNotFound
        if known.email == typed.email:
            return "saved"
        found = await mistakes_with(
            conn, known, typed, account_id=person.account_id, version=version
        )
        mine = await queries.circles_of(conn, account_id=person.account_id)
    if found:
        return found
    if await moving.tell_old_address(request, known, account_id=person.account_id):
        return "told"
    roles = links.role_circles(request, mine)
    if not roles:
        return "untold"
    wrong = Text(
        "Another address of somebody in the circle {circles} is told to the old one first, and that"
        " mail could not be sent. She changes it herself under Me → Account.",
        circles=all_of(quoted(circle) for circle in roles),
    )
    return {"email": wrong}


async def _answer(
    request: web.Request, person: Person, shape: Shape, *, status: int = 200
) -> web.StreamResponse:
    async with request.app[DATABASE].reading() as conn:
        known = await queries.profile(conn, account_id=person.account_id)
        if known is None:
            raise web.HTTPNotFound
        sessions = await queries.own_sessions(conn, account_id=person.account_id, token_digest=None)
    return page(
        request,
        "accounts/kept.html",
        status=status,
        person=person,
        profile=shape.typed or known,
        known=known,
        sessions=sessions,
        shape=shape,
        sends_mail=reset.is_possible(request.app),
        valid_hours=reset.VALID_HOURS,
    )
