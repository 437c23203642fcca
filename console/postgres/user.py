"""The system user that PostgreSQL runs as, since it refuses to be root.

Decides which user, and runs programs as that user. Root never writes below the server's folder
itself: the folder belongs to a less trusted user, who could lead root's pen elsewhere by a link.
"""

import asyncio
import os
import pwd
import signal
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from msgspec import Struct

from console.errors import ConsoleError

ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
"""All that a program of ours gets: a PGPORT or PGOPTIONS of the caller's must not reach it."""


class PostgresRefused(ConsoleError):
    """The embedded PostgreSQL can't be run here; the message says what to change."""


class ProgramFailed(ConsoleError):
    """A program ended with an error; the message is the end of what it said."""


class ServerUser(Struct, frozen=True):
    """A user with an entry in the system's list; peer authentication goes by the name."""

    uid: int
    gid: int
    name: str


def choose_user(folder: Path) -> ServerUser:
    """The user for the server in `folder`, which may not exist yet.

    An ordinary user runs it himself. Root runs it as the owner of the folder, or of the data folder
    around it, so that a service and an administrator's command share one server; else as `postgres`
    or `nobody`.
    Raises: PostgresRefused.
    """
    if os.geteuid() != 0:
        if folder.exists() and folder.stat().st_uid != os.geteuid():
            owner = _name_of(folder.stat().st_uid)
            raise PostgresRefused(f"{folder} belongs to {owner}: run this as {owner} or as root")
        return _user_with_id(os.geteuid())
    for path in (folder, folder.parent):
        if path.exists() and path.stat().st_uid != 0:
            return _user_with_id(path.stat().st_uid)
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return ServerUser(entry.pw_uid, entry.pw_gid, name)
    raise PostgresRefused("PostgreSQL can't run as root, and there is no user postgres or nobody")


async def run_as(
    user: ServerUser, *command: str | Path, folder: Path, stdin: bytes | BinaryIO = b""
) -> str:
    """Runs a program as `user` in `folder`, and gives what it wrote to its standard output.

    It gets a session of its own, so that Ctrl-C in a terminal doesn't reach what it starts.
    Raises: ProgramFailed.
    """
    ours, theirs = socket.socketpair()
    with ours, theirs:
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE if isinstance(stdin, bytes) else stdin,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                pass_fds=[theirs.fileno()],
                **_confined(user, folder),
            )
        except OSError as error:
            raise ProgramFailed(f"{command[0]} can't be run as {user.name}: {error}") from error
        theirs.close()
        try:
            given = stdin if isinstance(stdin, bytes) else None
            said, complained = await process.communicate(given)
        finally:
            if process.returncode is None:
                # Cancelled: it and its children must not go on when we have given up the locks.
                # All of them hold the other end, so that it closes when the last one has ended.
                os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
                ours.setblocking(False)
                await asyncio.get_running_loop().sock_recv(ours, 1)
    if process.returncode != 0:
        end = (complained or said).decode(errors="replace").strip()[-1000:]
        raise ProgramFailed(f"{Path(command[0]).name} failed: {end or process.returncode}")
    return said.decode(errors="replace")


def launch_as(user: ServerUser, *command: str | Path, folder: Path, log: str) -> int:
    """Starts a program that may outlive us; its output is added to the file `log`. Gives its id.

    Whoever sees it end calls `collect`. Raises: ProgramFailed.
    """
    try:
        process = subprocess.Popen(
            ["sh", "-c", 'log=$1; shift; exec "$@" >>"$log" 2>&1', "sh", log, *command],
            stdin=subprocess.DEVNULL,
            **_confined(user, folder),
        )
    except OSError as error:
        raise ProgramFailed(f"{command[0]} can't be run as {user.name}: {error}") from error
    process.returncode = 0  # else Python complains that nobody has waited for it
    return process.pid


def collect(pidfd: int) -> None:
    """Takes a child that has ended off the process table; does nothing when it isn't our child."""
    with suppress(ChildProcessError):
        os.waitid(os.P_PIDFD, pidfd, os.WEXITED | os.WNOHANG)


def _confined(user: ServerUser, folder: Path) -> dict[str, Any]:
    """How each program is started: as that user, there, with nothing of the caller's."""
    other = os.geteuid() != user.uid
    return {
        "cwd": folder,
        "env": ENVIRONMENT,
        "umask": 0o077,
        "start_new_session": True,
        "user": user.uid if other else None,
        "group": user.gid if other else None,
        "extra_groups": [] if other else None,
    }


def _user_with_id(uid: int) -> ServerUser:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError as error:
        raise PostgresRefused(
            f"the user id {uid} has no name in /etc/passwd, and PostgreSQL needs one: "
            "add it there, or set [database] url"
        ) from error
    return ServerUser(uid, entry.pw_gid, entry.pw_name)


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user id {uid}"
