"""Connections to PostgreSQL: a small pool that survives an outage of the server.

Decides how long anything waits for the database. What is asked of it is in each feature's
`queries.py`; where a transaction begins and ends is for the routes.
"""

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

import psycopg
from msgspec import Struct
from psycopg.abc import Buffer
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import TupleRow
from psycopg.types.datetime import TimestamptzLoader
from psycopg_pool import AsyncConnectionPool, PoolTimeout, TooManyRequests

from console.errors import DatabaseUnavailable
from console.settings import ConsoleSettings
from sync.settings_table import SettingsError

Connection = psycopg.AsyncConnection[TupleRow]

CONNECTIONS_MAX = 8
WAITING_MAX = 200
"""Requests that may wait for a connection at a time; a further one fails at once."""
CONNECT_SECONDS = 3
POOL_SECONDS = 2
CHECK_SECONDS = 1
"""A request waits for a connection as long as these two together, at most."""
ANSWER_SECONDS = 2
RECONNECT_SECONDS = 1
"""After that long the pool gives an attempt up, and the next request makes a new one. Longer, and
the pool's doubling pauses would keep it from noticing that the database is back."""

CONNECTION = {
    "application_name": "p2k16-console",
    "client_encoding": "UTF8",
    "connect_timeout": str(CONNECT_SECONDS),
    # A server that vanishes without a word is noticed after 15 s.
    "keepalives_idle": "5",
    "keepalives_interval": "5",
    "keepalives_count": "2",
    "tcp_user_timeout": "15000",
}
"""What the URL may say otherwise."""

SESSION = b"""
set timezone = 'UTC';
set datestyle = 'ISO, YMD';
set search_path = public, pg_temp;
set default_transaction_isolation = 'read committed';
set statement_timeout = '30s';
set lock_timeout = '5s';
set idle_in_transaction_session_timeout = '60s';
set p2k16.keep_history = 'on';
"""
"""The last line turns on the triggers that write the `*_version` tables: see V002.003."""


EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(9000, 1, 1, tzinfo=UTC)
"""Moments outside of these are cut to them when they are read: Python has no "infinity" and no year
10000, and a page has to add a day or a time zone to what it shows."""


class _MomentLoader(TimestamptzLoader):
    """Reads ISO moments with Python's own reader, which takes a third of the time."""

    def load(self, data: Buffer) -> datetime:
        try:
            moment = datetime.fromisoformat(bytes(data).decode("ascii"))
        except ValueError:
            moment = self._unusual(data)
        return min(max(moment, EARLIEST), LATEST)

    def _unusual(self, data: Buffer) -> datetime:
        try:
            return super().load(data)
        except psycopg.DataError:
            text = bytes(data)
            return EARLIEST if text.startswith(b"-") or text.endswith(b" BC") else LATEST


class Author(Struct, frozen=True):
    """Whom a change comes from, as the tables' history and the audit keep it.

    `account_id` None: nobody is logged in. `address` None: it didn't come over the network.
    `doing`: method and route, `POST /circles/{circle}/members`, or the command that was given.
    """

    account_id: int | None
    address: str | None
    doing: str


def at_prompt(command: str) -> Author:
    """Whoever gives a command, such as `cards assign`, at the server's prompt."""
    return Author(None, None, f"p2k16-console {command}")


class Database:
    """The console's connections. Made by `open_database`."""

    def __init__(self, conninfo: str, pool: AsyncConnectionPool[Connection]) -> None:
        self.conninfo = conninfo
        """For a connection of one's own, such as one that listens. It may hold a password."""
        self._pool = pool

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[Connection]:
        """A connection in autocommit mode, for SELECTs. Raises: DatabaseUnavailable."""
        async with self._connection() as connection:
            yield connection

    @asynccontextmanager
    async def writing(self, *, by: Author | None = None) -> AsyncGenerator[Connection]:
        """One transaction: commits at the end, rolls back on an exception.

        `by`: whom the change comes from; None: the program itself.
        Raises: DatabaseUnavailable. When that comes at the end, whether the commit was done is
        unknown.
        """
        async with self._connection() as connection, connection.transaction():
            if by is not None:
                await connection.execute(
                    """
                    select set_config('p2k16.actor', %s, true),
                      set_config('p2k16.remote_addr', %s, true),
                      set_config('p2k16.doing', %s, true)
                    """,
                    [str(by.account_id or ""), by.address or "", by.doing],
                )
            yield connection

    async def answers(self) -> bool:
        """Whether the database answers a question now; takes at most 2 s."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS), self.reading() as connection:
                await connection.execute("select 1")
        except (TimeoutError, DatabaseUnavailable, psycopg.Error):
            return False
        return True

    @asynccontextmanager
    async def _connection(self) -> AsyncGenerator[Connection]:
        connection = await self._living()
        try:
            yield connection
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            if connection.closed:
                raise DatabaseUnavailable("the connection to PostgreSQL was lost") from error
            raise
        finally:
            await self._pool.putconn(connection)

    async def _living(self) -> Connection:
        """A connection that works now.

        The pool can check by itself, but then waits a second after each dead connection that it
        finds, and after a restart of the server all are dead.
        """
        deadline = time.monotonic() + POOL_SECONDS
        try:
            while True:
                connection = await self._pool.getconn(deadline - time.monotonic())
                alive = False
                try:
                    alive = await _answers(connection)
                finally:
                    if not alive:
                        await self._pool.putconn(connection)
                if alive:
                    return connection
        except (PoolTimeout, TooManyRequests) as error:
            raise DatabaseUnavailable(f"PostgreSQL doesn't answer at {self._where()}") from error

    def _where(self) -> str:
        parts = conninfo_to_dict(self.conninfo)
        return f"{parts.get('host', 'localhost')}, database {parts.get('dbname', '')}"


def open_database(
    settings: ConsoleSettings, *, must_answer: bool = False
) -> AbstractAsyncContextManager[Database]:
    """The database of the settings, or the embedded one, which it starts where needed.

    With `must_answer`, for commands, a database that can't be reached is an error at once. Without,
    it may come later: until then `reading` and `writing` raise DatabaseUnavailable after 3 s.
    Raises: SettingsError for a malformed URL; PostgresRefused when no embedded server can run here;
    DatabaseUnavailable.
    """
    return _open(settings, must_answer=must_answer)


@asynccontextmanager
async def _open(settings: ConsoleSettings, *, must_answer: bool) -> AsyncGenerator[Database]:
    async with AsyncExitStack() as stack:
        if settings.database.url is None:
            # Half a megabyte that a console with an outside database does without.
            from console.postgres.embedded import running_server

            server = running_server(settings.data_dir)
            conninfo = _with_defaults(await stack.enter_async_context(server))
        else:
            conninfo = _with_defaults(settings.database.url)
        if must_answer:
            await _try_once(conninfo)
        pool = _pool(conninfo)
        await pool.open(wait=False)
        stack.push_async_callback(pool.close, CONNECT_SECONDS)
        yield Database(conninfo, pool)


def _with_defaults(url: str) -> str:
    try:
        given = conninfo_to_dict(url)
        return make_conninfo(url, **{k: v for k, v in CONNECTION.items() if k not in given})
    except psycopg.ProgrammingError as error:
        # Without the reason: it quotes the URL, and the URL may hold a password.
        raise SettingsError(
            "[database] url", ["is not a URL that PostgreSQL's own programs would take"]
        ) from error


def _pool(conninfo: str) -> AsyncConnectionPool[Connection]:
    return AsyncConnectionPool[Connection](
        conninfo,
        open=False,
        min_size=1,
        max_size=CONNECTIONS_MAX,
        max_waiting=WAITING_MAX,
        timeout=POOL_SECONDS,
        reconnect_timeout=RECONNECT_SECONDS,
        kwargs={"autocommit": True},
        configure=_configure,
        name="console",
    )


async def _try_once(conninfo: str) -> None:
    try:
        connection = await psycopg.AsyncConnection.connect(conninfo)
    except psycopg.OperationalError as error:
        reason = (str(error).strip() or "no reason given").splitlines()[0]
        raise DatabaseUnavailable(f"PostgreSQL doesn't answer: {reason}") from error
    await connection.close()


async def _configure(connection: Connection) -> None:
    connection.adapters.register_loader("timestamptz", _MomentLoader)
    await connection.execute(SESSION)


async def _answers(connection: Connection) -> bool:
    """Whether it works; closes it when it doesn't, or when that is unknown after a second."""
    asking = asyncio.create_task(connection.execute(""))
    try:
        await asyncio.wait([asking], timeout=CHECK_SECONDS)
    finally:
        hanging = not asking.done()
        if hanging:
            # Cancelling would wait for the server to confirm it. Closing at once would leave the
            # number of the socket to another one, while the loop still waits on it for this one.
            _hang_up(connection)
            await asyncio.wait([asking])
            await connection.close()
    return asking.exception() is None and not hanging


def _hang_up(connection: Connection) -> None:
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(connection.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)
