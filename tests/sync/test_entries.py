"""Rights looked up in the columns of a snapshot: what a map of them would say, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.entries import ENTRY_BYTES, PackedEntries
from sync.errors import Malformed
from sync.ids import Entry, MemberRef, PointKey
from sync.rights import Right, Window

SETS = (frozenset({PointKey("front")}), frozenset({PointKey("front"), PointKey("saw")}))
SCHEDULES = ((Window(1, 2),),)

rights = st.builds(
    Right,
    member=st.binary(min_size=8, max_size=8).map(MemberRef),
    points=st.sampled_from(SETS),
    schedule=st.sampled_from((None, *SCHEDULES)),
    not_before_ms=st.none() | st.integers(1, 2**64 - 1),
    not_after_ms=st.none() | st.integers(1, 2**64 - 1),
)
entries = st.binary(min_size=16, max_size=16).map(Entry)


def columns(rows: list[tuple[Entry, Right]]) -> memoryview:
    parts = (
        [entry for entry, _ in rows],
        [right.member for _, right in rows],
        [SETS.index(right.points).to_bytes(2, "big") for _, right in rows],
        [(right.schedule is not None).to_bytes(2, "big") for _, right in rows],
        [(right.not_before_ms or 0).to_bytes(8, "big") for _, right in rows],
        [(right.not_after_ms or 0).to_bytes(8, "big") for _, right in rows],
        [bytes([right.is_break_glass]) for _, right in rows],
    )
    return memoryview(b"".join(value for part in parts for value in part))


def read(rows: list[tuple[Entry, Right]]) -> PackedEntries:
    return PackedEntries(columns(rows), len(rows), point_sets=SETS, schedules=SCHEDULES)


@given(st.dictionaries(entries, rights, max_size=40), entries)
def test_each_entry_is_found_and_no_other(known: dict[Entry, Right], other: Entry):
    packed = read(sorted(known.items()))
    assert {entry: packed.get(entry) for entry in known} == known
    assert packed.get(other) == known.get(other)
    assert len(packed) == len(known)
    assert list(packed) == sorted(known)


@given(st.dictionaries(entries, rights, min_size=2, max_size=9))
def test_entries_in_another_order_are_refused(known: dict[Entry, Right]):
    with pytest.raises(Malformed, match="order"):
        read(sorted(known.items(), reverse=True))


@given(entries, rights, rights)
def test_an_entry_that_stands_twice_is_refused(entry: Entry, first: Right, second: Right):
    with pytest.raises(Malformed, match="twice"):
        read([(entry, first), (entry, second)])


@given(st.dictionaries(entries, rights, min_size=1, max_size=9), st.data())
def test_what_names_a_point_set_or_schedule_that_is_absent_is_refused(
    known: dict[Entry, Right], data: st.DataObject
):
    rows = sorted(known.items())
    count, row = len(rows), data.draw(st.integers(0, len(rows) - 1))
    column = data.draw(st.sampled_from([24, 26]))  # bytes of each entry before that column
    damaged = bytearray(columns(rows))
    damaged[column * count + 2 * row : column * count + 2 * row + 2] = (2).to_bytes(2, "big")
    with pytest.raises(Malformed, match="absent"):
        PackedEntries(memoryview(damaged), count, point_sets=SETS, schedules=SCHEDULES)


@given(st.integers(0, 3), st.integers(1, ENTRY_BYTES - 1))
def test_columns_of_another_length_are_refused(count: int, more: int):
    with pytest.raises(Malformed, match="number"):
        PackedEntries(
            memoryview(bytes(count * ENTRY_BYTES + more)),
            count,
            point_sets=SETS,
            schedules=SCHEDULES,
        )
