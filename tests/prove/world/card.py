"""The SD card: real SQLite files, on a disk that stalls, fails, and loses its power.

What is committed is told to the world at once, read through the very connection that committed it.
That unsynced sectors are lost is the business of another proof (tests/prove/cuts.py).
"""

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, Literal

from edge.disk import Disk, machine
from edge.provision import provision
from edge.store import STORE_NAME
from tests.prove.world.loop import Effort
from tests.prove.world.timeline import NS, Timeline

Failure = Literal["io", "full", "late"]
"""`late`: the commit is there, and yet it was answered with an error."""

FILES = (STORE_NAME, f"{STORE_NAME}-wal")


class Watched(sqlite3.Connection):
    """A connection that fails when the card does."""

    card: "SdCard"

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        self.card.fail_before(sql)
        cursor = super().execute(sql, parameters)
        if sql == "COMMIT":
            self.card.committed(lambda asked: sqlite3.Connection.execute(self, asked).fetchall())
            self.card.fail_after_commit()
        return cursor


Query = Callable[[str], list[tuple[Any, ...]]]
"""Reads what is committed."""


class SdCard:
    """One card; what is on it survives whatever happens to the controller."""

    def __init__(
        self, folder: Path, timeline: Timeline, random: Random, template: "Template"
    ) -> None:
        self.folder = folder
        self.committed: Callable[[Query], None] = lambda _query: None
        self._timeline = timeline
        self._random = random
        self._template = template
        self._connections: list[Watched] = []
        self._failure: Failure | None = None
        self._stalled_until_ns = 0
        self.slow_seconds = 0.0

    def disk(self) -> Disk:
        """What the daemon is given."""
        return replace(machine(), connect=self._connect, provision=self._provision)

    def effort(self) -> Effort:
        """What the next read or write takes."""
        seconds = self._random.uniform(0.001, 0.02) + self._random.random() * self.slow_seconds
        stalled = max(0, self._stalled_until_ns - self._timeline.now_ns) / NS
        return Effort(seconds + stalled, is_done_first=self._random.random() < 0.5)

    # What befalls it.

    def fail(self, failure: Failure | None) -> None:
        self._failure = failure

    def stall(self, seconds: float) -> None:
        self._stalled_until_ns = self._timeline.now_ns + int(seconds * NS)

    def lose_power(self) -> None:
        """What SQLite would still do to end in good order, it doesn't."""
        content = {name: self._read(name) for name in FILES}
        for connection in self._connections:
            with suppress(sqlite3.Error):
                connection.close()
        self._connections.clear()
        for name, data in content.items():
            path = self.folder / name
            if data is None:
                path.unlink(missing_ok=True)
            else:
                path.write_bytes(data)
        (self.folder / f"{STORE_NAME}-shm").unlink(missing_ok=True)
        self._stalled_until_ns = 0

    def rot(self, what: Literal["file", "slot", "keyset"]) -> None:
        """Bits go bad while nothing runs."""
        path = self.folder / STORE_NAME
        if not path.exists():
            return
        if what == "file":
            path.write_bytes(b"\xff" * 4096 + path.read_bytes()[4096:])
            (self.folder / f"{STORE_NAME}-wal").unlink(missing_ok=True)
            return
        connection = sqlite3.connect(path)
        table = "slot" if what == "slot" else "keyset"
        connection.execute(f"UPDATE {table} SET envelope = substr(envelope, 1, 40)")  # noqa: S608
        connection.commit()
        connection.close()

    # What the connections ask.

    def fail_before(self, sql: str) -> None:
        if self._failure == "io" and self._random.random() < 0.7:
            raise sqlite3.OperationalError("disk I/O error")
        if self._failure == "full" and (sql == "COMMIT" or sql.startswith("INSERT")):
            raise sqlite3.OperationalError("database or disk is full")

    def fail_after_commit(self) -> None:
        if self._failure == "late":
            raise sqlite3.OperationalError("disk I/O error")

    def _connect(self, path: Path) -> sqlite3.Connection:
        if self._failure == "io":
            raise sqlite3.OperationalError("unable to open database file")
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw",
            uri=True,
            isolation_level=None,
            timeout=0,
            factory=Watched,
        )
        connection.card = self
        self._connections.append(connection)
        return connection

    def _provision(self, data_dir: Path, owner: str) -> None:
        self._template.put_into(data_dir, owner, journal=self._random.randbytes(16).hex())

    def _read(self, name: str) -> bytes | None:
        path = self.folder / name
        return path.read_bytes() if path.exists() else None


class Template:
    """An empty store, made once by the real program and copied for each card."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made = False
        self.waiting = 0
        """How many events seem to wait for the console already: slots get scarce sooner."""

    def put_into(self, data_dir: Path, owner: str, *, journal: str) -> None:
        if not self._made:
            self._folder.mkdir()
            provision(self._folder, "nobody")
            self._made = True
        path = data_dir / STORE_NAME
        path.write_bytes((self._folder / STORE_NAME).read_bytes())
        connection = sqlite3.connect(path)
        connection.execute(
            "UPDATE state SET owner = ?, journal = ?, acknowledged = ?",
            (owner, journal, -self.waiting),
        )
        connection.commit()
        connection.close()
