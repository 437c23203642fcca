"""The store's disk as a real folder of which every change is written down (tests/prove/power.py).

SQLite is reached through apsw, which lets Python stand between it and its files; the connection
looks like one of the standard library, with the standard library's errors.
"""

# apsw's types name some that it doesn't ship.
# pyright: reportUnknownMemberType=false

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar, cast

import apsw

from edge.disk import Disk
from edge.provision import provision
from tests.prove.power import (
    DiskOperation,
    Files,
    Move,
    Name,
    Sync,
    SyncNames,
    Truncate,
    Unname,
    Write,
)

T = TypeVar("T")

_JOURNALS = apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_SUPER_JOURNAL
_ERRORS: dict[int, type[sqlite3.Error]] = {
    apsw.SQLITE_CORRUPT: sqlite3.DatabaseError,
    apsw.SQLITE_NOTADB: sqlite3.DatabaseError,
    apsw.SQLITE_CONSTRAINT: sqlite3.IntegrityError,
}


class Record:
    """What was done in a folder. Shared memory is no file: SQLite makes it anew after a cut.

    `doing` is called before each operation.
    """

    def __init__(self, folder: Path, before: Files) -> None:
        self.folder = folder
        self.before = before
        self.done: list[DiskOperation] = []
        self.doing: Callable[[], None] = _nothing
        self._numbers = {name: number for number, name in enumerate(sorted(before))}
        self._next = len(before)

    def note(self, operation: DiskOperation) -> None:
        self.doing()
        self.done.append(operation)

    def number_of(self, path: str) -> int:
        """The file under this name, which is made if it is missing."""
        name = self._name(path)
        if name not in self._numbers:
            self._numbers[name] = self._next
            self._next += 1
            self.note(Name(name, self._numbers[name]))
        return self._numbers[name]

    def unname(self, path: str) -> None:
        name = self._name(path)
        if self._numbers.pop(name, None) is not None:
            self.note(Unname(name))

    def move(self, source: str, target: str) -> None:
        number = self._numbers.pop(self._name(source), None)
        if number is not None:
            self._numbers[self._name(target)] = number
            self.note(Move(self._name(source), self._name(target)))

    def _name(self, path: str) -> str:
        return Path(path).name


def _nothing() -> None:
    pass


class _RecordedFile(apsw.VFSFile):
    """A real file. It is not really synced: that takes time, and counts only in the record."""

    def __init__(self, record: Record, name: apsw.URIFilename | str, flags: list[int]) -> None:
        super().__init__("unix", name, flags)
        self._record = record
        path = name if isinstance(name, str) else name.filename()
        self._number = record.number_of(path)
        # SQLite's own layer syncs the folder with the first sync of a journal that it may make.
        is_made = bool(flags[0] & apsw.SQLITE_OPEN_CREATE)
        self._syncs_names = is_made and bool(flags[0] & _JOURNALS)

    def xWrite(self, data: Any, offset: int) -> None:  # noqa: N802
        self._record.note(Write(self._number, offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        self._record.note(Truncate(self._number, newsize))
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._record.note(Sync(self._number))
        if self._syncs_names:
            self._syncs_names = False
            self._record.note(SyncNames())


class _Recorder(apsw.VFS):
    def __init__(self, record: Record) -> None:
        super().__init__(f"recorded-{id(record)}", "unix")
        self.name = f"recorded-{id(record)}"
        self._record = record

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        if name is None:
            return apsw.VFSFile("unix", name, flags)
        return _RecordedFile(self._record, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        super().xDelete(filename, False)
        self._record.unname(filename)
        if syncdir:
            self._record.note(SyncNames())


class _Rows:
    """The answer to one statement, as the standard library's cursor gives it."""

    def __init__(self, real: apsw.Connection, cursor: apsw.Cursor) -> None:
        try:
            self.description = cursor.get_description()
        except apsw.ExecutionCompleteError:  # there are no rows
            self.description = ()
        self._rows = iter(list(cursor))
        self.rowcount = real.changes()
        self.lastrowid = real.last_insert_rowid()

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return self._rows

    def fetchone(self) -> tuple[Any, ...] | None:
        return next(self._rows, None)

    def fetchall(self) -> list[tuple[Any, ...]]:
        return list(self._rows)


class _Connection:
    """As much of the standard library's connection as edge/ and sqlite-utils ask for."""

    isolation_level = None

    def __init__(self, path: Path, flags: int, vfs: str, plant: Callable[[str], str]) -> None:
        self._plant = plant
        self._real = _translated(lambda: apsw.Connection(str(path), flags=flags, vfs=vfs))
        self._real.set_busy_timeout(2_000)

    def execute(self, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> _Rows:
        real, planted = self._real, self._plant(sql)
        return _translated(lambda: _Rows(real, real.execute(planted, values)))

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> _Rows:
        return _translated(lambda: _Rows(self._real, self._real.executemany(sql, rows)))

    def cursor(self) -> "_Connection":
        return self

    @property
    def in_transaction(self) -> bool:
        return self._real.in_transaction

    def close(self) -> None:
        _translated(self._real.close)

    def __enter__(self) -> "_Connection":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self._real.in_transaction:
            self.execute("COMMIT" if kind is None else "ROLLBACK")


def _translated(work: Callable[[], T]) -> T:
    """Raises: sqlite3.Error, with the code that the standard library would give."""
    try:
        return work()
    except apsw.Error as error:
        code = getattr(error, "result", apsw.SQLITE_ERROR)
        known = _ERRORS.get(code, sqlite3.OperationalError)(str(error))
        known.sqlite_errorcode = getattr(error, "extendedresult", code)
        known.sqlite_errorname = type(error).__name__
        raise known from error


def recorded_disk(record: Record, *, plant: Callable[[str], str] = lambda sql: sql) -> Disk:
    """A disk that writes down what it is told. `plant` may put a mistake into a statement."""
    vfs = _Recorder(record)

    def connect(path: Path, flags: int) -> sqlite3.Connection:
        # What looks like a connection and behaves like one is one, for all that the store asks.
        return cast("sqlite3.Connection", _Connection(path, flags, vfs.name, plant))

    def rename(source: Path, target: Path) -> None:
        source.rename(target)
        record.move(str(source), str(target))

    def remove(path: Path) -> None:
        path.unlink(missing_ok=True)
        record.unname(str(path))

    def sync(path: Path) -> None:
        is_folder = path == record.folder
        record.note(SyncNames() if is_folder else Sync(record.number_of(str(path))))

    disk = Disk(
        connect=lambda path: connect(path, apsw.SQLITE_OPEN_READWRITE),
        create=lambda path: connect(path, apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE),
        rename=rename,
        remove=remove,
        sync=sync,
        forget=lambda _path: None,
        provision=lambda data_dir, owner: provision(data_dir, owner, disk=disk),
    )
    return disk
