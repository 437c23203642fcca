"""Stores new events of one journal, with all that follows from them, in the caller's transaction.

Decides what an event means outside of access.event: a door opening in the web app's tables, the
answer to a command. Which events are new is decided in `intake.py`.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from console.database import Connection
from console.events import journal_queries as queries
from console.events import opening_queries
from console.events.concerned import Concerned, Names
from console.events.intake import UNREADABLE, Line
from console.events.journal_queries import CommandRow, NewEvent
from console.events.openings import Opening, take_back_openings, write_openings
from console.rights.facts import Controller
from sync.commands import Operation
from sync.events import Event, EventKind
from sync.ids import JournalId

UNREADABLE_BYTES_MAX = 8_192
"""So much of an unreadable event is kept."""
EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)
AHEAD_MAX = timedelta(minutes=5)
"""A controller that says it knows the time, and is further ahead than this, is not believed."""
SMALLINT_MAX = 32_767

_TAPS = frozenset({EventKind.ACCESS_GRANTED, EventKind.ACCESS_DENIED})

EXECUTED = "executed"
REFUSED = "refused:"
"""access.command.result begins with it; behind it stands the reason's name."""


class CommandResult(Struct, frozen=True):
    """What became of a command. `refusal`: the reason's name; None: it was executed."""

    command: str
    refusal: str | None


class Consequences(Struct, frozen=True):
    """Answers to commands, people who opened a door, and those of whom an opening was none.

    `taps`: the ids of the events that tell of a card at a reader.
    """

    results: tuple[CommandResult, ...]
    visitors: frozenset[int]
    withdrawn: frozenset[int]
    taps: tuple[int, ...]


class Arrival(Struct, frozen=True):
    """Which journal the events are of, and when they came."""

    controller: Controller
    journal: JournalId
    at: datetime


async def store(
    conn: Connection,
    arrival: Arrival,
    lines: Sequence[Line],
    *,
    names: Names,
    known_visitors: Collection[int],
) -> Consequences:
    """Stores the lines. `known_visitors`: people who have opened a door before."""
    events = [line.event for line in lines if line.event is not None]
    concerned = dict(
        zip(
            (event.stamp.seq for event in events),
            await names.concerned(conn, arrival.controller, events),
            strict=True,
        )
    )
    commands = await queries.commands(
        conn,
        controller=arrival.controller.id,
        ids={event.command for event in events if event.command},
    )
    rows = [
        _row(line, arrival.at, concerned.get(line.seq, Concerned()), commands) for line in lines
    ]
    ids = await queries.add_events(
        conn,
        controller=arrival.controller.id,
        journal=arrival.journal,
        received_at=arrival.at,
        events=rows,
    )
    openings = await _openings(conn, rows, commands)
    legacy_ids = await write_openings(conn, openings, known_visitors=known_visitors)
    if legacy_ids:
        await queries.name_openings(
            conn,
            event_ids=[ids[seq] for seq in legacy_ids],
            legacy_ids=list(legacy_ids.values()),
        )
    withdrawn = await _take_back_withdrawn(conn, arrival, rows)
    results = _results(events, commands)
    for result in results:
        await queries.answer_command(
            conn,
            controller=arrival.controller.id,
            command=result.command,
            result=EXECUTED if result.refusal is None else REFUSED + result.refusal,
            at=arrival.at,
        )
    visitors = frozenset(opening.account for opening in openings)
    taps = tuple(ids[row.seq] for row in rows if row.kind in _TAPS and row.point is not None)
    return Consequences(results, visitors, frozenset(withdrawn), taps)


def happened_at(event: Event, received_at: datetime) -> tuple[datetime, bool]:
    """When it happened, and whether the controller knew the time; if not, when it arrived."""
    if not event.stamp.is_time_trusted:
        return received_at, False
    latest = received_at + AHEAD_MAX
    if not EARLIEST.timestamp() * 1000 <= event.stamp.time_ms <= latest.timestamp() * 1000:
        return received_at, False
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=event.stamp.time_ms), True


def _row(
    line: Line, received_at: datetime, concerned: Concerned, commands: Mapping[str, CommandRow]
) -> NewEvent:
    event = line.event
    if event is None:
        text = line.text[:UNREADABLE_BYTES_MAX].decode("utf-8", "backslashreplace")
        return NewEvent(
            seq=line.seq,
            hash=line.hash,
            happened_at=received_at,
            clock_trusted=False,
            kind=UNREADABLE,
            payload=text.replace("\0", "\\x00"),  # PostgreSQL has no text with NUL
        )
    at, is_trusted = happened_at(event, received_at)
    command = None if event.command is None else commands.get(event.command)
    has_assurance = event.assurance is not None and event.assurance <= SMALLINT_MAX
    return NewEvent(
        seq=line.seq,
        hash=line.hash,
        happened_at=at,
        clock_trusted=is_trusted,
        kind=event.kind,
        payload=line.text.decode("utf-8", "backslashreplace"),
        point=event.point,
        tap_id=event.tap,
        reason=event.reason,
        assurance=event.assurance if has_assurance else None,
        account=concerned.account if command is None else command.actor,
        card=concerned.card,
        credential_type=event.credential,
        site_digest=concerned.assignable,
        command=event.command,
        epoch=event.epoch,
        serial=event.serial,
    )


async def _openings(
    conn: Connection, rows: Sequence[NewEvent], commands: Mapping[str, CommandRow]
) -> list[Opening]:
    candidates = [
        row
        for row in rows
        if row.account is not None
        and row.point is not None
        and (
            row.kind == EventKind.ACCESS_GRANTED
            or (row.kind == EventKind.COMMAND_EXECUTED and _is_opening(row, commands))
        )
        and not _is_withdrawn(row, rows)
    ]
    if not candidates:
        return []
    doors = await opening_queries.door_keys(conn, keys={row.point or "" for row in candidates})
    # The legacy row has a foreign key to the account, which may be gone by now.
    accounts = await opening_queries.existing_accounts(
        conn, accounts={row.account or 0 for row in candidates}
    )
    return [
        Opening(row.seq, row.account, row.point, row.happened_at)
        for row in candidates
        if row.account in accounts and row.point in doors
    ]


def _is_opening(row: NewEvent, commands: Mapping[str, CommandRow]) -> bool:
    command = commands.get(row.command or "")
    return command is not None and command.operation == Operation.OPEN


def _is_withdrawn(row: NewEvent, rows: Sequence[NewEvent]) -> bool:
    return any(
        other.kind == EventKind.ACCESS_WITHDRAWN
        and other.seq > row.seq
        and (
            (row.tap_id is not None and other.tap_id == row.tap_id)
            or (row.command is not None and other.command == row.command)
        )
        for other in rows
    )


async def _take_back_withdrawn(
    conn: Connection, arrival: Arrival, rows: Sequence[NewEvent]
) -> set[int]:
    withdrawn = [row for row in rows if row.kind == EventKind.ACCESS_WITHDRAWN]
    if not withdrawn:
        return set()
    return await take_back_openings(
        conn,
        arrival.controller.id,
        taps=[row.tap_id for row in withdrawn if row.tap_id],
        commands=[row.command for row in withdrawn if row.command],
    )


def _results(
    events: Sequence[Event], commands: Mapping[str, CommandRow]
) -> tuple[CommandResult, ...]:
    results: dict[str, CommandResult] = {}
    for event in events:
        if event.command is None or event.command not in commands:
            continue
        if event.kind == EventKind.COMMAND_EXECUTED:
            results[event.command] = CommandResult(event.command, None)
        elif event.kind in {EventKind.COMMAND_REFUSED, EventKind.ACCESS_WITHDRAWN}:
            refusal = event.reason or event.detail or "unknown"
            # PostgreSQL's texts have neither NUL nor lone surrogates, but JSON's have.
            told = refusal[:100].encode("utf-8", "ignore").decode().replace("\0", "")
            results[event.command] = CommandResult(event.command, told)
    return tuple(results.values())
