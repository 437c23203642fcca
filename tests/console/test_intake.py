"""Where a batch belongs in a journal: what is new, what was there, what contradicts it."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from console.events.intake import Append, Fork, Head, NothingNew, Placed, place
from sync.events import Batch, event_hash
from sync.ids import ControllerId
from tests.support.controller_stand_in import JournalStandIn

TEN = JournalStandIn(ControllerId("front-pi"), b"k" * 32)
for _ in range(10):
    TEN.started()
HASHES = {seq: event_hash(line) for seq, line in enumerate(TEN.lines, start=1)}


def head(seq: int) -> Head:
    return Head(seq, HASHES[seq] if seq else TEN.genesis)


def placed(batch: Batch, at: int) -> Placed:
    return place(batch, head(at), {seq: HASHES[seq] for seq in HASHES if seq <= at})


def new_seqs(placed: Placed) -> list[int]:
    assert isinstance(placed, Append)
    return [line.seq for line in placed.lines]


@given(st.integers(1, 10), st.integers(0, 9), st.integers(0, 10))
def test_exactly_what_is_new_and_follows_is_appended(first: int, length: int, stored: int):
    last = min(10, first + length)
    result = placed(TEN.batch(first, last), stored)
    if first > stored + 1 or last <= stored:
        # A batch that begins at the oldest event there is begins at 1 here.
        assert result == NothingNew()
    else:
        assert new_seqs(result) == list(range(stored + 1, last + 1))


def test_what_the_controller_no_longer_has_is_missing_and_the_journal_goes_on():
    result = placed(TEN.batch(6, 8, oldest=6), 2)
    assert new_seqs(result) == [6, 7, 8]
    assert isinstance(result, Append)
    assert result.missing == 3


def test_a_first_batch_must_follow_the_genesis():
    stranger = JournalStandIn(ControllerId("back-pi"), b"k" * 32, journal=TEN.journal)
    stranger.started()
    assert placed(stranger.batch(), 0) == Fork(1)


def test_another_event_under_a_stored_number_is_a_fork():
    twin = replace(TEN, lines=TEN.lines[:4])
    twin.time_ms += 5
    twin.started()
    assert placed(twin.batch(3, 5), 7) == Fork(5)


def test_an_event_that_follows_another_history_is_a_fork():
    twin = replace(TEN, lines=TEN.lines[:4])
    twin.time_ms += 5
    twin.started()
    twin.started()
    assert placed(twin.batch(6, 6), 5) == Fork(6)


def test_a_chain_that_breaks_inside_a_batch_is_a_fork():
    batch = TEN.batch(3, 6)
    twin = replace(TEN, lines=TEN.lines[:4])
    twin.time_ms += 5
    other = twin.started()
    lines = (*batch.lines[:2], other, batch.lines[3])
    assert placed(replace(batch, lines=lines), 2) == Fork(6)


def test_an_unreadable_event_keeps_its_number_and_the_journal_goes_on():
    batch = TEN.batch(3, 6)
    lines = (batch.lines[0], b"\xff nonsense", *batch.lines[2:])
    result = placed(replace(batch, lines=lines), 2)
    assert isinstance(result, Append)
    assert [line.event is None for line in result.lines] == [False, True, False, False]
    assert [line.seq for line in result.lines] == [3, 4, 5, 6]


def test_after_an_unreadable_event_in_an_earlier_batch_the_journal_goes_on():
    result = place(TEN.batch(5, 6), Head(4, None), {})
    assert new_seqs(result) == [5, 6]


def test_an_event_with_another_number_than_its_place_is_unreadable():
    batch = replace(TEN.batch(3, 3), lines=(TEN.lines[6],))
    result = placed(batch, 2)
    assert isinstance(result, Append)
    assert result.lines[0].event is None
