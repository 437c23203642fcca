"""`p2k16-console cards assign`: a card given to somebody at the server's prompt."""

from console.accounts import queries as accounts
from console.cards.assignment import Assigned, NotACard, assign, read_typed
from console.cards.card import clean_label, label_mistake
from console.database import Database, at_prompt
from console.errors import BadRequest
from console.words import Text


async def assign_card(
    database: Database, site_salt: bytes, *, username: str, credential_text: str, label: str
) -> int:
    """Gives the card `credential_text` (`em4100:0102345678`) to `username`; returns the card's id.

    Raises: BadRequest when the account or the card can't be had; DatabaseUnavailable.
    """
    card = await read_typed(credential_text, site_salt=site_salt)
    if isinstance(card, NotACard):
        raise BadRequest(card.words)
    too_long = label_mistake(clean_label(label))
    if too_long is not None:
        raise BadRequest(Text("Label: {why}", why=too_long))
    async with database.writing(by=at_prompt("cards assign")) as conn:
        found = await accounts.people_called(conn, text=f"@{username}")
        if len(found) != 1 or found[0].username.lower() != username.lower():
            raise BadRequest(f"No such account: {username}")
        system = await accounts.system_account(conn)
        outcome = await assign(
            conn, card, account_id=found[0].account_id, label=label, actor_id=system
        )
    match outcome:
        case Assigned():
            return outcome.card_id
        case owner:
            raise BadRequest(f"This card is {owner.username}'s already")
