"""Reads a file that a person named: whole, bounded, and only if it is a file."""

import errno
import os
import stat
from pathlib import Path


def read_regular(path: Path, *, bytes_max: int) -> bytes:
    """One byte more than `bytes_max` of a longer one. Raises: OSError.

    A FIFO would be waited for, a device can be without end, and to open one can have effects.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
    # Not blocking: should a FIFO have taken its place by now, nobody waits for it.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        return file.read(bytes_max + 1)
