"""One daemon for each data folder: two of them would fork the journal."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from edge.errors import EdgeError

LOCK_NAME = "lock"


class AlreadyRunning(EdgeError):
    """Another daemon has the folder."""


@contextmanager
def claimed(data_dir: Path) -> Generator[None]:
    """Has the folder for as long as it lasts; made if missing. Raises: AlreadyRunning, EdgeError.

    A lock of fcntl(2), not of flock(2): a child that the daemon forked doesn't inherit it, so that
    one which outlives the daemon can't keep the next daemon from starting.
    """
    path = data_dir / LOCK_NAME
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise EdgeError(f"data_dir {data_dir} can't be used: {error.strerror}") from error
    try:
        give_to_owner(descriptor, data_dir)
        with _locked(descriptor, data_dir):
            yield
    finally:
        os.close(descriptor)


@contextmanager
def left_alone(data_dir: Path) -> Generator[None]:
    """Keeps a daemon from beginning, for as long as it lasts, if one ever ran here. Makes nothing.

    Raises: AlreadyRunning, EdgeError.
    """
    try:
        descriptor = os.open(data_dir / LOCK_NAME, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        yield
        return
    except OSError as error:
        raise EdgeError(f"data_dir {data_dir} can't be used: {error.strerror}") from error
    try:
        with _locked(descriptor, data_dir):
            yield
    finally:
        os.close(descriptor)


def give_to_owner(descriptor: int, data_dir: Path) -> None:
    """What root makes in somebody's folder is hers: the daemon could not open it otherwise."""
    if os.geteuid() == 0:
        with suppress(OSError):  # a file system without owners
            folder = data_dir.stat()
            os.fchown(descriptor, folder.st_uid, folder.st_gid)


@contextmanager
def _locked(descriptor: int, data_dir: Path) -> Generator[None]:
    """Until the file is closed."""
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise AlreadyRunning(
            f"another p2k16-edge runs on {data_dir}: stop it, or use another data_dir"
        ) from error
    yield
