"""Starting and stopping the server process. The caller sees to it that only one process does.

The server may outlive whoever started it. It is known by its socket: who listens there is the
server, whatever a file left behind by a crash says.
"""

import asyncio
import os
import select
import signal
import socket
import struct
import time
from contextlib import suppress

import psycopg
import structlog

from console.errors import DatabaseUnavailable
from console.postgres.binaries import Binaries
from console.postgres.cluster import write_access
from console.postgres.place import PORT, Place
from console.postgres.user import PostgresRefused, ProgramFailed, collect, launch_as

log = structlog.get_logger()

READY_SECONDS = 300
"""After a crash the server first repairs its data, which takes a while on an SD card."""
LEFTOVER_SECONDS = 15
STOP_SECONDS = 30
START_ATTEMPTS = 3
POLL_SECONDS = 0.03
LOG = "server.log"
LOG_BYTES_MAX = 1_000_000

SETTINGS = {
    # Relative to the data: a path with spaces or quotes needs no escaping then.
    "unix_socket_directories": "..",
    "unix_socket_permissions": "0700",
    "listen_addresses": "",
    "port": str(PORT),
    "timezone": "UTC",
    "log_timezone": "UTC",
    # A makerspace's database is small, and the machine may be a Raspberry Pi.
    "max_connections": "60",
    "shared_buffers": "32MB",
    "max_wal_size": "256MB",
    "min_wal_size": "32MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "max_parallel_workers": "0",
    "autovacuum_max_workers": "1",
    "jit": "off",
    # Starts, stops and crashes. A failed statement is its sender's to log, and holds people's data.
    "log_min_messages": "log",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
}
SETTINGS_18 = {
    # No worker processes for reading: they would cost memory and gain nothing here.
    "io_method": "sync",
}


def find_server(place: Place) -> int | None:
    """A descriptor (pidfd) of the process that listens on the socket; None: nobody does.

    Raises: PostgresRefused when it isn't ours.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(2)
        try:
            connection.connect(os.fsencode(place.socket))
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        except OSError as error:
            raise DatabaseUnavailable(f"{place.socket} doesn't answer: {error.strerror}") from error
        # Source: unix(7), SO_PEERCRED: pid, uid, gid of the process that called listen(2).
        size = struct.calcsize("3i")
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    pid, uid, _ = struct.unpack("3i", credentials)
    if uid != place.user.uid or pid == 0:
        raise PostgresRefused(f"{place.socket} is served by a stranger (process {pid}, user {uid})")
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        return None


async def settled_server(place: Place) -> int | None:
    """The pidfd of the server, or None when nothing of one is left.

    Whoever started it may have been killed before it listened, or it was killed itself and its
    parts are about to end: what no process works in, nobody uses.
    Raises: DatabaseUnavailable when neither comes about within 15 s.
    """
    deadline = time.monotonic() + LEFTOVER_SECONDS
    while True:
        server = find_server(place)
        if server is not None:
            return server
        processes = await _processes_in_data(place)
        if not processes:
            return None
        if time.monotonic() > deadline:
            raise DatabaseUnavailable(
                "PostgreSQL's data is in use, but nothing answers: "
                f"processes {', '.join(processes)} belong to an earlier server"
            )
        await asyncio.sleep(POLL_SECONDS)


async def start_server(place: Place, binaries: Binaries) -> None:
    """Starts it and waits until it answers. Nobody listens when this is called.

    Raises: DatabaseUnavailable when it doesn't start; then nothing runs.
    """
    began = time.monotonic()
    try:
        await write_access(place)
        await _bound_log(place)
        for attempt in range(1, START_ATTEMPTS + 1):
            server = await settled_server(place)
            if server is None:
                # PostgreSQL clears its lock files away itself, unless the process id in them
                # exists. But that may be something else: after a reboot, and in a container, ids
                # come again; and a dead server stays as a zombie where nobody collects the dead.
                await place.run("rm", "-f", "data/postmaster.pid", f"{place.socket.name}.lock")
                server = _launch(place, binaries)
            if await _ready_or_ended(place, server):
                seconds = round(time.monotonic() - began, 2)
                log.info("postgres.started", major=binaries.major, attempt=attempt, seconds=seconds)
                return
        said = await place.run("tail", "-n", "3", LOG)
    except ProgramFailed as error:
        raise DatabaseUnavailable(f"PostgreSQL didn't start: {error}") from error
    raise DatabaseUnavailable(
        f"PostgreSQL didn't start: {' / '.join(said.splitlines())} (see {place.folder / LOG})"
    )


async def wait_until_ready(place: Place, pidfd: int) -> bool:
    """Whether the server answers questions now; False: it has ended.

    Raises: DatabaseUnavailable when it neither answers nor ends within 5 minutes.
    """
    deadline = time.monotonic() + READY_SECONDS
    while not has_ended(pidfd):
        try:
            connection = await psycopg.AsyncConnection.connect(place.conninfo, connect_timeout=5)
        except psycopg.OperationalError as error:
            said = str(error)
            # "… is starting up", "… is in recovery mode", and so on; anything else will not pass.
            refuses = "FATAL" in said and "the database system is" not in said
            if refuses or time.monotonic() > deadline:
                raise DatabaseUnavailable(f"PostgreSQL is not ready: {said.strip()}") from error
            await asyncio.sleep(POLL_SECONDS)
        else:
            await connection.close()
            return True
    return False


async def stop_server(place: Place) -> None:
    """Stops it in an orderly way, and waits until it has ended. Does nothing when there is none."""
    pidfd = find_server(place)
    if pidfd is None:
        return
    try:
        # Source: PostgreSQL manual, "Shutting Down the Server": SIGINT fast, SIGQUIT at once.
        for kind, seconds in ((signal.SIGINT, STOP_SECONDS), (signal.SIGQUIT, STOP_SECONDS)):
            signal.pidfd_send_signal(pidfd, kind)
            try:
                async with asyncio.timeout(seconds):
                    await wait_for_end(pidfd)
            except TimeoutError:
                log.warning("postgres.stop_delayed", signal=kind.name, seconds=seconds)
            else:
                log.info("postgres.stopped", signal=kind.name)
                return
    except ProcessLookupError:
        return
    finally:
        os.close(pidfd)


async def wait_for_end(pidfd: int) -> None:
    """Returns when the process has ended, whoever's child it is."""
    loop = asyncio.get_running_loop()
    ended = loop.create_future()
    loop.add_reader(pidfd, lambda: ended.done() or ended.set_result(None))
    try:
        await ended
    finally:
        loop.remove_reader(pidfd)
    collect(pidfd)


def has_ended(pidfd: int) -> bool:
    """Whether the process has ended by now."""
    ended = bool(select.select([pidfd], [], [], 0)[0])
    if ended:
        collect(pidfd)
    return ended


def _launch(place: Place, binaries: Binaries) -> int:
    """Starts the process; gives its pidfd."""
    settings = SETTINGS | (SETTINGS_18 if binaries.major >= 18 else {})
    pid = launch_as(
        place.user,
        binaries.folder / "postgres",
        "-D",
        place.data.name,
        *(f"--{name}={value}" for name, value in settings.items()),
        folder=place.folder,
        log=LOG,
    )
    return os.pidfd_open(pid)


async def _ready_or_ended(place: Place, pidfd: int) -> bool:
    try:
        return await wait_until_ready(place, pidfd)
    except BaseException:
        # Cancelled, perhaps: what has no socket yet could not be found again to stop it.
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(pidfd, signal.SIGQUIT)
        await wait_for_end(pidfd)
        raise
    finally:
        os.close(pidfd)


async def _processes_in_data(place: Place) -> list[str]:
    """Ids of the processes whose working directory is the data, as all of PostgreSQL's have.

    Asked as the server's user: root in a container may not look at other users' processes.
    """
    script = 'find -L /proc/[0-9]*/cwd -maxdepth 0 -samefile "$1" 2>/dev/null || true'
    said = await place.run("sh", "-c", script, "sh", place.data)
    return [line.split("/")[2] for line in said.splitlines()]


async def _bound_log(place: Place) -> None:
    try:
        size = (place.folder / LOG).lstat().st_size
    except FileNotFoundError:
        return
    if size > LOG_BYTES_MAX:
        await place.run("mv", "-f", LOG, f"{LOG}.1")
