"""The one SQLite file of a controller, and the one thread that touches it.

WAL with synchronous=FULL: of the modes that lose no acknowledged commit to a power cut, the one
with the fewest syncs. A sync that stalls holds up this thread only, never the event loop, which
must go on renewing leases. Which tables there are is said in edge/schema.py; what is in them is
the business of the journal and the rights cache.
"""

import asyncio
import sqlite3
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from math import ceil
from pathlib import Path
from typing import TypeVar

import structlog

from edge.disk import Disk, machine
from edge.errors import EdgeError, StorageFault
from edge.schema import SCHEMA_VERSION
from edge.set_aside import COMPANIONS, free_name, move, stores_aside
from edge.soundness import find_mistake

log = structlog.get_logger()

T = TypeVar("T")

STORE_NAME = "edge.sqlite"
PENDING_MAX = 64
"""Reads and writes that may wait for the thread; more means that the disk stands still."""

COMMITS_REMEMBERED = 500
CACHE_KIB = 1024
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class Store:
    """Runs functions on the connection, one after the other. Built by `open_store`."""

    def __init__(self, path: Path, executor: ThreadPoolExecutor, disk: Disk) -> None:
        """`executor` has the one thread."""
        self._path = path
        self._disk = disk
        self._executor = executor
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._pending = 0
        self._errand: asyncio.Future[None] | None = None
        self._fault: str | None = None
        self._distrust: str | None = None
        self.set_aside: tuple[Path, ...] = ()
        """Files of stores that were set aside beside this one, as of the last probe."""
        self._commits = deque[float](maxlen=COMMITS_REMEMBERED)

    @property
    def fault(self) -> str | None:
        """Why the last write failed, or what a probe found; None while all is well."""
        return self._fault or self._distrust

    @property
    def commit_p99_ms(self) -> int | None:
        """How long the slowest but one in a hundred of the last commits took; None: none yet."""
        slowest = sorted(self._commits)
        return ceil(slowest[len(slowest) * 99 // 100] * 1000) if slowest else None

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Runs `work` in one durable transaction: when this returns, a power cut can't undo it.

        Cancelling the wait does not undo a transaction that has begun.
        Raises: StorageFault; and what `work` raises, after a rollback.
        """
        return await self._run(self._write, work)

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Runs `work`, which must not write. Raises: StorageFault."""
        return await self._run(self._read, work)

    async def probe(self, mark: bytes) -> None:
        """Writes `mark`, always another one, and reads it back on a connection that remembers
        nothing. A disk that fails at it is at fault until a probe succeeds. Raises: StorageFault.
        """
        await self.write(lambda c: c.execute("UPDATE state SET canary = ?", (mark,)))
        found = await self._run(self._read_anew, _canary)
        if found != mark:
            self._distrust = "what was written reads back differently: replace the SD card"
            raise StorageFault(f"{self._path}: {self._distrust}")
        self._distrust = None

    async def answers(self, seconds: float) -> bool:
        """Whether the thread comes round to an errand within `seconds`, rather than stand still."""
        if self._errand is None or self._errand.done():
            try:
                loop = asyncio.get_running_loop()
                self._errand = loop.run_in_executor(self._executor, lambda: None)
            except RuntimeError:  # closed
                return False
        await asyncio.wait({self._errand}, timeout=seconds)
        return self._errand.done()

    async def close(self) -> None:
        """Finishes what was begun and closes the file."""
        await asyncio.get_running_loop().run_in_executor(self._executor, self._disconnect)
        self._executor.shutdown()

    async def _run(
        self, how: Callable[[Callable[[sqlite3.Connection], T]], T], work: Callable[..., T]
    ) -> T:
        if self._pending >= PENDING_MAX:
            raise StorageFault("the disk stands still: too many writes wait for it")
        self._pending += 1
        future = asyncio.get_running_loop().run_in_executor(self._executor, how, work)
        future.add_done_callback(self._count_down)
        return await future

    def _count_down(self, _future: asyncio.Future[T]) -> None:
        self._pending -= 1

    def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            connection = self._connected()
            connection.execute("BEGIN IMMEDIATE")
            try:
                result = work(connection)
            except EdgeError:
                connection.execute("ROLLBACK")
                raise
            began = time.monotonic()
            connection.execute("COMMIT")
            self._commits.append(time.monotonic() - began)
        except sqlite3.Error as error:
            self._fault = str(error)
            self._disconnect()
            raise StorageFault(f"the store can't be written: {error}") from error
        except BaseException:
            self._disconnect()  # which rolls back
            raise
        self._fault = None
        return result

    def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return work(self._connected())
        except sqlite3.Error as error:
            self._disconnect()
            raise StorageFault(f"the store can't be read: {error}") from error

    def _read_anew(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            self._disk.forget(Path(f"{self._path}-wal"))  # where the newest commits are
            with closing(_connect(self._path, self._disk)) as connection:
                found = work(connection)
            self.set_aside = stores_aside(self._path)
            return found
        except (OSError, sqlite3.Error) as error:
            self._distrust = f"what was written can't be read back: {error}"
            raise StorageFault(f"{self._path}: {self._distrust}") from error

    def _connected(self) -> sqlite3.Connection:
        if self._connection is not None and self._is_gone():
            self._disconnect()
        if self._connection is None:
            self._connection = _connect(self._path, self._disk)
            self._file = _identity(self._path)
        return self._connection

    def _is_gone(self) -> bool:
        """Whether the file was deleted or replaced: SQLite would go on writing to what is lost."""
        return self._file is None or _identity(self._path) != self._file

    def _disconnect(self) -> None:
        # A connection that failed to sync may remember pages that the disk doesn't have.
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()


async def open_store(
    data_dir: Path, owner: str, *, disk: Disk | None = None
) -> tuple[Store, Path | None]:
    """The store of `data_dir`, made or brought up to date if need be.

    `owner` is the controller and the root key that it obeys: numbers and floors of another one mean
    nothing to it. A store that is damaged, or somebody else's, is set aside, never deleted, and a
    new store with a new journal begins; the second value is then the old file's new name.
    Raises: StorageFault.
    """
    disk = disk or machine()
    executor = ThreadPoolExecutor(1, thread_name_prefix="store")
    loop = asyncio.get_running_loop()
    try:
        set_aside = await loop.run_in_executor(executor, _prepare, data_dir, owner, disk)
    except BaseException:
        executor.shutdown(wait=False)
        raise
    return Store(data_dir / STORE_NAME, executor, disk), set_aside


def _prepare(data_dir: Path, owner: str, disk: Disk) -> Path | None:
    path = data_dir / STORE_NAME
    set_aside: Path | None = None
    try:
        if path.exists() and not _is_sound(path, owner, disk):
            set_aside = free_name(path)
            move(path, set_aside, ("",), disk)
        if not path.exists():
            # SQLite would take an old WAL for the new file's own and bring its pages back. It lies
            # here still if the power went, or if somebody removed the store alone.
            move(path, set_aside or free_name(path), COMPANIONS, disk)
            disk.provision(data_dir, owner)
        elif _version(path, disk) != SCHEMA_VERSION:
            disk.provision(data_dir, owner)  # an older one is brought up to date
    except (OSError, sqlite3.Error) as error:
        raise StorageFault(f"{path} can't be opened: {error}") from error
    return set_aside


def _is_sound(path: Path, owner: str, disk: Disk) -> bool:
    """Whether the file can be used. Raises: StorageFault, sqlite3.Error."""
    try:
        with closing(_connect(path, disk)) as connection:
            mistake = find_mistake(connection, owner)
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _DAMAGED:
            raise
        mistake = str(error)
    if mistake is not None:
        log.error("store.found_unusable", reason=mistake)
    return mistake is None


def _version(path: Path, disk: Disk) -> int:
    """Raises: sqlite3.Error."""
    with closing(_connect(path, disk)) as connection:
        return connection.execute("PRAGMA user_version").fetchone()[0]


def _canary(connection: sqlite3.Connection) -> bytes:
    return connection.execute("SELECT canary FROM state").fetchone()[0]


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file it is; None: there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _connect(path: Path, disk: Disk) -> sqlite3.Connection:
    """Raises: sqlite3.Error, also when the file is missing: it is never made here."""
    connection = disk.connect(path)
    try:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA journal_size_limit = 8388608")
    except BaseException:
        connection.close()
        raise
    return connection
