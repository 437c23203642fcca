"""What the store does to the disk: SQLite files opened, files moved, and all of it made to last.

The one list of it, so that a proof can put a disk in its place that loses power. A name that was
given, moved or taken away lasts only once its folder is synced.
"""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge.errors import StorageFault

PROVISION_SECONDS_MAX = 60


@dataclass(frozen=True, slots=True)
class Disk:
    """All of these raise OSError or sqlite3.Error."""

    connect: Callable[[Path], sqlite3.Connection]
    """Opens a file that is there; begins no transactions by itself."""

    create: Callable[[Path], sqlite3.Connection]
    """The same, and makes a missing file."""

    rename: Callable[[Path, Path], None]
    """From, to."""

    remove: Callable[[Path], None]
    """Removes a file, if there is one."""

    sync: Callable[[Path], None]
    """Makes the content of a file, or the names in a folder, outlast a power cut."""

    forget: Callable[[Path], None]
    """Lets the system forget what it remembers of a file, so that it is read from the disk again.

    Never a file that SQLite locks: to close it would end the locks of the whole process.
    Source: sqlite.org/howtocorrupt.html, 2.2.
    """

    provision: Callable[[Path, str], None]
    """Makes the store in a folder, for an owner (edge/provision.py). Raises: StorageFault, too."""


def machine() -> Disk:
    """The disk of this machine."""
    return Disk(
        connect=_connect,
        create=lambda path: sqlite3.connect(path, isolation_level=None),
        rename=os.rename,
        remove=lambda path: path.unlink(missing_ok=True),
        sync=_sync,
        forget=_forget,
        provision=_provision,
    )


def _connect(path: Path) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode=rw"
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=2)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _forget(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


def _provision(data_dir: Path, owner: str) -> None:
    """In a program of its own, so that the daemon never holds sqlite-utils in memory."""
    try:
        subprocess.run(
            [sys.executable, "-P", "-m", "edge.provision", str(data_dir.absolute()), owner],
            check=True,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PROVISION_SECONDS_MAX,
        )
    except subprocess.CalledProcessError as error:
        raise StorageFault(f"no store can be made in {data_dir}: {error.stderr.strip()}") from error
    except subprocess.TimeoutExpired as error:
        raise StorageFault(f"no store can be made in {data_dir}: it takes too long") from error
