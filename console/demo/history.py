"""A month of taps as the controllers' own journals: numbered, chained, signed.

So they go the way that every event goes, and what follows from an event (the row for the old web
application, a first badge) comes to be as in real life. Each tap is decided by the same rule as at
a door, on the rights that the controller had been sent by then. Pure.
"""

import random
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from console.demo.makerspace import POINTS, credential_of
from console.demo.month import SEED, Tap
from console.demo.queries import CardRow
from sync.bundle import Bundle
from sync.credential import CredentialType, entry, site_digest
from sync.envelope import CONSOLE, Kind, seal
from sync.events import (
    Batch,
    EventKind,
    Occurrence,
    Stamp,
    encode_batch,
    encode_event,
    event_hash,
    genesis,
)
from sync.ids import BootId, ControllerId, JournalId, SiteDigest, TapId
from sync.rights import Assurance, Moment, decide
from sync.sealing import seal as seal_digest
from sync.snapshot import Snapshot

BATCH_EVENTS = 25
"""In life an event is sent at once; but so the demo starts sooner."""
DECISION_MS = 31
"""From the last byte to the record; any believable number."""


class Sent(Struct, frozen=True):
    """A signed batch of events, and when it was sent: after the last of them."""

    controller: ControllerId
    at: datetime
    envelope: bytes


def batches(
    bundle: Bundle,
    taps: Sequence[Tap],
    rights: Sequence[Snapshot],
    cards: Sequence[CardRow],
    since: datetime,
) -> Iterator[Sent]:
    """What one controller sent, oldest first. `since`: when it was started. `rights`: what it was
    sent, oldest first.
    """
    chance = random.Random(f"{SEED} {bundle.controller}")  # noqa: S311 nothing here is secret
    journal, boot = JournalId(_hex(chance)), BootId(_hex(chance))
    keys = {point.key for point in POINTS if point.controller == bundle.controller}
    happened: list[tuple[datetime, Occurrence]] = [
        (since, Occurrence(EventKind.CONTROLLER_STARTED))
    ]
    witness = _Witness(bundle, rights, cards, chance)
    happened += [(tap.at, witness.of(tap)) for tap in taps if tap.door in keys]
    lines: list[bytes] = []
    previous = genesis(bundle.controller, journal)
    for seq, (at, occurrence) in enumerate(happened, start=1):
        time_ms = milliseconds(at) + DECISION_MS
        stamp = Stamp(seq, boot, time_ms - milliseconds(since), time_ms, True, time_ms, previous)
        line = encode_event(occurrence, stamp)
        previous = event_hash(line)
        lines.append(line)
    for first in range(0, len(lines), BATCH_EVENTS):
        some = tuple(lines[first : first + BATCH_EVENTS])
        payload = encode_batch(Batch(journal, first + 1, first + 1, some))
        at = happened[first + len(some) - 1][0] + timedelta(seconds=1)
        envelope = seal(Kind.EVENTS, CONSOLE, payload, seed=bundle.private_key)
        yield Sent(bundle.controller, at, envelope)


class _Witness:
    """Says what one controller recorded of a tap."""

    def __init__(
        self,
        bundle: Bundle,
        rights: Sequence[Snapshot],
        cards: Sequence[CardRow],
        chance: random.Random,
    ) -> None:
        self._bundle = bundle
        self._rights = rights
        self._chance = chance
        self._digests = {
            (row.username, number): SiteDigest(row.site_digest) for row, number in _numbered(cards)
        }

    def of(self, tap: Tap) -> Occurrence:
        """Granted or denied, by the rule."""
        digest = self._digest(tap)
        name = entry(self._bundle.entry_key, digest)
        time_ms = milliseconds(tap.at)
        sent = bisect_right(self._rights, time_ms, key=lambda rights: rights.made_at_ms)
        rights = self._rights[max(0, sent - 1)]
        right = rights.entries.get(name)
        moment = Moment(time_ms, is_trusted=True)
        decision = decide(rights.points.get(tap.door), right, Assurance.UID, moment)
        sealed = None
        if right is None:
            seed = self._chance.randbytes(32)
            sealed = seal_digest(digest, self._bundle.sealing_public_key, ephemeral_seed=seed)
        return Occurrence(
            EventKind.ACCESS_GRANTED if decision.is_allowed else EventKind.ACCESS_DENIED,
            point=tap.door,
            tap=TapId(_hex(self._chance)),
            credential=CredentialType.EM4100,
            entry=None if right is None else name,
            member=None if right is None else right.member,
            sealed=sealed,
            assurance=Assurance.UID,
            reason=decision.reason,
            epoch=rights.epoch,
            serial=rights.serial,
        )

    def _digest(self, tap: Tap) -> SiteDigest:
        key = (tap.username or "", tap.number)
        if key not in self._digests:  # a card that nobody has
            card = credential_of(tap.username, tap.number)
            self._digests[key] = site_digest(card, self._bundle.site_salt)
        return self._digests[key]


def milliseconds(at: datetime) -> int:
    """Unix time."""
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def _numbered(cards: Iterable[CardRow]) -> Iterator[tuple[CardRow, int]]:
    """Each card with its number among its owner's."""
    counts: dict[str, int] = {}
    for row in cards:
        number = counts.get(row.username, 0)
        counts[row.username] = number + 1
        yield row, number


def _hex(chance: random.Random) -> str:
    return chance.randbytes(16).hex()
