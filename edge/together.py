"""Several endless things at once: when one of them ends, so do all."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

T = TypeVar("T")

TELL_AGAIN_SECONDS = 1.0
"""Longer than any of them takes to end in good order."""


async def together(*works: Coroutine[Any, Any, None]) -> None:
    """Runs all of `works` until one ends, cancels the others, and raises what it raised.

    Not asyncio.TaskGroup, which before Python 3.13 loses a cancellation that comes while its tasks
    fail, and leaves its own uncounted: a loop around it could never be ended. And each is told to
    end until it does: before Python 3.12 asyncio.wait_for, by which aiomqtt waits, loses a
    cancellation that comes as it is done.
    Source: docs.python.org, "Coroutines and Tasks", changes in 3.12 and 3.13.
    """
    tasks = [asyncio.ensure_future(work) for work in works]
    for task in tasks:
        task.add_done_callback(look_at)
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _end(tasks)
    for failure in (task.exception() for task in tasks if not task.cancelled()):
        if failure is not None:
            raise failure


async def whole(work: Coroutine[Any, Any, T]) -> T:
    """What `work` returns or raises; if this wait is cancelled, `work` goes on to its own end.

    For what mustn't be done by halves: on the disk, and not in memory.
    """
    task = asyncio.ensure_future(work)
    task.add_done_callback(look_at)
    return await asyncio.shield(task)


def look_at(done: asyncio.Future[Any]) -> None:
    """Looks how it ended, where perhaps nobody else will: asyncio would complain of that."""
    if not done.cancelled():
        done.exception()


async def _end(tasks: Sequence[asyncio.Future[None]]) -> None:
    was_cancelled = False
    remaining = [task for task in tasks if not task.done()]
    while remaining:
        for task in remaining:
            task.cancel()
        try:
            await asyncio.wait(remaining, timeout=TELL_AGAIN_SECONDS)
        except asyncio.CancelledError:
            was_cancelled = True
        remaining = [task for task in remaining if not task.done()]
    if was_cancelled:
        raise asyncio.CancelledError
