"""Gives cards to people, in the caller's transaction.

Decides what happens when a card is somebody's already. A card's number is turned into its digest
here and forgotten.
"""

import asyncio

from msgspec import Struct

from console.cards import queries
from console.cards.card import clean_label
from console.cards.queries import OwnerRow
from console.database import Connection
from console.errors import Busy
from console.words import Text
from sync.credential import parse_credential, site_digest
from sync.errors import WireError

TRIES = 3
"""A card may be marked lost between two looks at it; more often than that nobody is so quick."""


class ReadCard(Struct, frozen=True):
    """A card that was typed or seen, ready to be written down. Never shown."""

    credential_type: str
    digest: bytes

    def __repr__(self) -> str:
        return f"ReadCard({self.credential_type})"


class NotACard(Struct, frozen=True):
    """What was typed is no card's number; `words` say what was expected."""

    words: str


class Assigned(Struct, frozen=True):
    """Done."""

    card_id: int


async def read_typed(text: str, *, site_salt: bytes) -> ReadCard | NotACard:
    """Reads `em4100:0102345678`; takes some milliseconds, in a thread."""
    try:
        credential = parse_credential(text)
    except WireError as error:
        return NotACard(str(error))
    if credential.is_random:
        return NotACard(
            Text(
                "4 bytes that begin with 08 are random, others each time, as phones and passports"
                " show them; use a card or fob with a number of its own"
            )
        )
    digest = await asyncio.to_thread(site_digest, credential, site_salt)
    return ReadCard(credential.type.value, digest)


async def assign(
    conn: Connection, card: ReadCard, *, account_id: int, label: str, actor_id: int | None
) -> Assigned | OwnerRow:
    """Gives a card to somebody. An OwnerRow: it is that person's already, and stays so.

    Raises: Busy.
    """
    await queries.free_card_of_nobody(conn, site_digest=card.digest)
    for _ in range(TRIES):
        card_id = await queries.insert_card(
            conn,
            account_id=account_id,
            credential_type=card.credential_type,
            site_digest=card.digest,
            label=clean_label(label),
            actor_id=actor_id,
        )
        if card_id is not None:
            return Assigned(card_id)
        owner = await queries.owner_of_digest(conn, site_digest=card.digest)
        if owner is not None:
            return owner
    raise Busy(Text("This card is being changed by somebody else. Try again."))
