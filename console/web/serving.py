"""Listens for browsers, and keeps a crowd of connections from taking the place of all others.

Decides how many there may be, in all and from one address, and how long one may be silent. Behind a
proxy on this machine everybody comes from its one address, so that it is for the proxy to tell
people apart.
"""

import asyncio
import resource
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from typing import cast

import structlog
from aiohttp import web

from console.errors import ConsoleError
from console.settings import HttpSettings
from console.web.requests import is_proxy, network_of

log = structlog.get_logger()

LINE_BYTES_MAX = 64 * 1024
"""Of an address or a header. Up to it a page says what is wrong; beyond, aiohttp does."""
HEAD_SECONDS = 20.0
"""From the beginning of a connection, or the answer before, to the end of a request's head."""
PROXY_HEAD_SECONDS = 3600.0
"""The same for a proxy: it waits for heads itself, and keeps connections at hand."""
CONNECTIONS_MAX = 2_000
"""Twice as many as pages that may be live."""
PER_ADDRESS_MAX = 250
"""A browser takes six: this is for those who share an address."""
FILES = 2 * CONNECTIONS_MAX
"""Descriptors that are asked for: half of them is for broker, database and all else."""
QUIET_SECONDS = 60.0
"""Between two lines of the log about connections that were turned away."""
SHUTDOWN_SECONDS = 3.0
"""Requests that are being answered get so long to finish."""


class CannotListen(ConsoleError):
    """The address for pages is taken, or isn't ours."""


class Connections:
    """Those that are open, by where they come from."""

    def __init__(self, *, most: int, has_proxy: bool) -> None:
        self._most = most
        self._has_proxy = has_proxy
        self._open = Counter[str]()
        self._next_line = 0.0
        self._not_logged = 0

    def is_proxy(self, address: str) -> bool:
        """Whether others come through it."""
        return is_proxy(address, has_proxy=self._has_proxy)

    def enter(self, address: str) -> bool:
        """Counts one more, until `leave`; False: it is one too many."""
        network = network_of(address)
        is_crowd = self._open[network] >= PER_ADDRESS_MAX and not self.is_proxy(address)
        if is_crowd or self._open.total() >= self._most:
            self._tell(address, "address" if is_crowd else "all")
            return False
        self._open[network] += 1
        return True

    def leave(self, address: str) -> None:
        """One that had entered is gone."""
        network = network_of(address)
        self._open[network] -= 1
        if not self._open[network]:
            del self._open[network]

    def _tell(self, address: str, limit: str) -> None:
        now = asyncio.get_running_loop().time()
        if now < self._next_line:
            self._not_logged += 1
            return
        self._next_line = now + QUIET_SECONDS
        log.warning("connection.refused", address=address, limit=limit, not_logged=self._not_logged)
        self._not_logged = 0


class Visit(web.RequestHandler):
    """One connection: aiohttp's own, but counted."""

    __slots__ = ("_address", "_connections", "_has_entered")

    def __init__(self, server: web.Server, connections: Connections) -> None:
        """`server`: whose requests it brings."""
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # pyright: ignore[reportArgumentType]  # aiohttp knows None
            keepalive_timeout=HEAD_SECONDS,
            max_line_size=LINE_BYTES_MAX,
            max_field_size=LINE_BYTES_MAX,
        )
        self._connections = connections
        self._address = ""
        self._has_entered = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Turns away one too many."""
        peer = transport.get_extra_info("peername")
        self._address = str(peer[0]) if peer else ""
        if self._connections.is_proxy(self._address):
            self._keepalive_timeout = PROXY_HEAD_SECONDS
        super().connection_made(transport)
        self._has_entered = self._connections.enter(self._address)
        if not self._has_entered:
            self.force_close()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Makes room for another."""
        super().connection_lost(exc)
        if self._has_entered:
            self._has_entered = False
            self._connections.leave(self._address)


@asynccontextmanager
async def serving(app: web.Application, http: HttpSettings) -> AsyncGenerator[str]:
    """Serves for as long as the context lasts; gives the address. Raises: CannotListen."""
    runner = web.AppRunner(app, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        server = cast("web.Server", runner.server)  # it was set up
        connections = Connections(most=_most_connections(), has_proxy=http.public_url is not None)
        try:
            listener = await asyncio.get_running_loop().create_server(
                partial(Visit, server, connections),
                http.listen.host.strip("[]"),
                http.listen.port,
            )
        except OSError as error:
            raise CannotListen(
                f"can't listen on {http.listen} for pages: {error.strerror or error}; "
                "[http] listen names another address"
            ) from error
        try:
            yield f"http://{http.listen.host}:{listener.sockets[0].getsockname()[1]}/"
        finally:
            listener.close()
    finally:
        await runner.cleanup()


def _most_connections() -> int:
    """As many as there are descriptors for, of which as many as possible are taken."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < FILES:
        soft = FILES if hard == resource.RLIM_INFINITY else min(hard, FILES)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY or soft >= FILES:
        return CONNECTIONS_MAX
    log.warning("connections.few", most=soft // 2, remedy=f"LimitNOFILE={FILES} in the unit")
    return soft // 2
