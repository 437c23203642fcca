"""The data folder of one demo: made fresh, locked while it is used, and gone afterwards.

A demo that was killed outright can't clean up. Its controllers die with it, but its PostgreSQL goes
on; the next demo of the same user finds the folder unlocked, stops that server, and removes both.
"""

import fcntl
import os
import shutil
import signal
import stat
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import structlog

from console.errors import ConsoleError
from console.postgres.place import FOLDER_NAME, Place, prepare_place
from console.postgres.server import find_server, stop_server
from console.postgres.user import choose_user

PREFIX = "p2k16-demo-"
LOCK = "in-use"
ROOM_BYTES_MAX = 60
"""A longer temporary folder leaves too little for the names of the sockets below it."""

log = structlog.get_logger()


@asynccontextmanager
async def fresh_folder(room: Path | None = None) -> AsyncGenerator[Path]:
    """A folder of our own in `room`, removed in the end whatever happens.

    `room` None: where temporary files belong.
    """
    room = room or _usual_room()
    for leftover in _leftovers(room):
        await _clear_away(leftover)
    folder = _made(room)
    try:
        lock = _lock(folder)
        try:
            yield folder
        finally:
            os.close(lock)
    finally:
        _remove(folder)


def abandon(folder: Path) -> None:
    """Ends PostgreSQL in the folder at once, and removes the folder. Never raises."""
    with suppress(ConsoleError, OSError):
        place = folder / FOLDER_NAME
        server = find_server(Place(place, choose_user(place)))
        if server is not None:
            # Source: PostgreSQL manual, "Shutting Down the Server": SIGQUIT is for at once.
            signal.pidfd_send_signal(server, signal.SIGQUIT)
    shutil.rmtree(folder, ignore_errors=True)


def _usual_room() -> Path:
    """The temporary folder, or /tmp where that one is too deep or closed to PostgreSQL's user."""
    usual = Path(tempfile.gettempdir())
    return usual if len(os.fsencode(usual)) <= ROOM_BYTES_MAX and _is_open(usual) else Path("/tmp")  # noqa: S108


def _is_open(folder: Path) -> bool:
    if os.geteuid() != 0:
        return True
    return all(path.stat().st_mode & stat.S_IXOTH for path in (folder, *folder.parents))


def _made(room: Path) -> Path:
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=room))
    # PostgreSQL runs as another user when we are root, and has to pass through.
    folder.chmod(0o711)
    return folder


def _lock(folder: Path) -> int:
    """Locks before the name is there: a folder with an unlocked lock is a leftover for certain."""
    draft = folder / f"{LOCK}.new"
    lock = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    draft.rename(folder / LOCK)
    return lock


def _leftovers(room: Path) -> list[Path]:
    """Folders of demos of the same user, of those that run, too."""
    folders = sorted(room.glob(f"{PREFIX}*"))
    return [f for f in folders if f.lstat().st_uid == os.geteuid() and not f.is_symlink()]


async def _clear_away(folder: Path) -> None:
    """Clears away what a demo left behind that was killed; does nothing to one that runs."""
    try:
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_NOFOLLOW)
    except OSError:
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        await stop_server(await prepare_place(folder))
        _remove(folder)
        log.info("demo.cleared_away", folder=str(folder))
    except BlockingIOError:
        return  # another demo runs
    except ConsoleError as error:
        log.warning("demo.not_cleared_away", folder=str(folder), reason=str(error))
    finally:
        os.close(lock)


def _remove(folder: Path) -> None:
    """Once more, should somebody have written while we removed."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        shutil.rmtree(folder)
