"""Which few cards work however old a controller's rights are: marked on pages, or by
`p2k16-console cards break-glass`.
"""

from collections.abc import Sequence

from msgspec import Struct

from console.accounts import queries as accounts
from console.cards import break_glass_queries as queries
from console.cards.break_glass_queries import BreakGlassRow, CalledRow
from console.database import Connection, Database, at_prompt
from console.errors import BadRequest
from sync.rights import BREAK_GLASS_MAX


class NotInUse(Struct, frozen=True):
    """The card is lost, or there is none."""


class AllTaken(Struct, frozen=True):
    """There are as many as there may be: these."""

    rows: Sequence[BreakGlassRow]


async def mark(conn: Connection, *, card: int, is_break_glass: bool) -> NotInUse | AllTaken | None:
    """Marks a card, or takes the mark away; None: it is so, however often it is asked for."""
    if not is_break_glass:
        await queries.free(conn, card=card)
        return None
    if not await queries.locked_in_use(conn, card=card):
        return NotInUse()
    if await queries.occupy(conn, card=card):
        return None
    return AllTaken(await queries.break_glass_cards(conn))


async def set_break_glass(
    database: Database, *, username: str, card: str, is_break_glass: bool
) -> str:
    """Marks a card of `username`'s, which is named by label or number, or takes the mark away.

    Gives the card's name. Raises: BadRequest, which names what there is; DatabaseUnavailable.
    """
    async with database.writing(by=at_prompt("cards break-glass")) as conn:
        found = await accounts.people_called(conn, text=f"@{username}")
        if len(found) != 1 or found[0].username.lower() != username.lower():
            raise BadRequest(f"No such account: {username}")
        cards = await queries.cards_in_use(conn, account_id=found[0].account_id)
        row = _the_card(cards, card, username)
        match await mark(conn, card=row.card_id, is_break_glass=is_break_glass):
            case None:
                pass
            case NotInUse():
                raise BadRequest(f"{username} has just lost this card")
            case AllTaken(rows):
                raise BadRequest(_full(rows))
    return _name(row)


def _the_card(cards: Sequence[CalledRow], text: str, username: str) -> CalledRow:
    by_number = [row for row in cards if str(row.card_id) == text]
    called = by_number or [row for row in cards if row.label.lower() == text.strip().lower()]
    if len(called) == 1:
        return called[0]
    if not cards:
        raise BadRequest(f"{username} has no card")
    listed = ", ".join(_name(row) for row in called or cards)
    if called:
        raise BadRequest(f"{username} has several cards “{text}”: give the number, {listed}")
    raise BadRequest(f"{username} has no card “{text}”; there are: {listed}")


def _full(rows: Sequence[BreakGlassRow]) -> str:
    listed = ", ".join(f"{row.username} {row.label or row.card_id}" for row in rows)
    return f"there are {BREAK_GLASS_MAX} break-glass cards already, which is all: {listed}"


def _name(row: CalledRow) -> str:
    return f"{row.card_id} “{row.label}”" if row.label else str(row.card_id)
