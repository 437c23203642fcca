"""Several endless things at once: when one of them ends, so do all."""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def together(*works: Coroutine[Any, Any, None]) -> None:
    """Runs all of `works` until one ends, cancels the others, and raises what it raised.

    Not asyncio.TaskGroup, which before Python 3.13 loses a cancellation that comes while its tasks
    fail, and leaves its own uncounted: a loop around it could never be ended.
    Source: docs.python.org, "Coroutines and Tasks", Task groups, changed in 3.13.
    """
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    failures = [task.exception() for task in tasks if not task.cancelled()]
    for failure in failures:
        if failure is not None:
            raise failure
