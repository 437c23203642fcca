"""Where a batch of events belongs in a journal: what is new, what is there, what can't be. Pure.

A journal has one history. Two events under one number, or an event that follows another one than
the one we hold, mean that two devices claim one identity or that one was set back: a fork.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sync.errors import WireError
from sync.events import Batch, Event, decode_event, event_hash

UNREADABLE = "unreadable"
"""Kind of an event that can't be read. It is kept, and the journal goes on."""


@dataclass(frozen=True, slots=True)
class Head:
    """How far a journal is stored, and the hash that the next event must name.

    `hash` None: what comes next can't be checked, because the event before it was unreadable.
    """

    seq: int
    hash: bytes | None


@dataclass(frozen=True, slots=True)
class Line:
    """One event as it came. `event` None: it can't be read."""

    seq: int
    hash: bytes
    text: bytes = field(repr=False)
    event: Event | None


@dataclass(frozen=True, slots=True)
class Append:
    """`lines` continue the journal, after `missing` events that nobody has any more."""

    lines: tuple[Line, ...]
    missing: int


@dataclass(frozen=True, slots=True)
class NothingNew:
    """All of it is stored, or something before it is missing that the controller still has."""


@dataclass(frozen=True, slots=True)
class Fork:
    """The event with this number contradicts what is stored."""

    seq: int


Placed = Append | NothingNew | Fork


def place(batch: Batch, head: Head, stored: Mapping[int, bytes]) -> Placed:
    """Finds the batch's place. `stored`: hashes of what is stored, at least of the batch's part."""
    lines = [
        Line(seq, event_hash(text), text, _read(text, seq))
        for seq, text in enumerate(batch.lines, start=batch.first_seq)
    ]
    for line in lines:
        if stored.get(line.seq, line.hash) != line.hash:
            return Fork(line.seq)
    missing = max(0, batch.first_seq - head.seq - 1)
    if missing and batch.first_seq != batch.oldest_seq:
        return NothingNew()
    new = tuple(line for line in lines if line.seq > head.seq)
    expected = None if missing else head.hash
    for line in new:
        if line.event is None:
            # It names its predecessor illegibly, and its successor may name what it once was.
            expected = None
            continue
        if expected is not None and line.event.stamp.previous != expected:
            return Fork(line.seq)
        expected = line.hash
    return Append(new, missing) if new else NothingNew()


def _read(text: bytes, seq: int) -> Event | None:
    try:
        event = decode_event(text)
    except WireError:
        return None
    return event if event.stamp.seq == seq else None
