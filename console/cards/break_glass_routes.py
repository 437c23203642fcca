"""Making a card a break-glass card on its owner's page, or an ordinary one. For admins."""

from aiohttp import web

from console.accounts.queries import Person
from console.cards import queries
from console.cards.break_glass import AllTaken, NotInUse, mark
from console.cards.routes import Typed, person_answer
from console.errors import BadRequest
from console.web.keys import DATABASE
from console.web.requests import ID, form, path_id
from console.web.routing import Route, Who
from console.web.session import author
from console.words import Text

_WANTED = {"yes": True, "no": False}


def routes() -> list[Route]:
    """The one."""
    return [Route("POST", f"/cards/{{card:{ID}}}/break-glass", Who.ADMIN, mark_card)]


async def mark_card(request: web.Request) -> web.StreamResponse:
    """Makes a card a break-glass card, or an ordinary one. What is so already stays so."""
    wanted = _WANTED.get((await form(request)).get("mark", ""))
    if wanted is None:
        raise BadRequest(Text("This form is not one of this page. Reload the page."))
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        owner = await queries.owner_of(conn, card_id=path_id(request, "card"))
        if owner is None:
            raise web.HTTPNotFound
        refused = await mark(conn, card=owner.card_id, is_break_glass=wanted)
    typed = Typed(mistake=_words(refused), marked=owner.card_id) if refused else Typed()
    person = Person(owner.account_id, owner.username, owner.name)
    return await person_answer(request, person, typed)


def _words(refused: NotInUse | AllTaken) -> Text:
    match refused:
        case NotInUse():
            return Text("This card has been reported lost meanwhile: it opens nothing.")
        case AllTaken(rows):
            return Text(
                "There are {n} break-glass cards already, which is all: {names}."
                " Make one of them an ordinary card first.",
                n=len(rows),
                names=", ".join(row.name or row.username for row in rows),
            )
