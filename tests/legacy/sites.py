"""Consoles with settings of `[legacy]`, and the makerspace of the recordings."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

from aiohttp.test_utils import TestServer

from console.database import Connection, Database
from console.settings import ConsoleSettings, LegacySettings
from tests.support.console_app import Broker, Site, application, settings_for

RECORDED = Path(__file__).parent / "recorded"


def legacy_settings(
    database: Database, legacy: LegacySettings, *, public_url: str | None = None
) -> ConsoleSettings:
    """Those of other tests, with `[legacy]`."""
    return replace(settings_for(database.conninfo, public_url=public_url), legacy=legacy)


@asynccontextmanager
async def site_with(
    database: Database, connection: Connection, settings: ConsoleSettings
) -> AsyncGenerator[Site]:
    """A console with these settings."""
    broker = Broker()
    async with AsyncExitStack() as stack:
        app = await application(database, settings, broker)
        server = await stack.enter_async_context(TestServer(app))
        yield Site(stack, app, server, connection, broker)


async def as_recorded(connection: Connection) -> None:
    """Fills a migrated database with what the recordings began with."""
    for name in ("seed-base.sql", "seed-public.sql"):
        await connection.execute((RECORDED / name).read_bytes())
