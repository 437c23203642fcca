"""The embedded server as its users see it: the first starts it, the last one stops it.

Every command works whether `serve` runs or not, so several processes may use one server. Each holds
a shared lock on `users.lock` as long as it does; starting and stopping is done with `start.lock`
held. The kernel gives up the locks of a process that is killed, so no crash leaves one behind: the
next user finds the server running, and uses it, or finds it dead, and starts it.
"""

import asyncio
import fcntl
import os
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import structlog

from console.errors import ConsoleError, DatabaseUnavailable
from console.postgres.binaries import (
    INSTALLED,
    choose_binaries,
    installed_binaries,
    packaged_binaries,
    reachable,
)
from console.postgres.cluster import made_by, make_data
from console.postgres.place import Place, prepare_place
from console.postgres.server import (
    find_server,
    start_server,
    stop_server,
    wait_for_end,
    wait_until_ready,
)

log = structlog.get_logger()

TURN_SECONDS = 360
"""Longer than a start takes that has to repair the data first."""
POLL_SECONDS = 0.05
RESTART_SECONDS_MAX = 10


@asynccontextmanager
async def running_server(data_dir: Path, *, installed_in: Path = INSTALLED) -> AsyncGenerator[str]:
    """The conninfo of the embedded server below `data_dir`; it runs until the last user leaves.

    While this process uses it, it also starts it again when it ends.
    Raises: PostgresRefused when it can't be run here; DatabaseUnavailable when it doesn't start.
    """
    place = await prepare_place(data_dir)
    await place.run("touch", "start.lock", "users.lock")
    with _opened(place.folder / "users.lock") as users:
        async with _turn(place):
            fcntl.flock(users, fcntl.LOCK_SH)
            try:
                await _ensure_running(place, installed_in)
            except BaseException:
                await _leave(place, users)
                raise
        keeper = asyncio.create_task(_keep_running(place, installed_in))
        try:
            yield place.conninfo
        finally:
            keeper.cancel()
            with suppress(asyncio.CancelledError):
                await keeper
            async with _turn(place):
                await _leave(place, users)


@contextmanager
def _opened(lock: Path) -> Generator[int]:
    # Close-on-exec, as Python opens everything: PostgreSQL must not inherit a lock.
    descriptor = os.open(lock, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@asynccontextmanager
async def _turn(place: Place) -> AsyncGenerator[None]:
    """Holds `start.lock`. Raises: DatabaseUnavailable when others keep it too long."""
    deadline = time.monotonic() + TURN_SECONDS
    with _opened(place.folder / "start.lock") as lock:
        while not _lock_at_once(lock):
            if time.monotonic() > deadline:
                raise DatabaseUnavailable(
                    "another p2k16 process has been starting or stopping PostgreSQL for "
                    f"{TURN_SECONDS} s"
                )
            await asyncio.sleep(POLL_SECONDS)
        yield


def _lock_at_once(lock: int) -> bool:
    """Whether the lock is ours alone now."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


async def _leave(place: Place, users: int) -> None:
    """Gives up our use, and stops the server when it was the last one. Needs the turn."""
    if _lock_at_once(users):
        await stop_server(place)
    fcntl.flock(users, fcntl.LOCK_UN)


async def _ensure_running(place: Place, installed_in: Path) -> None:
    """Needs the turn."""
    server = find_server(place)
    if server is not None:
        try:
            if await wait_until_ready(place, server):
                return
        finally:
            os.close(server)
    candidates = [*installed_binaries(installed_in)]
    packaged = packaged_binaries()
    if packaged is not None:
        candidates.append(packaged)
    version = made_by(place)
    binaries = await reachable(choose_binaries(version, *candidates), place)
    if version is None:
        await make_data(place, binaries)
    await start_server(place, binaries)


async def _keep_running(place: Place, installed_in: Path) -> None:
    """Never returns."""
    pause_seconds = 0.1
    while True:
        try:
            server = find_server(place)
            if server is None:
                log.warning("postgres.lost")
                async with _turn(place):
                    await _ensure_running(place, installed_in)
                continue
            pause_seconds = 0.1
            try:
                await wait_for_end(server)
            finally:
                os.close(server)
        except (ConsoleError, OSError) as error:
            log.error("postgres.start_failed", error=str(error))
            await asyncio.sleep(pause_seconds)
            pause_seconds = min(pause_seconds * 2, RESTART_SECONDS_MAX)
