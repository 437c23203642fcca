"""A task that crashes is told of and started again; the others don't notice."""

import asyncio
from contextlib import suppress

import pytest
from structlog.testing import capture_logs

from console.supervision import end, keep_running, together
from tests.support.waiting import eventually


async def test_a_crash_is_logged_and_the_task_begins_again():
    begun = 0

    async def work() -> None:
        nonlocal begun
        begun += 1
        if begun == 1:
            raise ZeroDivisionError
        if begun == 2:
            return
        await asyncio.Event().wait()

    with capture_logs() as lines:
        task = asyncio.create_task(keep_running("trial", work))
        await eventually(lambda: begun == 3)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    assert [line["event"] for line in lines] == ["task.crashed", "task.ended"]
    assert {line["task"] for line in lines} == {"trial"}


class Deaf:
    """Loses the first cancellations, as a wait for something that is done just then may."""

    def __init__(self, losses: int) -> None:
        self.losses = losses

    async def work(self) -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if self.losses == 0:
                    raise
                self.losses -= 1


async def test_a_task_that_loses_its_cancellation_ends_all_the_same():
    task = asyncio.create_task(Deaf(2).work())
    await asyncio.sleep(0)
    await end(task)
    assert task.cancelled()


async def test_works_inside_works_end_though_each_loses_its_cancellation():
    inner = [Deaf(1), Deaf(2)]
    task = asyncio.create_task(together(together(*(one.work() for one in inner)), Deaf(1).work()))
    await asyncio.sleep(0.01)
    await end(task)
    assert [one.losses for one in inner] == [0, 0]


async def test_what_the_first_work_raises_ends_the_others():
    deaf = Deaf(1)

    async def fail() -> None:
        await asyncio.sleep(0.01)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await together(deaf.work(), fail())
    assert deaf.losses == 0
