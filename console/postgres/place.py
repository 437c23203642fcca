"""Where the embedded PostgreSQL lies: one folder of the server's user, below the data folder."""

import os
from pathlib import Path
from typing import BinaryIO, NoReturn

from msgspec import Struct
from psycopg.conninfo import make_conninfo

from console.postgres.user import PostgresRefused, ProgramFailed, ServerUser, choose_user, run_as

FOLDER_NAME = "postgres"
ROLE = "p2k16"
"""Of the superuser, and of the one database."""
PORT = 5432
"""Only a part of the socket's name: nothing listens on the network."""
SOCKET_BYTES_MAX = 107
"""Source: unix(7), sun_path of 108 bytes with its closing zero."""


class Place(Struct, frozen=True):
    """The folder and its owner. It has mode 0700, so nobody else reaches the socket in it."""

    folder: Path
    user: ServerUser

    @property
    def socket(self) -> Path:
        """On which the server listens."""
        return _socket(self.folder)

    @property
    def data(self) -> Path:
        """PostgreSQL's own folder. Once it exists it is whole: it is made beside, then renamed."""
        return self.folder / "data"

    @property
    def conninfo(self) -> str:
        """For psycopg; there is no password in it."""
        return make_conninfo(host=str(self.folder), port=PORT, user=ROLE, dbname=ROLE)

    async def run(self, *command: str | Path, stdin: bytes | BinaryIO = b"") -> str:
        """Runs a program as the server's user in the folder. Raises: ProgramFailed."""
        return await run_as(self.user, *command, folder=self.folder, stdin=stdin)


async def prepare_place(data_dir: Path) -> Place:
    """Makes the folder where it is missing. Changes no permission of a folder that was there.

    Raises: PostgresRefused.
    """
    folder = Path(os.path.abspath(data_dir)) / FOLDER_NAME  # noqa: ASYNC240, PTH100 - no I/O here
    _check_path(folder)
    try:
        user = choose_user(folder)
        _make_data_dir(folder.parent)
        _make_folder(folder, user)
    except OSError as error:
        raise PostgresRefused(f"can't use {folder} as PostgreSQL's: {error}") from error
    place = Place(folder, user)
    if not await _can_enter(place, folder):
        await _refuse_reach(place)
    return place


def _socket(folder: Path) -> Path:
    return folder / f".s.PGSQL.{PORT}"


def _check_path(folder: Path) -> None:
    too_many = len(os.fsencode(_socket(folder))) - SOCKET_BYTES_MAX
    if too_many > 0:
        raise PostgresRefused(
            f"data_dir {folder.parent} is {too_many} bytes too long for PostgreSQL's socket: "
            "choose a shorter data_dir, or set [database] url"
        )
    if "," in str(folder):
        raise PostgresRefused(
            f"data_dir {folder.parent} has a comma, which divides host names for PostgreSQL: "
            "choose another data_dir, or set [database] url"
        )


def _make_data_dir(data_dir: Path) -> None:
    missing = [path for path in (data_dir, *data_dir.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        if os.geteuid() == 0:
            # Whatever root's umask: the server's user has to pass through. Secrets have 0600.
            path.chmod(0o755)


def _make_folder(folder: Path, user: ServerUser) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if os.fstat(opened).st_uid != user.uid:
            if os.listdir(opened):  # noqa: PTH208 - a path could have been exchanged
                raise PostgresRefused(f"{folder} has contents of root's: use another data_dir")
            os.fchown(opened, user.uid, user.gid)
    finally:
        os.close(opened)


async def _can_enter(place: Place, path: Path) -> bool:
    try:
        await run_as(place.user, "test", "-x", path, folder=Path("/"))
    except ProgramFailed:
        return False
    return True


async def _refuse_reach(place: Place) -> NoReturn:
    closed = place.folder
    for path in place.folder.parents:
        if not await _can_enter(place, path):
            closed = path
    raise PostgresRefused(
        f"PostgreSQL runs as {place.user.name}, who can't enter {closed}: choose a data_dir "
        f"elsewhere, such as /var/lib/p2k16, or allow it with: chmod o+x {closed}"
    )
