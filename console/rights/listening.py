"""Hears that something has changed in the database, whoever changed it.

One connection of its own that only listens. Notifications that come while it is down are lost, so
each time that it is up again counts as a change.
"""

import asyncio
import random
from collections.abc import Callable

import psycopg
import structlog

from console.database import Connection

log = structlog.get_logger()

CHANNEL = "access_changed"
CHECK_SECONDS = 30.0
"""How often a silent connection is asked whether it still lives."""
ANSWER_SECONDS = 5
BACK_OFF_SECONDS_MAX = 10.0


async def listen(conninfo: str, on_change: Callable[[], None]) -> None:
    """Calls `on_change` for each change and after each (re)connect, until it is cancelled."""
    failures = 0
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(
                conninfo, autocommit=True, connect_timeout=ANSWER_SECONDS
            ) as connection:
                await connection.execute("listen access_changed")
                log.info("changes.heard")
                failures = 0
                on_change()
                await _hear(connection, on_change)
        except (psycopg.Error, TimeoutError) as error:
            failures += 1
            log.warning("changes.unheard", error=type(error).__name__, failures=failures)
        ceiling = min(BACK_OFF_SECONDS_MAX, 0.1 * 2 ** min(failures, 8))
        await asyncio.sleep(random.uniform(0, ceiling))  # noqa: S311 -- jitter, not a secret


async def _hear(connection: Connection, on_change: Callable[[], None]) -> None:
    while True:
        async for _ in connection.notifies(timeout=CHECK_SECONDS):
            on_change()
        async with asyncio.timeout(ANSWER_SECONDS):
            await connection.execute("select 1")
