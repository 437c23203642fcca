"""Keeps the console's own tasks running, and ends them.

One that crashes is told of, and started again. One that is to end is told so until it does: before
Python 3.12 `asyncio.wait_for`, by which psycopg and aiomqtt wait, loses a cancellation that comes
in the moment when what it waits for is done. Source: docs.python.org, "Coroutines and Tasks",
wait_for, changed in 3.12.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import suppress
from typing import Any

import structlog

log = structlog.get_logger()

FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 30.0
STEADY_SECONDS = 60.0
"""A task that ran this long starts the waiting times anew."""
TELL_AGAIN_SECONDS = 1.0
"""A task that has not ended so long after it was told to is told again: longer than any of them
takes to end in good order."""


async def keep_running(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Runs `work` until cancelled, again and again: it isn't meant to end."""
    crashes = 0
    while True:
        began = time.monotonic()
        try:
            await work()
            log.error("task.ended", task=name)
        except Exception:
            # The outermost loop of a task: whatever it is, the others go on and so does this one.
            log.exception("task.crashed", task=name)
        crashes = 0 if time.monotonic() - began > STEADY_SECONDS else crashes + 1
        await asyncio.sleep(min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** min(crashes, 8)))


async def together(*works: Coroutine[Any, Any, None]) -> None:
    """Runs all of `works` until one ends, ends the others, and raises what the first one raised."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await end(*tasks)
    failures = [task.exception() for task in tasks if not task.cancelled()]
    for failure in failures:
        if failure is not None:
            raise failure


async def end(*tasks: asyncio.Future[Any]) -> None:
    """Returns when all have ended, however often each has to be told; what they raise is theirs.

    Raises: CancelledError when the caller was cancelled meanwhile, but not before they have ended.
    """
    was_cancelled = False
    remaining: Iterable[asyncio.Future[Any]] = [task for task in tasks if not task.done()]
    while remaining:
        for task in remaining:
            task.cancel()
        try:
            await asyncio.wait(remaining, timeout=TELL_AGAIN_SECONDS)
        except asyncio.CancelledError:
            was_cancelled = True
        remaining = [task for task in remaining if not task.done()]
    for task in tasks:
        with suppress(asyncio.CancelledError):
            task.exception()  # looked at, so that nobody is told at the program's end
    if was_cancelled:
        raise asyncio.CancelledError
