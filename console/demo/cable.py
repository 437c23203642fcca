"""The network cable of one virtual controller: everything it sends goes through here.

A cut cable drops what is connected and refuses what comes, as a switch that was turned off does.
"""

import asyncio
from collections.abc import Callable

import structlog

from console.supervision import end

HOST = "127.0.0.1"
CHUNK_BYTES = 64 * 1024

log = structlog.get_logger()


class Cable:
    """Passes TCP connections on to a port that may change. Made by `lay_cable`."""

    def __init__(self, target_port: Callable[[], int]) -> None:
        """`target_port`: where the other end is at the moment."""
        self._target_port = target_port
        self._port = 0
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """Where the controller's end is; the same after each repair."""
        return self._port

    @property
    def is_cut(self) -> bool:
        """Whether nothing gets through."""
        return self._server is None

    async def repair(self) -> None:
        """Lets everything through. Raises: OSError when somebody has taken the port meanwhile."""
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, HOST, self._port)
            self._port = int(self._server.sockets[0].getsockname()[1])

    async def cut(self) -> None:
        """Drops what is connected, and refuses what comes."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        await end(*self._connections)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or self._server is None:
            writer.transport.abort()
            return
        self._connections.add(task)
        try:
            await self._pass_on(reader, writer)
        except asyncio.CancelledError:
            pass  # the cable was cut
        finally:
            writer.transport.abort()
            self._connections.discard(task)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(HOST, self._target_port())
        except OSError:
            return  # nobody is there
        try:
            ways = (_pump(reader, far_writer), _pump(far_reader, writer))
            tasks = [asyncio.ensure_future(way) for way in ways]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                await end(*tasks)
        finally:
            far_writer.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass  # one end is gone, and so the other one goes, too
