"""Begins claims, and gives a card to whoever waits for it.

A tap is weighed after its event is stored, in a transaction of its own: whatever goes wrong here
keeps no event from being acknowledged, and leaves the card nobody's.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import psycopg
import structlog
from msgspec import Struct

from console.cards.assignment import Assigned, ReadCard, assign
from console.controllers.reports import is_offline
from console.database import Author, Connection, Database
from console.errors import Busy, DatabaseUnavailable
from console.first_card import queries
from console.first_card.claim import (
    CLAIMS_PER_HOUR_MAX,
    HOLDS,
    Claim,
    Doubt,
    Note,
    Take,
    Tap,
    Tell,
    weigh,
)
from console.words import Text

log = structlog.get_logger()

DOING = "first card at a door"
"""What the audit says was being done."""
HAS_A_CARD = Text(
    "You have a card already, or had one. Ask an admin for another: she assigns it to you."
)


class Refused(Struct, frozen=True):
    """Why no claim was begun."""

    words: str


async def begin(
    conn: Connection, *, account_id: int, door: str, code: str, now: datetime
) -> Refused | None:
    """She waits at the door from now on; None: done, or she did already."""
    await queries.lock_claims(conn)
    if await queries.has_or_had_a_card(conn, account_id=account_id):
        return Refused(HAS_A_CARD)
    found = {row.key: row for row in await queries.doors_for_first_cards(conn)}.get(door)
    if found is None:
        return Refused(Text("Cards can't be enrolled at this door. Choose another."))
    for row in await queries.waiting_claims(conn, now=now):
        if row.account_id == account_id:
            if row.door == door:
                return None
            return Refused(Text("You wait at {door} already. Stop that first.", door=row.door_name))
        if row.door == door:
            return Refused(Text("Somebody else is enrolling a card there. Try again in a minute."))
    if not found.is_trusted or is_offline(found.received_at, now):
        return Refused(
            Text("{door} doesn't answer now, so no card can be read there.", door=found.name)
        )
    since = now - timedelta(hours=1)
    if await queries.count_claims(conn, account_id=account_id, since=since) >= CLAIMS_PER_HOUR_MAX:
        return Refused(Text("That was often enough for an hour. Ask an admin to assign your card."))
    await queries.add_claim(conn, account_id=account_id, door=door, code=code, now=now, holds=HOLDS)
    return None


class FirstCards:
    """Hears of taps as they are stored."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def tapped(self, event_ids: Sequence[int]) -> None:
        """Cards were held to readers. What fails is logged: the card stays nobody's."""
        try:
            async with self._database.reading() as conn:
                taps = await queries.taps_at_claims(conn, event_ids=event_ids)
            for door in sorted({tap.door for tap in taps if tap.door is not None}):
                await self._answer(door, [tap for tap in taps if tap.door == door])
        except (DatabaseUnavailable, Busy, psycopg.Error) as error:
            log.warning("first_card.not_assigned", error=type(error).__name__)

    async def _answer(self, door: str, taps: Sequence[Tap]) -> None:
        async with self._database.reading() as conn:
            claim = await _only_claim(conn, door, taps)
        if claim is None:
            return
        by = Author(claim.account_id, None, DOING)
        async with self._database.writing(by=by) as conn:
            await queries.lock_claims(conn)
            if await _only_claim(conn, door, taps) != claim:
                return
            match weigh(claim, taps):
                case Take() as card:
                    await _take(conn, claim, card)
                case Tell(note):
                    await queries.set_note(conn, claim_id=claim.claim_id, note=note)
                case Doubt():
                    await queries.end_claim(conn, claim_id=claim.claim_id, outcome="doubtful")
                case None:
                    pass


async def _only_claim(conn: Connection, door: str, taps: Sequence[Tap]) -> Claim | None:
    """The claim that holds at the door as the taps came; None: not exactly one does."""
    now = max(tap.received_at for tap in taps)
    rows = [row for row in await queries.waiting_claims(conn, now=now) if row.door == door]
    return rows[0].claim() if len(rows) == 1 else None


async def _take(conn: Connection, claim: Claim, card: Take) -> None:
    has_card = await queries.has_or_had_a_card(conn, account_id=claim.account_id)
    if has_card or not await queries.is_marked(conn, key=claim.door):
        await queries.end_claim(conn, claim_id=claim.claim_id, outcome="doubtful")
        return
    if await queries.was_ever_given(conn, site_digest=card.site_digest):
        await queries.set_note(conn, claim_id=claim.claim_id, note=Note.LOST)
        return
    outcome = await assign(
        conn,
        ReadCard(card.credential_type, card.site_digest),
        account_id=claim.account_id,
        label="",
        actor_id=claim.account_id,
    )
    if isinstance(outcome, Assigned):
        log.info("first_card.assigned", account=claim.account_id, door=claim.door)
        await queries.end_claim(
            conn, claim_id=claim.claim_id, outcome="assigned", card=outcome.card_id
        )
