"""`/me/cards`: my cards, and how I get the first one by myself; and the mark of a door for that.

Decides what the page says at each step. Which tap counts is in `claim.py`.
"""

import secrets
from datetime import timedelta
from math import ceil

from aiohttp import web
from msgspec import Struct

from console.accounts import queries as accounts
from console.cards.card import LABEL_CHARACTERS_MAX, clean_label, label_mistake
from console.cards.routes import OWN, Typed, person_cards
from console.database import Connection
from console.first_card import queries
from console.first_card.claim import Note
from console.first_card.enrolling import Refused, begin
from console.first_card.queries import ClaimRow, DoorRow
from console.web import times
from console.web.keys import DATABASE
from console.web.numbers import read_id
from console.web.render import fragment, page
from console.web.requests import form, is_htmx
from console.web.routing import Route, Who
from console.web.session import author, visitor
from console.words import Text

TOLD_FOR = timedelta(minutes=10)
"""So long a page says that a minute passed without a card."""
NOTES = {
    Note.TAKEN: Text(
        "The card that was just held there is somebody's already. If it was yours, ask an admin."
    ),
    Note.LOST: Text(
        "The card that was just held there was somebody's who lost it. Give it to an admin."
    ),
    Note.RANDOM: Text(
        "That was a phone or a passport: it shows another number each time. Use a card or a fob."
    ),
}


class Step(Struct, frozen=True):
    """Where somebody is on the way to her first card.

    `claim`: the one that waits, or whose card she is asked about. `told`: what became of the last.
    `seconds`: until the claim ends.
    """

    may_begin: bool
    doors: tuple[DoorRow, ...]
    claim: ClaimRow | None = None
    asks: bool = False
    seconds: int = 0
    note: str = ""
    told: str = ""
    mistake: str = ""


def routes() -> list[Route]:
    """Below /me/cards; and of a door, whether cards can be enrolled there."""
    return [
        Route("GET", OWN, Who.MEMBER, own_cards),
        Route("POST", f"{OWN}/first", Who.MEMBER, begin_claim),
        Route("POST", f"{OWN}/first/end", Who.MEMBER, end_claim),
        Route("POST", f"{OWN}/first/answer", Who.MEMBER, answer_claim),
        Route("POST", "/doors/{door:[a-z0-9-]{1,32}}/first-cards", Who.ADMIN, mark_door),
    ]


async def own_cards(request: web.Request) -> web.StreamResponse:
    """The visitor's cards; without one, how she gets it."""
    return await _answer(request)


async def begin_claim(request: web.Request) -> web.StreamResponse:
    """The visitor stands at the door of the form."""
    door = (await form(request)).get("door", "")
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        refused = await begin(
            conn,
            account_id=visitor(request).account_id,
            door=door,
            code=f"{secrets.randbelow(10_000):04}",
            now=times.now(),
        )
    return await _answer(request, refused, is_done=refused is None)


async def end_claim(request: web.Request) -> web.StreamResponse:
    """She doesn't want to wait any longer."""
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        await queries.give_up(conn, account_id=visitor(request).account_id)
    return await _answer(request, is_done=True)


async def answer_claim(request: web.Request) -> web.StreamResponse:
    """Whether the card was hers. If not, it is nobody's again, or lost if it was used."""
    fields = await form(request)
    claim_id, account_id = read_id(fields.get("claim", "")), visitor(request).account_id
    is_hers = fields.get("mine") == "yes"
    if claim_id is None or fields.get("mine") not in {"yes", "no"}:
        refused = Refused(Text("This form is not one of ours. Reload the page."))
        return await _answer(request, refused)
    label = clean_label(fields.get("label", ""))
    too_long = label_mistake(label)
    if is_hers and too_long is not None:
        return await _answer(request, Refused(Text("Label: {why}", why=too_long)))
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        await queries.lock_claims(conn)
        card = await queries.answer(conn, account_id=account_id, claim_id=claim_id)
        if card is not None and is_hers:
            await queries.name_card(conn, card=card, label=label)
        elif card is not None:
            await queries.remove_card(conn, card=card, account_id=account_id)
    return await _answer(request, is_done=True)


async def mark_door(request: web.Request) -> web.StreamResponse:
    """Members can enrol their first card at this door, or can't any more."""
    key = request.match_info["door"]
    takes = (await form(request)).get("takes", "")
    if takes not in {"yes", "no"}:
        raise web.HTTPBadRequest
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        if not await queries.mark(conn, key=key, takes=takes == "yes"):
            raise web.HTTPNotFound
    raise web.HTTPSeeOther(f"/doors/{key}#first-cards")


async def _answer(
    request: web.Request, refused: Refused | None = None, *, is_done: bool = False
) -> web.StreamResponse:
    if is_done and not is_htmx(request):
        raise web.HTTPSeeOther(OWN)
    me = visitor(request)
    async with request.app[DATABASE].reading() as conn:
        person = await accounts.person(conn, account_id=me.account_id)
        if person is None:
            raise web.HTTPNotFound
        step = await _step(conn, me.account_id, refused.words if refused else "")
        hers = await person_cards(request, conn, person)
        mark = await queries.claims_mark(conn)
    shows_part = is_htmx(request) and request.method == "POST"
    return (fragment if shows_part else page)(
        request,
        "first_card/step.html" if shows_part else "first_card/cards.html",
        status=422 if refused else 200,
        step=step,
        mark=mark,
        cards=hers,
        typed_card=Typed(),
        label_max=LABEL_CHARACTERS_MAX,
    )


async def _step(conn: Connection, account_id: int, mistake: str) -> Step:
    now = times.now()
    doors = tuple(await queries.doors_for_first_cards(conn))
    claim = await queries.latest_claim(conn, account_id=account_id)
    if await queries.has_or_had_a_card(conn, account_id=account_id):
        asks = claim is not None and claim.is_asked
        return Step(False, doors, claim=claim if asks else None, asks=asks, mistake=mistake)
    if claim is not None and claim.outcome is None and claim.ends_at >= now:
        seconds = ceil((claim.ends_at - now).total_seconds())
        note = NOTES[Note(claim.note)] if claim.note else ""
        return Step(False, doors, claim=claim, seconds=seconds, note=note, mistake=mistake)
    told = ""
    if claim is not None and now - claim.ends_at < TOLD_FOR:
        told = _told(claim)
    return Step(True, doors, told=told, mistake=mistake)


def _told(claim: ClaimRow) -> str:
    match claim.outcome:
        case None:
            return Text("The minute is over, and no new card was read. Try again.")
        case "doubtful":
            return Text(
                "Several new cards were held to the reader, so none was assigned. Try again, alone."
            )
        case _:
            return ""
