"""Notices when a controller falls silent: nobody reports that.

Nothing is stored; a page that is open hears of it, and says "offline since …" by the report's age.
"""

import asyncio

import structlog

from console.controllers import queries
from console.controllers.reports import OFFLINE_AFTER
from console.database import Database
from console.errors import DatabaseUnavailable
from console.web import times

log = structlog.get_logger()

EVERY_SECONDS = 5.0


async def watch(database: Database, *, every_seconds: float = EVERY_SECONDS) -> None:
    """Announces each controller that has become silent, until it is cancelled."""
    heard: set[str] = set()
    while True:
        try:
            async with database.reading() as conn:
                now_heard = await queries.heard_since(conn, since=times.now() - OFFLINE_AFTER)
                for controller in sorted(heard - now_heard):
                    log.warning("controller.silent", controller=controller)
                    await queries.announce(conn, controller=controller)
                heard = now_heard
        except DatabaseUnavailable:
            pass  # whoever else needs it says so
        await asyncio.sleep(every_seconds)
