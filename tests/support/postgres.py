"""A real PostgreSQL for the tests, started once by our own launcher; a database for each test.

A migrated database is copied from a template, which takes some hundredths of a second.
"""

import asyncio
import secrets
import shutil
import tempfile
from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from console.database import Connection, Database, open_database
from console.migrate import migrate
from console.postgres.embedded import running_server
from console.settings import (
    ConsoleSettings,
    DatabaseSettings,
    HttpSettings,
    LoginSettings,
    MqttSettings,
    RoleSettings,
)
from sync.settings_values import Address

TEMPLATE = "p2k16_template"
MEMORY_BYTES_MIN = 2 * 1024**3


@dataclass(frozen=True, slots=True)
class Postgres:
    """The server of the test run."""

    conninfo: str

    def url(self, database: str) -> str:
        """As one would write it in `[database] url`."""
        parts = conninfo_to_dict(self.conninfo)
        socket_folder = quote(str(parts["host"]), safe="")
        return f"postgresql://{parts['user']}@/{database}?host={socket_folder}&port={parts['port']}"

    def run(self, statement: bytes) -> None:
        """One statement of the server's superuser, in no test's database."""
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            connection.execute(statement)

    @contextmanager
    def database(self, *, template: str = "template0") -> Generator[str]:
        """The URL of a new database, which is dropped at the end whoever still uses it."""
        name = f"test_{secrets.token_hex(6)}"
        copy = f"create database {name} template {template} strategy file_copy"
        self.run(copy.encode())
        try:
            yield self.url(name)
        finally:
            self.run(f"drop database {name} with (force)".encode())


@contextmanager
def reachable_folder(*, in_memory: bool = False) -> Generator[Path]:
    """A short-named folder that PostgreSQL's user can enter too: pytest's are root's alone.

    In memory, where there is room, making a database takes 10 ms instead of 300.
    """
    memory = Path("/dev/shm")
    roomy = in_memory and memory.is_dir() and shutil.disk_usage(memory).free > MEMORY_BYTES_MIN
    folder = Path(tempfile.mkdtemp(prefix="p2k16-", dir=memory if roomy else None))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def console_settings(data_dir: Path, *, database_url: str | None) -> ConsoleSettings:
    """Settings with free ports, for parts of the console that read only some of them."""
    return ConsoleSettings(
        data_dir=data_dir,
        http=HttpSettings(listen=Address("127.0.0.1", 0), public_url=None),
        database=DatabaseSettings(url=database_url),
        mqtt=MqttSettings(
            url=None,
            listen=Address("127.0.0.1", 0),
            tls_certificate=None,
            tls_key=None,
            prefix="p2k16",
        ),
        roles=RoleSettings(admin_circle="admin"),
        login=LoginSettings(failures_per_minute=1000),
    )


@contextmanager
def started_postgres() -> Generator[Postgres]:
    """A server started by the launcher that the console uses; its data is gone afterwards."""
    # One loop for all of it: tests have loops of their own, and the server outlives those.
    with reachable_folder(in_memory=True) as folder, asyncio.Runner() as runner:
        server = AsyncExitStack()
        try:
            conninfo = runner.run(server.enter_async_context(running_server(folder)))
            running = Postgres(conninfo)
            # Nobody needs a test's data after a power cut.
            for setting in (b"fsync", b"full_page_writes", b"synchronous_commit"):
                running.run(b"alter system set " + setting + b" = off")
            running.run(b"select pg_reload_conf()")
            yield running
        finally:
            runner.run(server.aclose())


@pytest.fixture(scope="session")
def postgres() -> Generator[Postgres]:
    """The server of the test run."""
    with started_postgres() as running:
        running.run(b"create database " + TEMPLATE.encode())
        asyncio.run(migrate(running.url(TEMPLATE)))
        yield running


@pytest.fixture
def database_url(postgres: Postgres) -> Generator[str]:
    """A migrated database of the test's own."""
    with postgres.database(template=TEMPLATE) as url:
        yield url


@pytest.fixture
def empty_database_url(postgres: Postgres) -> Generator[str]:
    """A database of the test's own with nothing in it."""
    with postgres.database() as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[Database]:
    """The console's connections to a migrated database."""
    async with open_database(
        console_settings(Path("/nonexistent"), database_url=database_url)
    ) as opened:
        yield opened


@pytest.fixture
async def connection(database_url: str) -> AsyncGenerator[Connection]:
    """A connection in autocommit mode to a migrated database."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as opened:
        yield opened
