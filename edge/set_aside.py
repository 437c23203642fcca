"""Stores that could not be used: moved aside with all that belongs to them, and never deleted.

Why a store is moved is decided in edge/store.py. That they are there is told until somebody has
looked into them and moved them elsewhere, since they fill the disk.
"""

from collections.abc import Sequence
from pathlib import Path

from edge.disk import Disk

COMPANIONS = ("-wal", "-shm", "-journal")
"""Endings of the files that SQLite keeps beside a store."""


def free_name(path: Path) -> Path:
    """Where a store can be set aside, with all that belongs to it."""
    number = 0
    while True:
        number += 1
        aside = path.with_name(f"{path.name}.damaged-{number}")
        if not any(Path(f"{aside}{ending}").exists() for ending in ("", *COMPANIONS)):
            return aside


def move(path: Path, aside: Path, endings: Sequence[str], disk: Disk) -> None:
    """Moves those files that are there, for good. Raises: OSError."""
    there = [ending for ending in endings if Path(f"{path}{ending}").exists()]
    for ending in there:
        disk.rename(Path(f"{path}{ending}"), Path(f"{aside}{ending}"))
    if there:
        disk.sync(path.parent)


def stores_aside(path: Path) -> tuple[Path, ...]:
    """The files of stores that were set aside here, by name. Raises: OSError."""
    return tuple(sorted(path.parent.glob(f"{path.name}.damaged-*")))
