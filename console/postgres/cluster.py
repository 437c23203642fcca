"""The server's data: making it, and the two files that say who may come in."""

import secrets
from contextlib import suppress
from pathlib import Path

from console.postgres.binaries import Binaries
from console.postgres.place import ROLE, Place
from console.postgres.user import PostgresRefused, ProgramFailed

MAP = "p2k16"


def made_by(place: Place) -> int | None:
    """The major version that made the data; None: there is none yet. Raises: PostgresRefused."""
    file = place.data / "PG_VERSION"
    if not place.data.exists():
        return None
    try:
        return int(file.read_text("ascii")[:8])
    except (OSError, ValueError) as error:
        raise PostgresRefused(f"{file} doesn't say which PostgreSQL made the data") from error


async def make_data(place: Place, binaries: Binaries) -> None:
    """Makes the data, whole or not at all. Takes about a second. Raises: PostgresRefused."""
    for old in place.folder.glob("data.*.new"):
        with suppress(ProgramFailed):
            await place.run("rm", "-rf", "--", old.name)
    # Another name each time: an `initdb` whose starter was killed may be at work there still.
    new = f"data.{secrets.token_hex(4)}.new"
    try:
        # C.UTF-8 sorts the same on every machine, so that no system update breaks an index.
        await place.run(
            binaries.folder / "initdb",
            f"--pgdata={new}",
            f"--username={ROLE}",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--auth=reject",
            "--data-checksums",
        )
        await place.run(
            binaries.folder / "postgres",
            "--single",
            "-j",
            "-c",
            "exit_on_error=on",
            "-D",
            new,
            "postgres",
            stdin=f"create database {ROLE};\n\n".encode(),
        )
        await place.run("mv", new, place.data.name)
    except ProgramFailed as error:
        raise PostgresRefused(f"can't make PostgreSQL's data in {place.folder}: {error}") from error


async def write_access(place: Place) -> None:
    """Only root and the server's own user come in, as the system vouches for them; nobody else.

    Written before every start: the folder may have come from another machine, with other names.
    """
    names = sorted({"root", place.user.name})
    people = "".join(f'{MAP} "{name}" {ROLE}\n' for name in names)
    await place.run("tee", Path("data/pg_ident.conf"), stdin=people.encode())
    await place.run(
        "tee", Path("data/pg_hba.conf"), stdin=f"local all all peer map={MAP}\n".encode()
    )
