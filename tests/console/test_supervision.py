"""A task that crashes is told of and started again; the others don't notice."""

import asyncio
from contextlib import suppress

from structlog.testing import capture_logs

from console.supervision import keep_running
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
