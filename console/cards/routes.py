"""Pages of cards: those of one person, and those that nobody has yet."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from msgspec import Struct

from console.accounts.finding import one_called, person_or_404
from console.accounts.queries import Person
from console.cards import queries
from console.cards.assignment import Assigned, NotACard, ReadCard, assign, read_typed
from console.cards.card import LABEL_CHARACTERS_MAX, clean_label, kind, label_mistake
from console.cards.queries import OwnerRow
from console.cards.reach_routes import CardView, view_of, views_of
from console.circles.contacts import Contacts, contacts_in
from console.database import Connection
from console.web.keys import DATABASE, SETTINGS, SITE_SALT
from console.web.render import fragment, page
from console.web.requests import ID, form, is_htmx, path_id
from console.web.routing import Route, Who
from console.web.session import author, visitor
from console.web.versions import CHANGED_MEANWHILE, version_of
from console.words import Text
from sync.rights import BREAK_GLASS_MAX

UNKNOWN_DAYS = 30
UNKNOWN_MAX = 12

OWN = "/me/cards"
"""Where people find their own cards."""

_PERSON = f"/members/{{account:{ID}}}"
_CARD = f"/cards/{{card:{ID}}}"


class PersonCards(Struct, frozen=True):
    """The cards of a person. `may_assign`: for admins; `may_change`: for the owner, too.

    `may_enrol`: the visitor has none, and can get her first one by herself. `ask`: who assigns
    cards; None: the visitor does.
    """

    person: Person
    cards: list[CardView]
    may_assign: bool
    may_change: bool
    may_enrol: bool
    ask: Contacts | None

    @property
    def break_glass_max(self) -> int:
        """How many break-glass cards there may be, all together."""
        return BREAK_GLASS_MAX


class Typed(Struct, frozen=True):
    """What stood in the form that was refused, and why. A card's number is never given back.

    `renamed`, `marked`: the card that was to get another label, or to become a break-glass card;
    both None: the form was that of a new card.
    """

    label: str = ""
    mistake: str | None = None
    renamed: int | None = None
    marked: int | None = None


class TypedOwner(Struct, frozen=True):
    """The same for an unknown card: `event_id` names the one that the form was about."""

    event_id: int = 0
    username: str = ""
    label: str = ""
    mistake: str | None = None
    done: OwnerRow | None = None


def routes() -> list[Route]:
    """Everything below /cards, and giving a card to a person."""
    return [
        Route("GET", "/cards/unknown", Who.ADMIN, unknown_page),
        Route("POST", f"/cards/unknown/{{event:{ID}}}/assignment", Who.ADMIN, assign_unknown),
        Route("POST", f"{_PERSON}/cards", Who.ADMIN, assign_typed),
        Route("POST", f"{_CARD}/loss", Who.MEMBER, report_loss),
        Route("POST", f"{_CARD}/label", Who.MEMBER, change_label),
    ]


async def unknown_page(request: web.Request) -> web.StreamResponse:
    """Cards that were tapped and that nobody has."""
    return await _unknown_answer(request, TypedOwner(), status=200)


async def assign_unknown(request: web.Request) -> web.StreamResponse:
    """Gives an unknown card to the person whose name was typed."""
    fields = await form(request)
    typed = TypedOwner(
        event_id=path_id(request, "event"),
        username=fields.get("username", "").strip(),
        label=clean_label(fields.get("label", "")),
    )
    too_long = label_mistake(typed.label)
    if too_long is not None:
        refused = TypedOwner(typed.event_id, typed.username, typed.label, _of_label(too_long))
        return await _unknown_answer(request, refused, status=422)
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        outcome = await _assign_seen(conn, typed, actor_id=visitor(request).account_id)
    if isinstance(outcome, OwnerRow):
        if not is_htmx(request):
            raise web.HTTPSeeOther("/cards/unknown")
        return await _unknown_answer(request, TypedOwner(done=outcome), status=200)
    refused = TypedOwner(typed.event_id, typed.username, typed.label, mistake=outcome)
    return await _unknown_answer(request, refused, status=422)


async def assign_typed(request: web.Request) -> web.StreamResponse:
    """Gives the card whose number was typed to the person of the page."""
    fields = await form(request)
    label = clean_label(fields.get("label", ""))
    card = await read_typed(fields.get("credential", ""), site_salt=request.app[SITE_SALT])
    mistake: str | None = None
    if isinstance(card, NotACard):
        mistake = Text("Not a card's number: {why}.", why=card.words)
    elif too_long := label_mistake(label):
        mistake = _of_label(too_long)
    else:
        async with request.app[DATABASE].writing(by=author(request)) as conn:
            person = await person_or_404(conn, request)
            outcome = await assign(
                conn,
                card,
                account_id=person.account_id,
                label=label,
                actor_id=visitor(request).account_id,
            )
        if isinstance(outcome, OwnerRow):
            mistake = taken(outcome, person)
    async with request.app[DATABASE].reading() as conn:
        person = await person_or_404(conn, request)
    return await person_answer(request, person, Typed(label if mistake else "", mistake))


async def report_loss(request: web.Request) -> web.StreamResponse:
    """Makes a card stop opening anything: its owner may, and admins."""
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        owner = await _own_card(conn, request)
        await queries.mark_lost(conn, card_id=owner.card_id, actor_id=visitor(request).account_id)
    return await person_answer(request, _person(owner), Typed())


async def change_label(request: web.Request) -> web.StreamResponse:
    """Renames a card, unless somebody else has meanwhile: its owner may, and admins."""
    fields = await form(request)
    label = clean_label(fields.get("label", ""))
    typed, too_long = Typed(), label_mistake(label)
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        owner = await _own_card(conn, request)
        known = await queries.locked_label(conn, card_id=owner.card_id)
        if known is not None and label != known:
            if too_long:
                typed = Typed(label, _of_label(too_long), renamed=owner.card_id)
            elif fields.get("version") == version_of(known):
                await queries.set_label(conn, card_id=owner.card_id, label=label)
            else:
                typed = Typed(mistake=CHANGED_MEANWHILE, renamed=owner.card_id)
    return await person_answer(request, _person(owner), typed)


async def unknown_context(conn: Connection, typed: TypedOwner) -> Mapping[str, Any]:
    """What the list of unknown cards shows."""
    rows = await queries.unknown_cards(conn, days=UNKNOWN_DAYS, limit=UNKNOWN_MAX)
    return {
        "unknown": [(row, kind(row.credential_type)) for row in rows],
        "typed": typed,
        "given": await view_of(conn, typed.done) if typed.done else None,
        "is_listed": any(row.event_id == typed.event_id for row in rows),
        "label_max": LABEL_CHARACTERS_MAX,
        "most": UNKNOWN_MAX,
    }


async def person_cards(request: web.Request, conn: Connection, person: Person) -> PersonCards:
    """What the section "Cards" of a person's page shows, to whoever may see it."""
    me = visitor(request)
    rows = await queries.cards_of(conn, account_id=person.account_id)
    is_own = me.account_id == person.account_id
    admins = request.app[SETTINGS].roles.admin_circle
    return PersonCards(
        person=person,
        cards=await views_of(conn, rows),
        may_assign=me.is_admin,
        may_change=me.is_admin or is_own,
        may_enrol=is_own and not rows and await queries.is_enrolled_at_some_door(conn),
        ask=None if me.is_admin else await contacts_in(conn, admins),
    )


def taken(owner: OwnerRow, person: Person) -> Text:
    """Why a card can't be given: whose it is."""
    if owner.account_id == person.account_id:
        return Text("This card is {name}'s already.", name=owner.shown_name)
    return Text(
        "This card is {name}'s. If it changed hands, mark it lost there first.",
        name=owner.shown_name,
    )


async def _assign_seen(conn: Connection, typed: TypedOwner, *, actor_id: int) -> OwnerRow | str:
    """Whose the card is now, or why it was not given."""
    seen = await queries.seen_card(conn, event_id=typed.event_id)
    if seen is None:
        return Text("This tap is not one of an unknown card. Reload the page.")
    person = await one_called(conn, typed.username)
    if isinstance(person, Text):
        return person
    card = ReadCard(seen.credential_type, seen.site_digest)
    outcome = await assign(
        conn, card, account_id=person.account_id, label=typed.label, actor_id=actor_id
    )
    match outcome:
        case Assigned():
            return OwnerRow(outcome.card_id, person.account_id, person.username, person.name)
        case owner:
            return taken(owner, person)


async def _own_card(conn: Connection, request: web.Request) -> OwnerRow:
    """The card of the path, if the visitor may change it. Raises: HTTPNotFound.

    Somebody else's card is answered like one that doesn't exist.
    """
    owner = await queries.owner_of(conn, card_id=path_id(request, "card"))
    me = visitor(request)
    if owner is None or not (me.is_admin or me.account_id == owner.account_id):
        raise web.HTTPNotFound
    return owner


def _of_label(mistake: Text) -> Text:
    return Text("Label: {why}", why=mistake)


def _person(owner: OwnerRow) -> Person:
    return Person(owner.account_id, owner.username, owner.name)


async def person_answer(request: web.Request, person: Person, typed: Typed) -> web.StreamResponse:
    """The cards of a person, after something was done with one or refused."""
    status = 422 if typed.mistake else 200
    me = visitor(request)
    if status == 200 and not is_htmx(request):
        is_own = person.account_id == me.account_id
        raise web.HTTPSeeOther(OWN if is_own else f"/members/{person.account_id}")
    async with request.app[DATABASE].reading() as conn:
        hers = await person_cards(request, conn, person)
    context: Mapping[str, Any] = {
        "cards": hers,
        "typed_card": typed,
        "label_max": LABEL_CHARACTERS_MAX,
    }
    if is_htmx(request):
        return fragment(request, "cards/of_person.html", status=status, **context)
    return page(request, "cards/of_person_page.html", status=status, **context)


async def _unknown_answer(
    request: web.Request, typed: TypedOwner, *, status: int
) -> web.StreamResponse:
    async with request.app[DATABASE].reading() as conn:
        context = await unknown_context(conn, typed)
    if is_htmx(request):
        return fragment(request, "cards/unknown_list.html", status=status, **context)
    return page(request, "cards/unknown.html", status=status, **context)
