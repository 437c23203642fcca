"""An address that the embedded broker listens on."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

HANDSHAKE_SECONDS = 10.0
CLOSE_SECONDS = 1.0

Arrival = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Listener:
    """Host (IPv6 in brackets) and port, 0 for any free one; `tls` None means plain.

    The console comes in by a listener `for_console`, and nobody else does.
    """

    name: str
    host: str
    port: int
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    for_console: bool = False

    async def open(self, arrival: Arrival) -> asyncio.Server:
        """Listens, and calls `arrival` for each connection. Raises: OSError."""
        return await asyncio.start_server(
            arrival,
            self.host.strip("[]"),
            self.port,
            reuse_address=True,
            ssl=self.tls,
            ssl_handshake_timeout=None if self.tls is None else HANDSHAKE_SECONDS,
            ssl_shutdown_timeout=None if self.tls is None else CLOSE_SECONDS,
        )
