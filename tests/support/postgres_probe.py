"""Looking at an embedded PostgreSQL from outside: its process, its answers, other users of it."""

import asyncio
import os
import pwd
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator, Iterable
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "PYTHONPATH": os.pathsep.join(sys.path),
    "PYTHONDONTWRITEBYTECODE": "1",
}


def server_process(data_dir: Path) -> int | None:
    """The process that listens on the socket."""
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(data_dir / "postgres" / ".s.PGSQL.5432"))
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        told = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        return struct.unpack("3i", told)[0]


def processes_in(folder: Path) -> list[int]:
    found: list[int] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == folder:
                found.append(int(process.name))
        except OSError:
            continue
    return found


@contextmanager
def standing_still(data_dir: Path) -> Generator[None]:
    """The server hangs: its first process stops before it could make another, then the rest."""
    first = server_process(data_dir)
    assert first is not None
    send(signal.SIGSTOP, [first])
    processes = processes_in(data_dir / "postgres" / "data")
    send(signal.SIGSTOP, processes)
    try:
        yield
    finally:
        send(signal.SIGCONT, processes)


def send(number: signal.Signals, processes: Iterable[int]) -> None:
    """To those that are still there."""
    for process in processes:
        with suppress(ProcessLookupError):  # it was about to end
            os.kill(process, number)


async def ask(conninfo: str, question: str) -> object:
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection:
        cursor = await connection.execute(question.encode())
        row = await cursor.fetchone() if cursor.description else None
        return row[0] if row else None


async def answers(conninfo: str) -> bool:
    try:
        return await ask(conninfo, "select 1") == 1
    except psycopg.OperationalError:
        return False


class Holder:
    """A process that has said whether it uses the server."""

    def __init__(self, process: asyncio.subprocess.Process, said: str) -> None:
        self.process = process
        self.said = said

    @property
    def conninfo(self) -> str:
        assert self.said.startswith("running "), self.said
        return self.said.removeprefix("running ")


def as_user(user: str) -> list[str]:
    """A command that is Python run by `user`, with this environment's libraries; skips if none is.

    Ours may lie below root's home, where nobody else can go.
    """
    group = str(pwd.getpwnam(user).pw_gid)
    become = ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups"]
    for python in (sys.executable, "/usr/bin/python3"):
        command = [*become, python]
        tried = subprocess.run(
            [*command, "-c", "import psycopg, structlog"],
            env=ENVIRONMENT,
            check=False,
            capture_output=True,
        )
        if tried.returncode == 0:
            return command
    pytest.skip(f"no Python that {user} can run has psycopg: {tried.stderr.decode()[-200:]}")


@asynccontextmanager
async def beginning(
    data_dir: Path, *, user: str | None = None
) -> AsyncGenerator[asyncio.subprocess.Process]:
    """Another process that begins to use the server in `data_dir`; it leaves at the end."""
    process = await asyncio.create_subprocess_exec(
        *(as_user(user) if user else [sys.executable]),
        "-m",
        "tests.support.postgres_holder",
        data_dir,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=ENVIRONMENT,
    )
    assert process.stdin is not None
    try:
        yield process
    finally:
        process.stdin.close()
        async with asyncio.timeout(30):
            await process.wait()


@asynccontextmanager
async def holder(data_dir: Path, *, user: str | None = None) -> AsyncGenerator[Holder]:
    """Another process that uses the server in `data_dir`, or has said why it can't."""
    async with beginning(data_dir, user=user) as process:
        assert process.stdout is not None
        said = ""
        async with asyncio.timeout(30):
            while not said.startswith(("running ", "refused ")):  # it logs as well
                said = (await process.stdout.readuntil(b"\n")).decode().strip()
        yield Holder(process, said)
