"""Makes a database ready for this program: its schema, and the keys that belong to it.

Decides which database is prepared without being asked: an empty one, and one that was prepared
before. One of the old web application is not touched until somebody says `migrate`.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

import structlog

from console.database import Database
from console.errors import ConsoleError, DatabaseUnavailable
from console.migrate import Found, migrate, state_of
from console.site_keys import SiteKeys, claim, open_site_keys

log = structlog.get_logger()

BACK_OFF_SECONDS_MAX = 10.0


class NotMigrated(ConsoleError):
    """The database is the old web application's, and nobody has said that we may add to it."""


async def prepare_schema(database: Database) -> None:
    """Creates or updates the tables. Raises: NotMigrated, MigrationRefused, DatabaseUnavailable."""
    state = await state_of(database.conninfo)
    if state.found is Found.LEGACY:
        raise NotMigrated(
            "this is a database of the old web application, and was never migrated: read "
            "docs/migrating.md, then run `p2k16-console migrate`"
        )
    if state.pending:
        await migrate(database.conninfo)


async def prepare(
    database: Database, data_dir: Path, *, now_ms: int, notice: Callable[[str], None]
) -> SiteKeys:
    """For commands: schema and keys. Raises: ConsoleError."""
    await prepare_schema(database)
    async with database.writing() as conn:
        return await open_site_keys(conn, data_dir, now_ms=now_ms, notice=notice)


async def prepare_patiently(database: Database, keys: SiteKeys, data_dir: Path) -> None:
    """For `serve`, which has its keys already: waits until the database is there.

    Raises: NotMigrated, MigrationRefused, SiteKeysError: waiting wouldn't help.
    """
    failures = 0
    while True:
        try:
            await prepare_schema(database)
            async with database.writing() as conn:
                await claim(conn, keys, data_dir)
            return
        except DatabaseUnavailable as error:
            failures += 1
            wait_seconds = min(BACK_OFF_SECONDS_MAX, 0.25 * 2 ** min(failures, 8))
            log.warning(
                "database.awaited", error=str(error), failures=failures, next_try_s=wait_seconds
            )
        await asyncio.sleep(wait_seconds)
