"""How far a change of a card has got: a line that asks again by itself while it is on its way."""

from collections.abc import Sequence
from datetime import timedelta

from aiohttp import web
from msgspec import Struct

from console.accounts.fields import Field, may_see
from console.cards import queries, reach_queries
from console.cards.card import kind
from console.cards.queries import CardRow, OwnerRow
from console.cards.reach import reach
from console.database import Connection
from console.web import times
from console.web.keys import DATABASE
from console.web.render import fragment
from console.web.requests import ID, path_id
from console.web.routing import Route, Who
from console.web.session import visitor
from console.web.versions import version_of
from console.words import Text

FOLLOWED_FOR = timedelta(minutes=1)
"""What hasn't arrived by then may take days: a controller is offline."""


class CardView(Struct, frozen=True):
    """A card, with what its type is called, and how many controllers know what became of it.

    `reach` None: there are no controllers. `is_followed`: that is still changing.
    """

    row: CardRow
    kind: Text
    reach: Text | None
    is_followed: bool

    @property
    def title(self) -> str:
        """What it is called; one without a label by its number, which the audit has as well."""
        if self.row.label:
            return self.row.label
        return Text("{card} no. {n}", card=self.kind.capital(), n=self.row.card_id)

    @property
    def version(self) -> str:
        """Of what a form shows."""
        return version_of(self.row.label)


def routes() -> list[Route]:
    """The line by itself."""
    return [Route("GET", f"/cards/{{card:{ID}}}/reach", Who.MEMBER, reach_line)]


async def reach_line(request: web.Request) -> web.StreamResponse:
    """For the owner, and whoever sees the cards of others."""
    me = visitor(request)
    async with request.app[DATABASE].reading() as conn:
        owner = await queries.owner_of(conn, card_id=path_id(request, "card"))
        is_hers = owner is not None and owner.account_id == me.account_id
        if owner is None or not may_see(Field.CARDS, me.roles, is_self=is_hers):
            raise web.HTTPNotFound
        card = await view_of(conn, owner)
    if card is None:
        raise web.HTTPNotFound
    return fragment(request, "cards/reach.html", card=card)


async def view_of(conn: Connection, owner: OwnerRow) -> CardView | None:
    """The card of its owner. None: it is hers no more."""
    rows = await queries.cards_of(conn, account_id=owner.account_id)
    views = await views_of(conn, [row for row in rows if row.card_id == owner.card_id])
    return views[0] if views else None


async def views_of(conn: Connection, rows: Sequence[CardRow]) -> list[CardView]:
    """Cards, as they are shown."""
    controllers, now = await reach_queries.controllers(conn), times.now()
    views: list[CardView] = []
    for row in rows:
        changed_at, is_lost = row.lost_at or row.created_at, row.lost_at is not None
        far = reach(changed_at, controllers, now)
        words = far.words(is_lost=is_lost, now=now) if controllers else None
        is_followed = bool(far.waits) and now - changed_at < FOLLOWED_FOR
        views.append(CardView(row, kind(row.credential_type), words, is_followed))
    return views
