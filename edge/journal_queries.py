"""SQL of the journal: where it stands, what it holds. Never commits, never writes."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from edge.clock import Instant
from sync.events import BATCH_BYTES_MAX, BATCH_EVENTS_MAX, Batch, EventKind, Occurrence
from sync.ids import JournalId

LATE_EVENTS_MAX = 1_000
"""How far back an answer is looked for that was recorded too late."""

BATCH_HEADER_BYTES_MAX = 200

_GRANTED = tuple(
    f'"kind":"{kind}"'.encode() for kind in (EventKind.ACCESS_GRANTED, EventKind.COMMAND_EXECUTED)
)


@dataclass(frozen=True, slots=True)
class Position:
    """`head`: number of the newest event, `acknowledged`: of the newest that the console has.

    While slots are scarce, `alarms` is how many were recorded in spite of it; `unrecorded` is how
    many events were only counted, `alarms_unrecorded` how many of those were alarms.
    """

    journal: JournalId
    head: int
    acknowledged: int
    alarms: int = 0
    unrecorded: int = 0
    alarms_unrecorded: int = 0

    @property
    def waiting(self) -> int:
        """How many events wait for their acknowledgement."""
        return self.head - self.acknowledged


def read_position(connection: sqlite3.Connection) -> Position:
    """Where the journal stands now."""
    journal, *numbers = connection.execute(
        "SELECT journal, (SELECT coalesce(max(seq), 0) FROM event), acknowledged,"
        " alarms, unrecorded, alarms_unrecorded FROM state"
    ).fetchone()
    return Position(JournalId(journal), *numbers)


def was_granted(
    connection: sqlite3.Connection, refusal: Occurrence, instant: Instant, since_seq: int
) -> bool | None:
    """Whether the same tap or command was granted after `since_seq`; None: it isn't there.

    What has neither, such as an alarm, wasn't granted: it is the same if it is told of `instant`.
    """
    marks = _marks(refusal, instant)
    lines: Iterable[tuple[bytes]] = connection.execute(
        "SELECT line FROM event WHERE seq > max(?, (SELECT max(seq) FROM event) - ?) ORDER BY seq",
        (since_seq, LATE_EVENTS_MAX),
    )
    for (line,) in lines:
        if all(mark in line for mark in marks):
            return any(granted in line for granted in _GRANTED)
    return None


def _marks(refusal: Occurrence, instant: Instant) -> list[bytes]:
    """What the line of the same occurrence holds."""
    if refusal.tap or refusal.command:
        name, cause = ("tap", refusal.tap) if refusal.tap else ("command", refusal.command)
        return [f'"{name}":"{cause}"'.encode()]
    marks = [f'"mono_ms":{instant.mono_ms},', f'"kind":"{refusal.kind}"']
    if refusal.point:
        marks.append(f'"point":"{refusal.point}"')
    return [mark.encode() for mark in marks]


def read_batch(connection: sqlite3.Connection, after_seq: int) -> Batch | None:
    """The oldest events after `after_seq`, as many as fit in a message; None: there are none."""
    rows: list[tuple[int, bytes]] = connection.execute(
        "SELECT seq, line FROM event WHERE seq > ? ORDER BY seq LIMIT ?",
        (after_seq, BATCH_EVENTS_MAX),
    ).fetchall()
    if not rows:
        return None
    journal, oldest = connection.execute(
        "SELECT journal, (SELECT min(seq) FROM event) FROM state"
    ).fetchone()
    lines: list[bytes] = []
    free_bytes = BATCH_BYTES_MAX - BATCH_HEADER_BYTES_MAX
    for _, line in rows:
        free_bytes -= len(line) + 1
        if free_bytes < 0:
            break
        lines.append(line)
    return Batch(JournalId(journal), rows[0][0], oldest, tuple(lines))
