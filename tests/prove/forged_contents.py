"""What can be wrong with a message that is signed as it must be: old, replayed, or nonsense."""

import json
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from sync.envelope import Kind
from sync.ids import Epoch
from sync.rights import BREAK_GLASS_MAX
from sync.snapshot import ENTRIES_MAX, INFLATED_BYTES_MAX
from sync.strict_json import dump
from tests.prove.forged_envelopes import SERIAL, Attack, Attacked

Header = dict[str, Any]
HeaderChange = Callable[[Header, Random], object]


_COLUMN_BYTES = {
    "entry": 16,
    "member": 8,
    "set": 2,
    "schedule": 2,
    "not_before": 8,
    "not_after": 8,
    "flags": 1,
}


class Columns:
    """The entries of a snapshot, to be spoiled."""

    def __init__(self, data: bytes, count: int) -> None:
        self.count = count
        self._columns: dict[str, list[bytes]] = {}
        for name, size in _COLUMN_BYTES.items():
            cells = [data[n * size : (n + 1) * size] for n in range(count)]
            self._columns[name], data = cells, data[count * size :]
        self.behind = b""

    def put(self, column: str, row: int, cell: bytes) -> None:
        self._columns[column][row % self.count] = cell

    def repeat(self, row: int) -> None:
        """The row stands twice."""
        for cells in self._columns.values():
            cells.append(cells[row % self.count])
        self.count += 1

    def joined(self) -> bytes:
        return b"".join(cell for cells in self._columns.values() for cell in cells) + self.behind


def content_attacks() -> list[Attack]:
    return [*_snapshots(), *_keysets()]


def _keysets() -> list[Attack]:
    def attack(name: str, told: str, make: Callable[[Attacked], bytes]) -> Attack:
        return Attack(f"keyset: {name}", Kind.KEYSET, told, make)

    def expired(world: Attacked) -> bytes:
        after = replace(world.signer.rotated(), epoch=Epoch(world.chance.randint(3, 10**6)))
        return after.keyset(not_after_ms=world.chance.randrange(1, 1_700_000_000_000))

    def others(world: Attacked) -> bytes:
        return replace(world.signer, **{_seed(world.chance): world.chance.randbytes(32)}).keyset()

    return [
        attack("the one before", "rolled_back", lambda world: world.before.keyset()),
        attack("other keys, same epoch", "rolled_back", others),
        attack("expired", "stale", expired),
        attack(
            "of another console",
            "bad_signature",
            lambda world: replace(
                world.signer.rotated(), root_seed=world.chance.randbytes(32)
            ).keyset(),
        ),
    ]


def _seed(chance: Random) -> str:
    return chance.choice(("snapshot_seed", "command_seed", "beacon_seed"))


def _snapshots() -> list[Attack]:
    return [
        *(_changed(name, told, change) for name, (told, change) in _HEADERS.items()),
        *(_changed(f"a point {name}", "malformed", _in_point(c)) for name, c in _POINTS.items()),
        *(_with_columns(name, change) for name, change in _COLUMNS.items()),
        *(_with_payload(name, told, change) for name, (told, change) in _PAYLOADS.items()),
    ]


def _changed(name: str, told: str, change: HeaderChange) -> Attack:
    def make(world: Attacked) -> bytes:
        header, columns = unpacked(world.payload(Kind.SNAPSHOT))
        change(header, world.chance)
        return world.sealed(Kind.SNAPSHOT, packed(dump(header), columns))

    return Attack(f"snapshot: {name}", Kind.SNAPSHOT, told, make)


def _in_point(change: HeaderChange) -> HeaderChange:
    return lambda header, chance: change(header["points"][0], chance)


def _with_columns(name: str, change: Callable[[Columns, Random], object]) -> Attack:
    def make(world: Attacked) -> bytes:
        header, columns = unpacked(world.payload(Kind.SNAPSHOT))
        rows = Columns(columns, header["entries"])
        change(rows, world.chance)
        header["entries"] = rows.count
        return world.sealed(Kind.SNAPSHOT, packed(dump(header), rows.joined()))

    return Attack(f"snapshot: {name}", Kind.SNAPSHOT, "malformed", make)


def _with_payload(name: str, told: str, change: Callable[[bytes, Random], bytes]) -> Attack:
    def make(world: Attacked) -> bytes:
        payload = world.payload(Kind.SNAPSHOT)
        return world.sealed(Kind.SNAPSHOT, change(payload, world.chance))

    is_costly = name.startswith("a bomb")
    return Attack(f"snapshot: {name}", Kind.SNAPSHOT, told, make, is_costly=is_costly)


_HEADERS: dict[str, tuple[str, HeaderChange]] = {
    "older": ("rolled_back", lambda h, c: h.update(serial=c.randrange(1, SERIAL))),
    "the present serial, other rights": ("rolled_back", lambda h, _: h.update(serial=SERIAL)),
    "far ahead": (
        "rolled_back",
        lambda h, c: h.update(serial=SERIAL + 1_000_001 + c.randrange(2 ** c.randrange(1, 50))),
    ),
    "of the epoch before": ("rolled_back", lambda h, _: h.update(epoch=h["epoch"] - 1)),
    "of an epoch to come": (
        "rolled_back",
        lambda h, c: h.update(epoch=h["epoch"] + c.randint(1, 10**6)),
    ),
    "of another controller": ("wrong_audience", lambda h, _: h.update(controller="back-pi")),
    "serial 0": ("malformed", lambda h, _: h.update(serial=0)),
    "epoch 0": ("malformed", lambda h, _: h.update(epoch=0)),
    "an unknown version": ("malformed", lambda h, c: h.update(version=c.randint(2, 99))),
    "an unknown key": ("malformed", lambda h, c: h.update({f"x{c.randrange(10**6)}": 1})),
    "a key is missing": (
        "malformed",
        lambda h, c: h.pop(c.choice(sorted(h.keys() - {"previous_digest"}))),
    ),
    "unknown configuration": ("malformed", lambda h, c: h.update(config={"a": c.random() > 1})),
    "hours of no point": (
        "malformed",
        lambda h, c: h.update(config={"open_hours": {"back": [0, c.randrange(10**12)]}}),
    ),
    "hours without an end": (
        "malformed",
        lambda h, c: h.update(config={"open_hours": {"front": [c.randrange(10**12)]}}),
    ),
    "hours that are no times": (
        "malformed",
        lambda h, c: h.update(config={"open_hours": {"front": [0, c.choice((-1, True, "9"))]}}),
    ),
    "more entries than there are": (
        "malformed",
        lambda h, c: h.update(entries=h["entries"] + c.randint(1, 9)),
    ),
    "fewer entries than there are": ("malformed", lambda h, _: h.update(entries=0)),
    "more entries than any may have": (
        "malformed",
        lambda h, c: h.update(entries=ENTRIES_MAX + c.randint(1, 10**9)),
    ),
    "a point twice": ("malformed", lambda h, _: h["points"].append(h["points"][0])),
    "a point twice, and another": (
        "malformed",
        lambda h, c: h["points"].append({**h["points"][0], "unlock_seconds": c.randint(1, 300)}),
    ),
    "more points than any may have": (
        "malformed",
        lambda h, _: h.update(points=[{**h["points"][0], "key": f"p{n}"} for n in range(257)]),
    ),
    "a point set of numbers": ("malformed", lambda h, c: h.update(point_sets=[[c.randrange(9)]])),
    "no point sets": ("malformed", lambda h, _: h.update(point_sets=[])),
    "a schedule without an end": ("malformed", lambda h, c: h.update(schedules=[[c.randrange(9)]])),
    "a digest that is none": ("malformed", lambda h, _: h.update(previous_digest="00")),
}

_POINTS: dict[str, HeaderChange] = {
    "without a name": lambda p, _: p.update(key=""),
    "of an unknown kind": lambda p, c: p.update(kind=f"gate{c.randrange(9)}"),
    "that opens for no time": lambda p, _: p.update(unlock_seconds=0),
    "that opens for too long": lambda p, c: p.update(unlock_seconds=c.randint(301, 10**6)),
    "that never grows old": lambda p, c: p.update(hard_seconds=c.randint(366 * 86_400 + 1, 10**12)),
    "of an unknown assurance": lambda p, c: p.update(min_assurance=c.choice((-1, 3, 99))),
    "fresh or not": lambda p, c: p.update(requires_fresh=c.choice((0, 1, None, "false"))),
    "with an unknown key": lambda p, c: p.update({f"x{c.randrange(10**6)}": 1}),
    "with a key missing": lambda p, c: p.pop(c.choice(sorted(p))),
}

_COLUMNS: dict[str, Callable[[Columns, Random], object]] = {
    "an entry twice": lambda rows, c: rows.repeat(c.randrange(9)),
    "an unknown flag": lambda rows, c: rows.put(
        "flags", c.randrange(9), bytes([c.randint(2, 255)])
    ),
    "a point set that is absent": lambda rows, c: rows.put(
        "set", c.randrange(9), struct.pack(">H", c.randint(1, 65_535))
    ),
    "a schedule that is absent": lambda rows, c: rows.put(
        "schedule", c.randrange(9), struct.pack(">H", c.randint(1, 65_535))
    ),
    "too many break-glass cards": lambda rows, _: [
        rows.put("flags", row, b"\x01") for row in range(BREAK_GLASS_MAX + 1)
    ],
    "more behind the columns": lambda rows, c: setattr(rows, "behind", c.randbytes(1)),
}

_PAYLOADS: dict[str, tuple[str, Callable[[bytes, Random], bytes]]] = {
    "a bomb that says so": (
        "too_large",
        lambda _, c: _declared(bytes(INFLATED_BYTES_MAX + 1), c.randint(1, 2**31)),
    ),
    "a bomb that doesn't say so": (
        "malformed",
        lambda _, c: _declared(bytes(2**24), c.randrange(2**22) - 2**24),
    ),
    "smaller than declared": ("malformed", lambda p, c: _redeclared(p, c.randint(1, 9))),
    "larger than declared": ("malformed", lambda p, c: _redeclared(p, -c.randint(1, 9))),
    "cut off within": ("malformed", lambda p, c: p[: c.randrange(len(p))]),
    "more behind the end": ("malformed", lambda p, c: p + c.randbytes(c.randint(1, 9))),
    "noise that is declared": (
        "malformed",
        lambda _, c: (100).to_bytes(4, "big") + c.randbytes(90),
    ),
    "a header longer than all": (
        "malformed",
        lambda p, c: _with_header_size(p, c.randint(2**20, 2**32 - 1)),
    ),
    "a header that ends too soon": (
        "malformed",
        lambda p, c: _with_header_size(p, c.randrange(300)),
    ),
    "a header key that stands twice": (
        "malformed",
        lambda p, _: _with_header(p, lambda header: header[:-1] + b"," + header[1:]),
    ),
    "a header that is no JSON": (
        "malformed",
        lambda p, c: _with_header(p, lambda header: c.randbytes(len(header))),
    ),
    "a header with a fraction": (
        "malformed",
        lambda p, c: _with_header(
            p, lambda header: header.replace(b'"serial":', b'"serial":%d.' % c.randrange(9))
        ),
    ),
}


def unpacked(payload: bytes) -> tuple[Header, bytes]:
    """The header and the columns of a sound snapshot."""
    body = zlib.decompress(payload[4:])
    end = 4 + int.from_bytes(body[:4], "big")
    return json.loads(body[4:end]), body[end:]


def packed(header: bytes, columns: bytes) -> bytes:
    """A snapshot's payload of these."""
    return _declared(len(header).to_bytes(4, "big") + header + columns, 0)


def _declared(body: bytes, more: int) -> bytes:
    """A payload that says that it inflates to so many bytes more than it does."""
    size = max(0, len(body) + more)
    return size.to_bytes(4, "big") + zlib.compress(body, 1)


def _redeclared(payload: bytes, more: int) -> bytes:
    return (int.from_bytes(payload[:4], "big") + more).to_bytes(4, "big") + payload[4:]


def _with_header(payload: bytes, change: Callable[[bytes], bytes]) -> bytes:
    header, columns = unpacked(payload)
    return packed(change(dump(header)), columns)


def _with_header_size(payload: bytes, size: int) -> bytes:
    return _declared(size.to_bytes(4, "big") + zlib.decompress(payload[4:])[4:], 0)
