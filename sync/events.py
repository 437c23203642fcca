"""What happened at a controller ⇄ bytes, and the hash chain that leaves no gap unseen.

An event is one line of JSON. It is written once, when it happens; journal, chain and every resend
hold those bytes. Its hash is SHA-256 of them, and each event names the hash of the one before, the
first one a genesis made of controller and journal id. Source: sync/README.md, "Events".
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import cast

from sync.credential import CredentialType
from sync.errors import Malformed, TooLarge
from sync.ids import (
    HEX_32,
    NAME,
    UUID,
    BootId,
    CommandId,
    ControllerId,
    Entry,
    Epoch,
    JournalId,
    MemberRef,
    PointKey,
    Serial,
    TapId,
)
from sync.rights import Reason
from sync.sealing import SEALED_BYTES
from sync.strict_json import Fields, dump

EVENT_BYTES_MAX = 2_000
BATCH_EVENTS_MAX = 100
BATCH_BYTES_MAX = 64 * 1024

_WORD = r"[a-z0-9_]{1,40}"


class EventKind(StrEnum):
    """What happened."""

    CONTROLLER_STARTED = "controller_started"
    ACCESS_GRANTED = "access_granted"
    ACCESS_DENIED = "access_denied"
    ACCESS_WITHDRAWN = "access_withdrawn"
    """A recorded grant that moved no relay: it was recorded too late, or the relay failed."""
    SNAPSHOT_APPLIED = "snapshot_applied"
    MESSAGE_REFUSED = "message_refused"
    COMMAND_EXECUTED = "command_executed"
    COMMAND_REFUSED = "command_refused"
    CLOCK_STEPPED = "clock_stepped"
    STALENESS_CHANGED = "staleness_changed"
    FAULT_BEGAN = "fault_began"
    FAULT_ENDED = "fault_ended"
    DOOR_OPENED = "door_opened"
    """The leaf, not the lock."""
    DOOR_CLOSED = "door_closed"
    DOOR_FORCED = "door_forced"
    """The leaf opened, and nobody had been granted, nor had anybody asked to leave."""
    DOOR_HELD_OPEN = "door_held_open"
    EXIT_REQUESTED = "exit_requested"
    TAMPER_BEGAN = "tamper_began"
    TAMPER_ENDED = "tamper_ended"
    UNLOCK_BEGAN = "unlock_began"
    """The door stands unlocked for everybody, by its hours or by a command."""
    UNLOCK_ENDED = "unlock_ended"
    SELF_TESTED = "self_tested"
    """A technician at the device moved the relay for an instant."""

    TOOL_STARTED = "tool_started"
    """Its motor draws current."""
    TOOL_STOPPED = "tool_stopped"
    TOOL_RELEASED = "tool_released"
    """A session ended, and the tool is without power."""
    READER_FAULT = "reader_fault"
    """A reader is gone, silent or sends rubbish, or does so no longer; the detail says which."""

    EVENTS_UNRECORDED = "events_unrecorded"
    """So many, as the detail says, could only be counted: slots were scarce, or storage failed."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """What happened, before it is numbered. None: doesn't apply, or isn't known.

    `sealed`: the site digest of a card without an entry, sealed to the console. `detail`: at most
    200 characters, such as the name of a WireError; never a card or a person. `epoch` and `serial`
    name the snapshot that decided.
    """

    kind: EventKind
    point: PointKey | None = None
    tap: TapId | None = None
    credential: CredentialType | None = None
    entry: Entry | None = None
    member: MemberRef | None = None
    sealed: bytes | None = None
    assurance: int | None = None
    reason: Reason | None = None
    epoch: Epoch | None = None
    serial: Serial | None = None
    command: CommandId | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Stamp:
    """When and after what it happened.

    `mono_ms`: since the boot `boot` began. `time_ms`: Unix time by the controller's clock, which is
    worth something only if `is_time_trusted`. `wall_ms`: the operating system's idea of it, for
    diagnosis only. `previous`: hash of the event before, 32 bytes.
    """

    seq: int
    boot: BootId
    mono_ms: int
    time_ms: int
    is_time_trusted: bool
    wall_ms: int
    previous: bytes


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a journal, read. `kind` and `reason` may be newer than this software: texts."""

    stamp: Stamp
    kind: str
    point: PointKey | None
    tap: TapId | None
    credential: str | None
    entry: Entry | None
    member: MemberRef | None
    sealed: bytes | None
    assurance: int | None
    reason: str | None
    epoch: Epoch | None
    serial: Serial | None
    command: CommandId | None
    detail: str | None


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive lines of one journal. `oldest_seq`: the oldest that the controller still has."""

    journal: JournalId
    first_seq: int
    oldest_seq: int
    lines: tuple[bytes, ...]


def genesis(controller: ControllerId, journal: JournalId) -> bytes:
    """The 32 bytes that the first event of a journal names as its predecessor's hash."""
    return hashlib.sha256(f"p2k16/1 journal {controller} {journal}".encode()).digest()


def event_hash(line: bytes) -> bytes:
    """The 32-byte name of an event."""
    return hashlib.sha256(line).digest()


def encode_event(occurrence: Occurrence, stamp: Stamp) -> bytes:
    """One line, without its newline. Raises: TooLarge."""
    values: dict[str, object] = {
        "seq": stamp.seq,
        "boot": stamp.boot,
        "mono_ms": stamp.mono_ms,
        "time_ms": stamp.time_ms,
        "clock": "trusted" if stamp.is_time_trusted else "untrusted",
        "wall_ms": stamp.wall_ms,
        "previous": stamp.previous.hex(),
        "kind": occurrence.kind,
        "point": occurrence.point,
        "tap": occurrence.tap,
        "credential": occurrence.credential,
        "entry": occurrence.entry and occurrence.entry.hex(),
        "member": occurrence.member and occurrence.member.hex(),
        "sealed": occurrence.sealed and occurrence.sealed.hex(),
        "assurance": occurrence.assurance,
        "reason": occurrence.reason,
        "epoch": occurrence.epoch,
        "serial": occurrence.serial,
        "command": occurrence.command,
        "detail": occurrence.detail,
    }
    line = dump({key: value for key, value in values.items() if value is not None})
    if len(line) > EVENT_BYTES_MAX:
        raise TooLarge(f"an event of {len(line)} bytes is over {EVENT_BYTES_MAX}")
    return line


def decode_event(line: bytes) -> Event:
    """Reads one line. Keys that this software doesn't know are let be: no event may be lost.

    Raises: Malformed, TooLarge.
    """
    if len(line) > EVENT_BYTES_MAX:
        raise TooLarge(f"an event of {len(line)} bytes is over {EVENT_BYTES_MAX}")
    fields = Fields.parse(line, "event")

    def text(key: str, pattern: str) -> str | None:
        return fields.text(key, pattern) if fields.has(key) else None

    def data(key: str, length: int) -> bytes | None:
        return fields.data(key, length) if fields.has(key) else None

    def number(key: str) -> int | None:
        return fields.integer(key) if fields.has(key) else None

    return Event(
        stamp=Stamp(
            seq=fields.integer("seq", 1),
            boot=BootId(fields.text("boot", "[0-9a-f]{32}")),
            mono_ms=fields.integer("mono_ms"),
            time_ms=fields.integer("time_ms"),
            is_time_trusted=fields.text("clock", "trusted|untrusted") == "trusted",
            wall_ms=fields.integer("wall_ms"),
            previous=fields.data("previous", 32),
        ),
        kind=fields.text("kind", _WORD),
        point=cast("PointKey | None", text("point", NAME.pattern)),
        tap=cast("TapId | None", text("tap", HEX_32.pattern)),
        credential=text("credential", _WORD),
        entry=cast("Entry | None", data("entry", 16)),
        member=cast("MemberRef | None", data("member", 8)),
        sealed=data("sealed", SEALED_BYTES),
        assurance=number("assurance"),
        reason=text("reason", _WORD),
        epoch=cast("Epoch | None", number("epoch")),
        serial=cast("Serial | None", number("serial")),
        command=cast("CommandId | None", text("command", UUID.pattern)),
        detail=text("detail", r".{0,200}"),
    )


def encode_batch(batch: Batch) -> bytes:
    """The payload of an events envelope. Raises: TooLarge."""
    if len(batch.lines) > BATCH_EVENTS_MAX:
        raise TooLarge(f"a batch of {len(batch.lines)} events is over {BATCH_EVENTS_MAX}")
    header = dump(
        {
            "version": 1,
            "journal": batch.journal,
            "first_seq": batch.first_seq,
            "oldest_seq": batch.oldest_seq,
            "count": len(batch.lines),
        }
    )
    return b"\n".join([header, *batch.lines])


def decode_batch(payload: bytes) -> Batch:
    """Reads a payload whose signature was verified. The lines stay as they are.

    Raises: Malformed.
    """
    header, *lines = payload.split(b"\n", BATCH_EVENTS_MAX + 1)
    fields = Fields.parse(header, "batch")
    fields.integer("version", 1, 1)
    if fields.integer("count", 1, BATCH_EVENTS_MAX) != len(lines):
        raise Malformed("batch: the number of lines is not the declared one")
    return Batch(
        journal=JournalId(fields.text("journal", HEX_32.pattern)),
        first_seq=fields.integer("first_seq", 1),
        oldest_seq=fields.integer("oldest_seq", 1),
        lines=tuple(lines),
    )


def read_chain(previous: bytes, first_seq: int, lines: Sequence[bytes]) -> list[Event]:
    """The events of consecutive lines, of which the first follows the hash `previous`.

    Raises: Malformed when a number or a predecessor's hash doesn't fit, or a line can't be read.
    """
    events: list[Event] = []
    for seq, line in enumerate(lines, start=first_seq):
        event = decode_event(line)
        if event.stamp.seq != seq:
            raise Malformed(f"event {event.stamp.seq} stands where {seq} belongs")
        if event.stamp.previous != previous:
            raise Malformed(f"event {seq} doesn't follow the event before it")
        events.append(event)
        previous = event_hash(line)
    return events
