"""Several things at once: one ends, all end, and no cancellation is ever lost."""

import asyncio
import gc

import pytest

from edge.errors import LinkLost
from edge.together import together


async def fail(after: float) -> None:
    await asyncio.sleep(after)
    raise LinkLost("broke")


async def endure(ended: list[str], name: str, *, closing: float = 0) -> None:
    try:
        await asyncio.sleep(3600)
    finally:
        await asyncio.sleep(closing)
        ended.append(name)


async def test_the_first_failure_ends_all_and_is_raised_as_it_is() -> None:
    ended: list[str] = []
    with pytest.raises(LinkLost):
        await together(fail(0), endure(ended, "one"), endure(ended, "other"))
    assert sorted(ended) == ["one", "other"]


async def test_cancelling_ends_all() -> None:
    ended: list[str] = []
    task = asyncio.ensure_future(together(endure(ended, "one"), endure(ended, "other")))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sorted(ended) == ["one", "other"]


async def test_a_cancellation_while_a_failure_is_under_way_ends_the_loop_around_it() -> None:
    """What asyncio.TaskGroup gets wrong in Python 3.11 and 3.12."""
    ended: list[str] = []

    async def again_and_again() -> None:
        while True:
            try:
                await together(fail(0), endure(ended, "one", closing=0.05))
            except LinkLost:
                await asyncio.sleep(0.001)

    task = asyncio.ensure_future(again_and_again())
    await asyncio.sleep(0.02)  # the failure has happened, the other one is closing
    task.cancel()
    await asyncio.wait({task}, timeout=1)
    assert task.cancelled()


async def test_failures_leave_no_cancellation_behind() -> None:
    for _ in range(3):
        with pytest.raises(LinkLost):
            await together(fail(0), endure([], "one"))
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_a_work_that_loses_its_cancellation_ends_all_the_same() -> None:
    losses = 1

    async def deaf() -> None:
        nonlocal losses
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                if losses == 0:
                    raise
                losses -= 1

    task = asyncio.ensure_future(together(deaf()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert losses == 0


async def test_a_failure_that_comes_as_all_are_cancelled_twice_is_looked_at() -> None:
    """Else asyncio would complain on standard error."""
    complaints: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: complaints.append(context["message"]))
    task = asyncio.ensure_future(together(fail(0), endure([], "one", closing=0.05)))
    await asyncio.sleep(0.02)  # the failure has happened, the other one is closing
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    del task
    gc.collect()
    await asyncio.sleep(0)
    assert complaints == []
