"""Gathers what a tap is explained with: the rights of that time, the card, the verdict, and today.

Which question decided is `console/rights/explain.py`'s.
"""

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from console.access.at_place import AtPlace, accesses_of, person_of
from console.database import Connection
from console.explain import queries
from console.explain.queries import SnapshotRow, TapRow
from console.rights import verdict_queries
from console.rights.explain import CardThen, Explained, Tap, explain, found
from console.rights.facts import Person
from console.rights.publish import KEPT_DAYS
from console.rights.verdict import Verdict
from console.web import times
from sync.credential import entry
from sync.errors import WireError
from sync.events import EventKind, decode_event
from sync.ids import AccountRef, ControllerId, Entry, PointKey, SiteDigest
from sync.rights import Assurance, Right
from sync.signing import SIGNATURE_BYTES
from sync.snapshot import Snapshot, decode_snapshot

_EPOCH = datetime.fromtimestamp(0, UTC)
_MS = timedelta(milliseconds=1)


class TapExplained(Struct, frozen=True):
    """A tap with all that a page says about it.

    `rights` None: it had none, or they are not kept. `right`: what they held for the card.
    `verdict` None: nobody had the card, or it was not kept. `paid_until`: end of the last
    membership before the tap, as the payments of today tell it. `today`: of whoever has the
    card now; None: nobody has it, or the place is gone.
    """

    row: TapRow
    explained: Explained
    rights: SnapshotRow | None
    right: Right | None
    verdict: Verdict | None
    paid_until: datetime | None
    was_assigned_later: bool
    was_lost: bool
    today: AtPlace | None


async def explained_tap(conn: Connection, row: TapRow, *, now_ms: int) -> TapExplained:
    """Explains a tap."""
    told = _as_told(row)
    kept = None
    snapshot = None
    if row.epoch is not None and row.serial is not None:
        kept = await queries.snapshot(
            conn, controller=row.controller, epoch=row.epoch, serial=row.serial
        )
    if kept is not None:
        snapshot = await asyncio.to_thread(_opened, kept, ControllerId(row.controller))
    # A card that was assigned after these rights were made was unknown to the controller still.
    known_at = row.happened_at if kept is None else _within(kept, row.happened_at)
    was_assigned_later = row.card_since is not None and row.card_since > known_at
    was_lost = row.lost_at is not None and row.lost_at <= row.happened_at
    card = CardThen(row.account_id is not None and not was_assigned_later, was_lost)
    verdict = await _verdict(conn, row, known_at)
    person = await _person(conn, row)
    explained = explain(
        told, snapshot, card=card, verdict=verdict, names_rights=row.serial is not None
    )
    return TapExplained(
        row,
        explained,
        kept if snapshot is not None else None,
        None if snapshot is None else found(told, snapshot)[1],
        verdict,
        _paid_until(person, row.happened_at),
        was_assigned_later,
        was_lost,
        await _today(conn, row, person, now_ms),
    )


def _as_told(row: TapRow) -> Tap:
    name: Entry | None = None
    assurance, time_ms = row.assurance or 0, times.ms(row.happened_at)
    try:
        event = decode_event(row.payload.encode("utf-8", "replace"))
        name, time_ms = event.entry, event.stamp.time_ms
    except WireError:
        pass  # It was stored as it is; the columns tell enough.
    if name is None and row.site_digest is not None and row.entry_key is not None:
        name = entry(bytes(row.entry_key), SiteDigest(bytes(row.site_digest)))
    return Tap(
        PointKey(row.point or ""),
        row.reason or "",
        name,
        Assurance(assurance) if assurance in set(Assurance) else Assurance.UID,
        time_ms,
        row.clock_trusted,
        row.kind == EventKind.ACCESS_WITHDRAWN,
    )


def _opened(kept: SnapshotRow, controller: ControllerId) -> Snapshot | None:
    """What was signed; None: it is damaged, or of a form that isn't known any more."""
    payload = bytes(kept.envelope).partition(b"\n")[2][:-SIGNATURE_BYTES]
    if hashlib.sha256(payload).digest() != bytes(kept.digest):
        return None
    try:
        return decode_snapshot(payload, controller)
    except (WireError, ValueError):
        return None


def _within(kept: SnapshotRow, at: datetime) -> datetime:
    """The moment of the facts from which these rights followed: not before they were made, and
    before the next ones were, however late the controller got those."""
    moment = max(at, kept.made_at)
    return moment if kept.next_at is None else max(kept.made_at, min(moment, kept.next_at - _MS))


async def _verdict(conn: Connection, row: TapRow, at: datetime) -> Verdict | None:
    if row.account_id is None or row.point is None:
        return None
    kept = await verdict_queries.at(
        conn, account=AccountRef(row.account_id), moment=at, kept_days=KEPT_DAYS
    )
    return None if kept is None else kept.of(PointKey(row.point))


async def _person(conn: Connection, row: TapRow) -> Person | None:
    return None if row.account_id is None else await person_of(conn, account_id=row.account_id)


def _paid_until(person: Person | None, at: datetime) -> datetime | None:
    at_ms = times.ms(at)
    ends = [paid.end_ms for paid in person.paid if paid.end_ms < at_ms] if person else []
    return _EPOCH + max(ends) * _MS if ends else None


async def _today(
    conn: Connection, row: TapRow, person: Person | None, now_ms: int
) -> AtPlace | None:
    if row.is_anothers_now and row.owner_id is not None:
        person = await person_of(conn, account_id=row.owner_id)
    if person is None:
        return None
    every = await accesses_of(conn, person, now_ms=now_ms)
    return next((one for one in every if one.place.key == row.point), None)
