"""Which tap at a door makes a card somebody's first. Pure.

Anybody can tap an unknown card at a door. So a claim holds for a minute and at one door, only one
person at a time has one there, and whatever leaves a doubt assigns nothing: see
docs/decisions/0024.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from sync.events import EventKind
from sync.rights import Reason

HOLDS = timedelta(minutes=1)
CLAIMS_PER_HOUR_MAX = 10
"""Of one person: she keeps others from enrolling there."""


class Note(StrEnum):
    """What was held to the reader instead of a card that can become hers."""

    TAKEN = "taken"
    """A card that somebody has."""
    LOST = "lost"
    """A card that somebody had, and lost."""
    RANDOM = "random"
    """A phone or passport, which shows another number each time."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody waits at a door for her card to be read."""

    claim_id: int
    account_id: int
    door: str
    began_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Tap:
    """A tap at a door, as it was stored. `at`: when; without a trusted clock when it arrived.

    `account_id` None: nobody has or had the card. `site_digest` None: known, or not told.
    """

    event_id: int
    door: str | None
    kind: str
    reason: str | None
    account_id: int | None
    credential_type: str | None
    at: datetime
    received_at: datetime
    site_digest: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Take:
    """The card that may become hers."""

    credential_type: str
    site_digest: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Tell:
    """Nothing yet; she is told what was held there."""

    note: Note


@dataclass(frozen=True, slots=True)
class Doubt:
    """Several unknown cards: nobody can say which is hers. The claim ends."""


Weighed = Take | Tell | Doubt | None


def is_live(claim: Claim, tap: Tap) -> bool:
    """Whether the tap was made, and came here, while the claim held at its door."""
    return (
        tap.door == claim.door
        and claim.began_at <= tap.at <= claim.ends_at
        and claim.began_at <= tap.received_at <= claim.ends_at
    )


def weigh(claim: Claim, taps: Sequence[Tap]) -> Weighed:
    """What taps that came together mean for the claim; None: nothing."""
    live = [tap for tap in taps if is_live(claim, tap)]
    new = {card for card in map(_new_card, live) if card is not None}
    if len(new) > 1:
        return Doubt()
    if new:
        return new.pop()
    notes = [note for note in map(_note, live) if note is not None]
    return Tell(notes[-1]) if notes else None


def _new_card(tap: Tap) -> Take | None:
    is_unknown = tap.kind == EventKind.ACCESS_DENIED and tap.reason == Reason.UNKNOWN_CARD
    if not is_unknown or tap.account_id is not None:
        return None
    if tap.site_digest is None or tap.credential_type is None:
        return None
    return Take(tap.credential_type, tap.site_digest)


def _note(tap: Tap) -> Note | None:
    if tap.reason == Reason.RANDOM_UID:
        return Note.RANDOM
    if tap.account_id is None:
        return None
    # No controller knows a lost card, but the console does.
    return Note.LOST if tap.reason == Reason.UNKNOWN_CARD else Note.TAKEN
