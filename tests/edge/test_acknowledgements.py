"""The console's word about what it has: nothing is lost to it, and nothing is refused for it."""

import asyncio
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.slots import Slots
from edge.store import Store
from sync.messages import Ack
from tests.edge.test_journal import GRANT, acknowledge, chain, journal_in


async def test_the_consoles_number_counts_also_when_it_is_lower(tmp_path: Path) -> None:
    async with journal_in(tmp_path) as (journal, store):
        for _ in range(5):
            await journal.append(GRANT)
        await acknowledge(journal, 5)
        assert journal.position.acknowledged == 5
        await acknowledge(journal, 2)
        assert journal.position.acknowledged == 2
        batch = await journal.next_batch(journal.position.acknowledged)
        assert batch is not None
        assert batch.first_seq == 3
        await acknowledge(journal, 2)
        assert await kept_acknowledged(store) == 5, "or whoever replays it would wear out the disk"
    async with journal_in(tmp_path) as (journal, _):
        assert journal.position.acknowledged == 5
        await acknowledge(journal, 2)  # the next batch is answered so
        assert journal.position.acknowledged == 2
        await journal.append(GRANT)
        assert journal.position.acknowledged == 2
        await acknowledge(journal, 6)
        assert journal.position.acknowledged == 6


async def kept_acknowledged(store: Store) -> int:
    return await store.read(lambda c: c.execute("SELECT acknowledged FROM state").fetchone()[0])


async def test_an_old_acknowledgement_sent_again_takes_no_slot_from_a_grant(tmp_path: Path) -> None:
    async with journal_in(tmp_path, slots=Slots(spacious=3, most=5, alarms=0)) as (journal, _):
        for seq in range(1, 9):
            await journal.append(GRANT)
            await acknowledge(journal, seq)
        await acknowledge(journal, 1)
        await journal.append(GRANT)
        assert journal.position.head == 9
        batch = await journal.next_batch(journal.position.acknowledged)
        assert batch is not None
        assert batch.first_seq == 2


async def test_an_ack_that_can_not_be_true_is_ignored(tmp_path: Path) -> None:
    async with journal_in(tmp_path) as (journal, _):
        await journal.append(GRANT)
        await acknowledge(journal, 2)
        await journal.acknowledge(Ack(type(journal.position.journal)("0" * 32), 1))
        assert journal.position.acknowledged == 0


@settings(max_examples=20, deadline=None)
@given(st.lists(st.one_of(st.just("event"), st.integers(-1, 12)), max_size=25))
def test_acks_in_any_order_lose_nothing(steps: list[str | int]) -> None:
    """A console that stores what it is sent, and says anything at all in between."""

    async def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with journal_in(Path(folder)) as (journal, _):
                stored: set[int] = set()
                for step in steps:
                    if isinstance(step, str):
                        await journal.append(GRANT)
                    else:
                        await acknowledge(journal, step)
                    batch = await journal.next_batch(journal.position.acknowledged)
                    stored |= set() if batch is None else sequence(batch.first_seq, batch.lines)
                await acknowledge(journal, 0)  # restored from its oldest backup
                batch = await journal.next_batch(journal.position.acknowledged)
                count = len([step for step in steps if isinstance(step, str)])
                assert (batch is None) == (count == 0)
                if batch is not None:
                    assert sequence(batch.first_seq, batch.lines) == set(range(1, count + 1))
                assert len(await chain(journal)) == count

    asyncio.run(run())


def sequence(first: int, lines: tuple[bytes, ...]) -> set[int]:
    return set(range(first, first + len(lines)))
