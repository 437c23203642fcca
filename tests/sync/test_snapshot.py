"""Snapshots survive the way through bytes, and nothing else gets in."""

import contextlib
import json
import zlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.errors import Malformed, TooLarge, WireError, WrongAudience
from sync.ids import ControllerId, Entry, Epoch, MemberRef, PointKey, Serial
from sync.rights import Assurance, Point, PointKind, Right, Window
from sync.snapshot import ENTRIES_MAX, Snapshot, decode_snapshot, encode_snapshot
from sync.strict_json import dump
from tests.sync.samples import CONTROLLER, FRONT, SNAPSHOT

instants = st.none() | st.integers(1, 2**53 - 1)
keys = st.sampled_from([PointKey("front"), PointKey("back"), PointKey("laser")])
windows = st.builds(Window, st.integers(0, 2**53 - 1), st.integers(0, 2**53 - 1))
rights = st.builds(
    Right,
    member=st.binary(min_size=8, max_size=8).map(MemberRef),
    points=st.frozensets(keys),
    schedule=st.none() | st.lists(windows, max_size=3).map(tuple),
    not_before_ms=instants,
    not_after_ms=instants,
    is_break_glass=st.just(False),
)
points = st.builds(
    Point,
    key=keys,
    kind=st.sampled_from(PointKind),
    unlock_seconds=st.integers(1, 300),
    soft_seconds=st.integers(0, 86_400),
    hard_seconds=st.integers(0, 604_800),
    requires_fresh=st.booleans(),
    min_assurance=st.sampled_from(Assurance),
    open_hours=st.lists(windows, max_size=3).map(tuple),
)


def with_break_glass(entries: dict[Entry, Right]) -> st.SearchStrategy[dict[Entry, Right]]:
    """Up to five of the cards work whatever the age of the rights."""
    return (
        st.sets(st.sampled_from(sorted(entries)), max_size=5).map(
            lambda chosen: {
                entry: replace(right, is_break_glass=entry in chosen)
                for entry, right in entries.items()
            }
        )
        if entries
        else st.just(entries)
    )


snapshots = st.builds(
    Snapshot,
    controller=st.just(CONTROLLER),
    epoch=st.integers(1, 1000).map(Epoch),
    serial=st.integers(1, 2**53 - 1).map(Serial),
    made_at_ms=st.integers(0, 2**53 - 1),
    previous_digest=st.none() | st.binary(min_size=32, max_size=32),
    points=st.lists(points, max_size=3).map(lambda some: {point.key: point for point in some}),
    entries=st.dictionaries(
        st.binary(min_size=16, max_size=16).map(Entry), rights, max_size=20
    ).flatmap(lambda entries: with_break_glass(entries)),
)


@given(snapshots)
def test_a_snapshot_comes_back_as_it_was(snapshot: Snapshot):
    assert decode_snapshot(encode_snapshot(snapshot), CONTROLLER) == snapshot


@given(snapshots)
def test_equal_rights_give_equal_bytes_in_whatever_order(snapshot: Snapshot):
    shuffled = dict(reversed(list(snapshot.entries.items())))
    assert encode_snapshot(replace(snapshot, entries=shuffled)) == encode_snapshot(snapshot)


@given(st.binary(max_size=200))
def test_random_bytes_raise_nothing_but_a_wire_error(data: bytes):
    with pytest.raises(WireError):
        decode_snapshot(data, CONTROLLER)


@settings(max_examples=300)
@given(snapshots, st.data())
def test_a_damaged_body_is_read_or_refused_but_never_crashes(
    snapshot: Snapshot, data: st.DataObject
):
    body = bytearray(zlib.decompress(encode_snapshot(snapshot)[4:]))
    body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(WireError):
        decode_snapshot(packed(bytes(body)), CONTROLLER)


OTHER_HEADERS: list[dict[str, object]] = [
    {"version": 2},
    {"restriction": "of a newer console"},
    {"config": {"restriction": 1}},
    {"epoch": 0},
    {"serial": 0},
    {"serial": 1.5},
    {"serial": True},
    {"serial": "gone"},
    {"entries": 2},
    {"entries": 0},
    {"entries": ENTRIES_MAX + 1},
    {"point_sets": []},
    {"point_sets": [[5]]},
    {"point_sets": "front"},
    {"points": [{}]},
    {"schedules": [[1]]},
    {"schedules": [[1, None]]},
    {"previous_digest": "00"},
]


def packed(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + zlib.compress(body)


def with_header(**changes: object) -> bytes:
    body = zlib.decompress(encode_snapshot(SNAPSHOT)[4:])
    end = 4 + int.from_bytes(body[:4], "big")
    header: dict[str, object] = json.loads(body[4:end]) | changes
    written = dump({key: value for key, value in header.items() if value != "gone"})
    return packed(len(written).to_bytes(4, "big") + written + body[end:])


def test_another_controllers_snapshot_is_refused():
    with pytest.raises(WrongAudience):
        decode_snapshot(encode_snapshot(SNAPSHOT), ControllerId("back-pi"))


@pytest.mark.parametrize("changes", OTHER_HEADERS)
def test_a_header_that_says_something_else_is_malformed(changes: dict[str, object]):
    with pytest.raises(Malformed):
        decode_snapshot(with_header(**changes), CONTROLLER)


def test_a_zip_bomb_is_refused_without_inflating_it():
    bomb = zlib.compress(bytes(100_000_000))
    with pytest.raises(TooLarge):
        decode_snapshot((100_000_000).to_bytes(4, "big") + bomb, CONTROLLER)
    with pytest.raises(Malformed):
        decode_snapshot((1_000).to_bytes(4, "big") + bomb, CONTROLLER)


def test_an_unknown_flag_is_refused():
    body = bytearray(zlib.decompress(encode_snapshot(SNAPSHOT)[4:]))
    body[-1] = 0b10
    with pytest.raises(Malformed):
        decode_snapshot(packed(bytes(body)), CONTROLLER)


def test_too_many_cards_are_refused_when_writing():
    right = Right(MemberRef(bytes(8)), frozenset({FRONT}))
    entries = {Entry(n.to_bytes(16, "big")): right for n in range(ENTRIES_MAX + 1)}
    with pytest.raises(TooLarge):
        encode_snapshot(replace(SNAPSHOT, entries=entries))


def test_more_than_five_break_glass_cards_are_refused_at_both_ends():
    right = next(iter(SNAPSHOT.entries.values()))
    entries = {Entry(bytes([n]) * 16): replace(right, is_break_glass=True) for n in range(6)}
    five = dict(list(entries.items())[:5])
    payload = encode_snapshot(replace(SNAPSHOT, entries=five))
    assert len(decode_snapshot(payload, CONTROLLER).entries) == 5
    with pytest.raises(TooLarge):
        encode_snapshot(replace(SNAPSHOT, entries=entries))
    plain = encode_snapshot(
        replace(SNAPSHOT, entries={e: replace(r, is_break_glass=False) for e, r in entries.items()})
    )
    body = zlib.decompress(plain[4:])
    forged = body[:-6] + b"\1" * 6
    with pytest.raises(Malformed):
        decode_snapshot(plain[:4] + zlib.compress(forged), CONTROLLER)


def test_hours_of_a_point_that_is_absent_are_refused():
    payload = encode_snapshot(SNAPSHOT)
    body = zlib.decompress(payload[4:])
    size = int.from_bytes(body[:4], "big")
    header = json.loads(body[4 : 4 + size])
    header["config"] = {"open_hours": {"cellar": [1, 2]}}
    changed = dump(header)
    body = len(changed).to_bytes(4, "big") + changed + body[4 + size :]
    with pytest.raises(Malformed, match="absent"):
        decode_snapshot(len(body).to_bytes(4, "big") + zlib.compress(body), CONTROLLER)


def test_a_point_that_stands_twice_is_refused():
    body = zlib.decompress(encode_snapshot(SNAPSHOT)[4:])
    [front] = json.loads(body[4 : 4 + int.from_bytes(body[:4], "big")])["points"]
    for second in (front, {**front, "unlock_seconds": 300}):
        with pytest.raises(Malformed, match="twice"):
            decode_snapshot(with_header(points=[front, second]), CONTROLLER)
