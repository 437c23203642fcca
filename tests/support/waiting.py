"""Waiting for something to become true, with a deadline instead of a sleep."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import TypeVar, cast

T = TypeVar("T")


async def eventually(
    check: Callable[[], Awaitable[T | None] | T | None], *, seconds: float = 10, every: float = 0.01
) -> T:
    """Returns the first truthy result of `check`; fails the test after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        result = check()
        value = cast("T | None", await result if isawaitable(result) else result)
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not true within {seconds} s: {check}; last: {value!r}")
        await asyncio.sleep(every)


def eventually_sync(
    check: Callable[[], T | None], *, seconds: float = 10, every: float = 0.01
) -> T:
    """The same without an event loop."""
    deadline = time.monotonic() + seconds
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not true within {seconds} s: {check}; last: {value!r}")
        time.sleep(every)
