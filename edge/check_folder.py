"""What a check finds about the data folder: whether it can be written, what would become of it in a
power cut, and what lies in it.
"""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from edge.enrolment import KEPT_NAME
from edge.errors import BECOME, StorageFault
from edge.finding import Finding
from edge.mounts import VOLATILE, file_system
from edge.set_aside import stores_aside
from edge.soundness import find_mistake
from edge.store import STORE_NAME

MOUNTINFO = Path("/proc/self/mountinfo")
FREE_MB_MIN = 100
"""A journal of 110,000 events takes about half of it."""


def check_folder(data_dir: Path, owner: str | None = None) -> Iterator[Finding]:
    """All that can be told of a folder that is there. `owner` of its store; None: not known."""
    yield _writable(data_dir)
    yield _lasting(data_dir)
    yield _keys(data_dir / KEPT_NAME)
    yield _store(data_dir / STORE_NAME, owner)
    yield from _set_aside(data_dir / STORE_NAME)


def _writable(path: Path) -> Finding:
    try:
        with tempfile.TemporaryFile(dir=path) as file:
            file.write(b"p2k16")
            file.flush()
            os.fsync(file.fileno())
        free_mb = shutil.disk_usage(path).free // 1_000_000
    except PermissionError as error:
        return Finding("data_dir", f"{path}: {error.strerror}", BECOME)
    except OSError as error:
        remedy = "free space, or replace the disk"
        return Finding("data_dir", f"{path}: {error.strerror}", remedy)
    if free_mb < FREE_MB_MIN:
        return Finding("data_dir", f"{path}: only {free_mb} MB are free", "free space", True)
    return Finding("data_dir", f"{path}, {free_mb} MB free")


def _lasting(path: Path) -> Finding:
    """On a read-only system everything but the data partition is an overlay in memory."""
    try:
        kind = file_system(path.resolve(), MOUNTINFO.read_text())
    except OSError:
        kind = None
    if kind is None:
        return Finding("disk", "what data_dir lies on is not known")
    if kind in VOLATILE:
        text = f"data_dir lies on {kind}: rights and journal may be gone after a power cut"
        remedy = "put data_dir on the data partition: firmware-config/read-only.md"
        return Finding("disk", text, remedy, is_warning=True)
    return Finding("disk", f"data_dir lies on {kind}")


def _keys(path: Path) -> Finding:
    try:
        mode = path.stat().st_mode & 0o777
    except FileNotFoundError:
        return Finding("keys", "none yet: a bundle brings them")
    except OSError as error:
        return Finding("keys", f"{path}: {error.strerror}", BECOME)
    if mode & 0o077:
        text = f"{path} can be read by others: whoever has it is this controller"
        return Finding("keys", text, f"chmod 600 {path}", is_warning=True)
    return Finding("keys", f"{path}, for its user alone")


def _store(path: Path, owner: str | None) -> Finding:
    try:
        path.open("rb").close()
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as found:
            mistake = find_mistake(found, owner)
            if mistake is None:
                return Finding("store", _contents(found))
    except FileNotFoundError:
        return Finding("store", "none yet: the daemon makes it")
    except PermissionError as error:
        return Finding("store", f"{path}: {error.strerror}", BECOME)
    except OSError as error:
        return Finding(
            "store", f"{path}: {error.strerror}", "correct data_dir, or replace the disk"
        )
    except StorageFault as error:
        text, _, remedy = str(error).partition(": ")
        return Finding("store", f"{path}: {text}", remedy)
    except sqlite3.Error as error:
        mistake = str(error)
    remedy = "start the daemon: it sets a store aside that it can't use, and begins a new one"
    return Finding("store", f"{path} can't be used: {mistake}", remedy)


def _contents(connection: sqlite3.Connection) -> str:
    events, epoch, serial = connection.execute(
        "SELECT (SELECT count(*) FROM event), floor_epoch, floor_serial FROM state"
    ).fetchone()
    rights = f"rights {epoch}.{serial}" if serial else "no rights yet"
    return f"{rights}, {events} events"


def _set_aside(path: Path) -> Iterator[Finding]:
    files = stores_aside(path)
    if files:
        size = sum(file.stat().st_size for file in files) / 1e6
        names = ", ".join(file.name for file in files)
        remedy = "look into it, then move it elsewhere; nothing deletes it"
        yield Finding("set aside", f"{names}: {size:.1f} MB", remedy, is_warning=True)
