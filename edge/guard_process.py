"""How a relay guard is started: a program of its own at the other end of a socketpair.

What the two say to one another is said in edge/lease.py; when to start another one is decided in
edge/relays.py.
"""

import asyncio
import socket
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Protocol


class Channel(Protocol):
    """Our end of the socketpair; what it does is said in socket(7)."""

    def send(self, data: bytes, /) -> int:
        """Raises: OSError."""
        ...

    def recv(self, size: int, /) -> bytes:
        """Raises: OSError."""
        ...

    def fileno(self) -> int:
        """What the loop watches."""
        ...

    def close(self) -> None:
        """Lets go, which stops the guard."""
        ...


class Process(Protocol):
    """A guard that runs, or did."""

    @property
    def pid(self) -> int:
        """Its number."""
        ...

    async def wait(self) -> int:
        """Its exit code, once it has one."""
        ...

    def kill(self) -> None:
        """Raises: ProcessLookupError."""
        ...


StartsGuards = Callable[[Sequence[str], Path], Awaitable[tuple[Channel, Process]]]
"""The arguments, and the folder to start it in."""


async def start_guard(arguments: Sequence[str], work_dir: Path) -> tuple[Channel, Process]:
    """The real thing. Raises: OSError."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    with theirs:
        try:
            # Our own end is close-on-exec, as every Python socket is: a child that inherited it
            # would hide our death. -P: the working folder is for data, not for modules.
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-m",
                "edge.guard",
                "--socket-fd",
                str(theirs.fileno()),
                *arguments,
                pass_fds=[theirs.fileno()],
                stdin=DEVNULL,
                stdout=DEVNULL,
                cwd=work_dir,
            )
        except BaseException:
            ours.close()
            raise
    return ours, process
