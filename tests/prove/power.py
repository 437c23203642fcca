"""A disk that loses power: what was done to it, and what may be left of it after a cut.

What wasn't synced is lost in sectors of 512 bytes: each may hold what it held before, what was
written last, anything written in between, or half of the one and half of the other. A file that
grew or shrank may have any of its sizes since the last sync. A name that was given, moved or taken
away without a sync of the folder may be as it was before: all such changes after some instant, as
on a file system with a journal, or any of them, as POSIX allows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

SECTOR_BYTES = 512

Files = Mapping[str, bytes]
"""The files of a folder: name → content."""


@dataclass(frozen=True, slots=True)
class Write:
    """Of one file, which keeps its number under whatever name."""

    file: int
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Truncate:
    """To `size` bytes."""

    file: int
    size: int


@dataclass(frozen=True, slots=True)
class Sync:
    """All that was written to the file before is safe."""

    file: int


@dataclass(frozen=True, slots=True)
class Name:
    """The name leads to the file from now on."""

    name: str
    file: int


@dataclass(frozen=True, slots=True)
class Unname:
    """The name leads nowhere from now on."""

    name: str


@dataclass(frozen=True, slots=True)
class Move:
    """Another name for the same file."""

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class SyncNames:
    """All names of the folder are safe."""


Naming = Name | Unname | Move
DiskOperation = Write | Truncate | Sync | Naming | SyncNames


@dataclass(slots=True)
class _File:
    """`versions`: of each sector that was written since the last sync, oldest first."""

    safe: bytes = b""
    content: bytearray = field(default_factory=bytearray)
    sizes: list[int] = field(default_factory=lambda: [0])
    versions: dict[int, list[bytes]] = field(default_factory=dict[int, list[bytes]])

    def write(self, offset: int, data: bytes) -> None:
        end = offset + len(data)
        if end > len(self.content):
            self.content.extend(bytes(end - len(self.content)))
        self.content[offset:end] = data
        self.sizes.append(len(self.content))
        for sector in range(offset // SECTOR_BYTES, (end - 1) // SECTOR_BYTES + 1):
            self.versions.setdefault(sector, []).append(_sector(self.content, sector))

    def truncate(self, size: int) -> None:
        del self.content[size:]
        self.content.extend(bytes(size - len(self.content)))
        self.sizes.append(size)

    def sync(self) -> None:
        self.safe = bytes(self.content)
        self.sizes = [len(self.safe)]
        self.versions = {}

    def after_cut(self, chance: Random) -> bytes:
        match chance.randrange(4):
            case 0:
                return self.safe
            case 1:
                return bytes(self.content)
            case _:
                return self._torn(chance)

    def _torn(self, chance: Random) -> bytes:
        size = chance.choice(self.sizes)
        left = bytearray(self.safe[:size].ljust(size, b"\0"))
        for sector, written in self.versions.items():
            versions = [_sector(self.safe, sector), *written]
            newer = chance.randrange(len(versions))
            found = versions[newer]
            if newer and not chance.randrange(4):
                half = chance.choice((SECTOR_BYTES // 2, chance.randrange(SECTOR_BYTES)))
                parts = [versions[newer - 1], found]
                chance.shuffle(parts)
                found = parts[0][:half] + parts[1][half:]
            start = sector * SECTOR_BYTES
            left[start : start + SECTOR_BYTES] = found
        del left[size:]
        return bytes(left)


def _sector(content: bytes | bytearray, number: int) -> bytes:
    start = number * SECTOR_BYTES
    return bytes(content[start : start + SECTOR_BYTES]).ljust(SECTOR_BYTES, b"\0")


def after_cut(before: Files, done: Sequence[DiskOperation], chance: Random) -> dict[str, bytes]:
    """One of the states in which a cut after these operations may leave the folder.

    The files of `before` are numbered from 0, in order of their names.
    """
    files = {number: _File() for number in range(len(before))}
    for number, name in enumerate(sorted(before)):
        files[number].content.extend(before[name])
        files[number].sync()
    safe_names = {name: number for number, name in enumerate(sorted(before))}
    unsafe: list[Naming] = []
    for operation in done:
        match operation:
            case Write(number, offset, data):
                files.setdefault(number, _File()).write(offset, data)
            case Truncate(number, size):
                files.setdefault(number, _File()).truncate(size)
            case Sync(number):
                files.setdefault(number, _File()).sync()
            case SyncNames():
                safe_names = _renamed(safe_names, unsafe)
                unsafe = []
            case Name() | Unname() | Move():
                unsafe.append(operation)
    if chance.randrange(2):
        kept = unsafe[: chance.randrange(len(unsafe) + 1)]
    else:
        kept = [naming for naming in unsafe if chance.randrange(2)]
    names = _renamed(safe_names, kept)
    return {
        name: files.setdefault(number, _File()).after_cut(chance)
        for name, number in sorted(names.items())
    }


def _renamed(names: Mapping[str, int], changes: Sequence[Naming]) -> dict[str, int]:
    found = dict(names)
    for change in changes:
        match change:
            case Name(name, number):
                found[name] = number
            case Unname(name):
                found.pop(name, None)
            case Move(source, target):
                number = found.pop(source, None)
                if number is not None:
                    found[target] = number
    return found


def put(folder: Path, files: Files) -> None:
    """Makes the folder, with these files and no others."""
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    for name, content in files.items():
        (folder / name).write_bytes(content)
