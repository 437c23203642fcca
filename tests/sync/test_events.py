"""The journal's chain: whatever is changed, left out or put in, is seen."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.errors import Malformed, TooLarge, WireError
from sync.events import (
    Batch,
    EventKind,
    Occurrence,
    Stamp,
    decode_batch,
    decode_event,
    encode_batch,
    encode_event,
    event_hash,
    read_chain,
)
from sync.ids import PointKey
from sync.strict_json import dump
from tests.sync.samples import BOOT, FRONT, GENESIS, GRANT, JOURNAL, STAMP


def chain(length: int, *, first: int = 1, previous: bytes = GENESIS) -> list[bytes]:
    lines: list[bytes] = []
    for seq in range(first, first + length):
        occurrence = Occurrence(EventKind.ACCESS_DENIED, point=FRONT, detail=f"no {seq}")
        line = encode_event(occurrence, Stamp(seq, BOOT, seq, seq, False, seq, previous))
        previous = event_hash(line)
        lines.append(line)
    return lines


def test_an_event_comes_back_as_it_was():
    event = decode_event(encode_event(GRANT, STAMP))
    assert event.stamp == STAMP
    for name in ("kind", "point", "tap", "entry", "member", "reason", "epoch", "serial", "command"):
        assert getattr(event, name) == getattr(GRANT, name), name


def test_an_event_of_a_newer_controller_is_still_read():
    newer: dict[str, object] = json.loads(encode_event(GRANT, STAMP))
    event = decode_event(dump(newer | {"kind": "door_melted", "heat_kelvin": 1811}))
    assert event.kind == "door_melted"


def test_a_batch_keeps_the_exact_lines():
    batch = Batch(JOURNAL, 5, 2, tuple(chain(100, first=5)))
    assert decode_batch(encode_batch(batch)) == batch


def test_a_batch_of_more_than_a_hundred_events_is_refused():
    with pytest.raises(TooLarge):
        encode_batch(Batch(JOURNAL, 1, 1, tuple(chain(101))))


def test_a_whole_chain_is_read():
    events = read_chain(GENESIS, 1, chain(5))
    assert [event.stamp.seq for event in events] == [1, 2, 3, 4, 5]


@given(st.integers(0, 4), st.sampled_from(["leave out", "repeat", "swap", "alter"]))
def test_every_change_of_a_chain_is_seen(at: int, change: str):
    lines = chain(6)
    if change == "leave out":
        del lines[at]
    elif change == "repeat":
        lines.insert(at, lines[at])
    elif change == "swap":
        lines[at], lines[at + 1] = lines[at + 1], lines[at]
    else:
        lines[at] = lines[at].replace(b'"no ', b'"yes ')
    with pytest.raises(Malformed):
        read_chain(GENESIS, 1, lines)


def test_the_journal_of_another_controller_does_not_follow():
    with pytest.raises(Malformed):
        read_chain(event_hash(b"another genesis"), 1, chain(1))


@given(st.binary(max_size=200))
def test_random_bytes_raise_nothing_but_a_wire_error(data: bytes):
    with pytest.raises(WireError):
        decode_event(data)
    with pytest.raises(WireError):
        decode_batch(data)


def test_a_line_of_any_length_is_bounded():
    with pytest.raises(TooLarge):
        encode_event(Occurrence(EventKind.ACCESS_DENIED, point=PointKey("x" * 2_000)), STAMP)
    with pytest.raises(TooLarge):
        decode_event(b" " * 2_001)
