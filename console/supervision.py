"""Keeps the console's own tasks running: one that crashes is told of, and started again."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger()

FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 30.0
STEADY_SECONDS = 60.0
"""A task that ran this long starts the waiting times anew."""


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
