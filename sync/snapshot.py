"""A controller's rights ⇄ bytes.

    u32 inflated size | zlib( u32 header size | header JSON | packed columns of the entries )

The columns, each for all n entries in order: entry (16 bytes), member (8), point set (u16, an index
into the header's `point_sets`), schedule (u16; 0 is none, i is `schedules[i - 1]`), not before (u64
ms; 0 is none), not after (u64 ms; 0 is none), flags (u8; bit 0 is break-glass). All integers are
big-endian. Keyed hashes don't compress; standing in columns, the rest nearly vanishes.
Source: sync/README.md, "Snapshot".
"""

import hashlib
import struct
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import cast

from sync.entries import BREAK_GLASS, PackedEntries
from sync.errors import Malformed, TooLarge, WrongAudience
from sync.ids import ControllerId, Entry, Epoch, PointKey, Serial
from sync.rights import BREAK_GLASS_MAX, Assurance, Point, PointKind, Right, Window
from sync.strict_json import U53, Fields, dump

ENTRIES_MAX = 50_000
INFLATED_BYTES_MAX = 4 * 1024 * 1024
POINTS_MAX = 256
POINT_SETS_MAX = 4_096
SCHEDULES_MAX = 1_000
WINDOWS_MAX = 1_000
UNLOCK_SECONDS_MAX = 300
STALE_SECONDS_MAX = 366 * 24 * 3600

_U32 = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that a controller needs to decide. `previous_digest` None: the first of all."""

    controller: ControllerId
    epoch: Epoch
    serial: Serial
    made_at_ms: int
    previous_digest: bytes | None
    points: Mapping[PointKey, Point]
    entries: Mapping[Entry, Right]


def digest(payload: bytes) -> bytes:
    """The 32-byte name of a snapshot: SHA-256 of its payload as received."""
    return hashlib.sha256(payload).digest()


def encode_snapshot(snapshot: Snapshot) -> bytes:
    """The payload of a snapshot envelope. Equal snapshots give equal bytes.

    Raises: TooLarge when a limit of this file is exceeded.
    """
    rows = sorted(snapshot.entries.items())
    point_sets = sorted({tuple(sorted(right.points)) for _, right in rows})
    schedules = sorted({_bounds(r.schedule) for _, r in rows if r.schedule is not None})
    if len(rows) > ENTRIES_MAX or len(snapshot.points) > POINTS_MAX:
        raise TooLarge(f"{len(rows)} cards, {len(snapshot.points)} points are over the limits")
    if len(point_sets) > POINT_SETS_MAX or len(schedules) > SCHEDULES_MAX:
        raise TooLarge(f"{len(point_sets)} point sets, {len(schedules)} schedules: too many")
    header = dump(
        {
            "version": 1,
            "controller": snapshot.controller,
            "epoch": snapshot.epoch,
            "serial": snapshot.serial,
            "made_at_ms": snapshot.made_at_ms,
            "previous_digest": snapshot.previous_digest and snapshot.previous_digest.hex(),
            "points": [_point_row(snapshot.points[key]) for key in sorted(snapshot.points)],
            "point_sets": point_sets,
            "schedules": schedules,
            "entries": len(rows),
            "config": _config(snapshot.points.values()),
        }
    )
    if sum(right.is_break_glass for _, right in rows) > BREAK_GLASS_MAX:
        raise TooLarge(f"more than {BREAK_GLASS_MAX} break-glass cards")
    set_index = {keys: index for index, keys in enumerate(point_sets)}
    schedule_index = {bounds: index for index, bounds in enumerate(schedules, start=1)}
    rights = [right for _, right in rows]
    count = len(rows)
    body = b"".join(
        [
            _U32.pack(len(header)),
            header,
            b"".join(entry for entry, _ in rows),
            b"".join(right.member for right in rights),
            struct.pack(f">{count}H", *(set_index[tuple(sorted(r.points))] for r in rights)),
            struct.pack(
                f">{count}H",
                *(0 if r.schedule is None else schedule_index[_bounds(r.schedule)] for r in rights),
            ),
            struct.pack(f">{count}Q", *(r.not_before_ms or 0 for r in rights)),
            struct.pack(f">{count}Q", *(r.not_after_ms or 0 for r in rights)),
            bytes(BREAK_GLASS if r.is_break_glass else 0 for r in rights),
        ]
    )
    if len(body) > INFLATED_BYTES_MAX:
        raise TooLarge(f"a snapshot of {len(body)} bytes is over {INFLATED_BYTES_MAX}")
    return _U32.pack(len(body)) + zlib.compress(body, 6)


def decode_snapshot(payload: bytes, controller: ControllerId) -> Snapshot:
    """Reads a payload whose signature was verified.

    Raises: TooLarge, Malformed, WrongAudience when it describes another controller.
    """
    body = _inflate(payload)
    header_size = int.from_bytes(body[:4], "big")
    if len(body) < 4 + header_size:
        raise Malformed("snapshot: shorter than its header")
    fields = Fields.parse(body[4 : 4 + header_size], "snapshot")
    fields.integer("version", 1, 1)
    if fields.text("controller", r"[a-z0-9-]{1,32}") != controller:
        raise WrongAudience("a snapshot of another controller")
    hours = _open_hours(fields.fields("config"))
    rows = fields.rows("points", POINTS_MAX)
    points = {
        point.key: replace(point, open_hours=hours.pop(point.key, ()))
        for point in map(_point, rows)
    }
    if len(points) != len(rows):
        raise Malformed("snapshot: a point stands twice")
    if hours:
        raise Malformed("snapshot: hours of a point that is absent")
    point_sets = [_point_set(keys) for keys in fields.items("point_sets", POINT_SETS_MAX)]
    schedules = [_schedule(windows) for windows in fields.items("schedules", SCHEDULES_MAX)]
    count = fields.integer("entries", 0, ENTRIES_MAX)
    previous = fields.data("previous_digest", 32) if fields.has("previous_digest") else None
    snapshot = Snapshot(
        controller=controller,
        epoch=Epoch(fields.integer("epoch", 1, 2**31)),
        serial=Serial(fields.integer("serial", 1)),
        made_at_ms=fields.integer("made_at_ms"),
        previous_digest=previous,
        points=points,
        entries=PackedEntries(
            memoryview(body)[4 + header_size :],
            count,
            point_sets=point_sets,
            schedules=schedules,
        ),
    )
    fields.close()
    return snapshot


def _inflate(payload: bytes) -> bytes:
    if len(payload) < 4:
        raise Malformed("snapshot: too short")
    declared = int.from_bytes(payload[:4], "big")
    if declared > INFLATED_BYTES_MAX:
        raise TooLarge(f"a snapshot that inflates to {declared} bytes")
    inflater = zlib.decompressobj()
    try:
        # One byte more than declared shows a bomb without inflating it.
        body = inflater.decompress(payload[4:], declared + 1)
    except zlib.error as error:
        raise Malformed("snapshot: can't be inflated") from error
    if len(body) != declared or not inflater.eof or inflater.unused_data:
        raise Malformed("snapshot: doesn't inflate to the size that it declares")
    return body


def _config(points: Iterable[Point]) -> dict[str, object]:
    hours = {point.key: _bounds(point.open_hours) for point in points if point.open_hours}
    return {"open_hours": hours} if hours else {}


def _open_hours(config: Fields) -> dict[str, tuple[Window, ...]]:
    has_hours = config.has("open_hours")
    hours = config.mapping("open_hours") if has_hours else dict[str, object]()
    config.close()
    return {key: _schedule(bounds) for key, bounds in hours.items()}


def _point_row(point: Point) -> dict[str, object]:
    return {
        "key": point.key,
        "kind": point.kind,
        "unlock_seconds": point.unlock_seconds,
        "soft_seconds": point.soft_seconds,
        "hard_seconds": point.hard_seconds,
        "requires_fresh": point.requires_fresh,
        "min_assurance": int(point.min_assurance),
    }


def _point(fields: Fields) -> Point:
    point = Point(
        key=PointKey(fields.text("key", r"[a-z0-9-]{1,32}")),
        kind=PointKind(fields.text("kind", "door|tool")),
        unlock_seconds=fields.integer("unlock_seconds", 1, UNLOCK_SECONDS_MAX),
        soft_seconds=fields.integer("soft_seconds", 0, STALE_SECONDS_MAX),
        hard_seconds=fields.integer("hard_seconds", 0, STALE_SECONDS_MAX),
        requires_fresh=fields.flag("requires_fresh"),
        min_assurance=Assurance(fields.integer("min_assurance", 0, 2)),
    )
    fields.close()
    return point


def _bounds(schedule: tuple[Window, ...]) -> tuple[int, ...]:
    return tuple(ms for window in schedule for ms in (window.start_ms, window.end_ms))


def _list(value: object, most: int, what: str) -> list[object]:
    return Fields({what: value}, "snapshot").items(what, most)


def _point_set(value: object) -> frozenset[PointKey]:
    keys = _list(value, POINTS_MAX, "point_sets")
    if not all(isinstance(key, str) for key in keys):
        raise Malformed("snapshot: a point set holds something else than keys")
    return frozenset(PointKey(str(key)) for key in keys)


def _schedule(value: object) -> tuple[Window, ...]:
    bounds = _list(value, 2 * WINDOWS_MAX, "schedules")
    if len(bounds) % 2 or not all(type(ms) is int and 0 <= ms <= U53 for ms in bounds):
        raise Malformed("snapshot: a schedule is no list of starts and ends")
    instants = cast("list[int]", bounds)
    return tuple(map(Window, instants[::2], instants[1::2]))
