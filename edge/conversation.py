"""The conversation with the console: connect, talk until the connection breaks, try again.

A broker that is absent, refuses, or hangs costs nothing but the news: no tap ever waits for
anything here.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import structlog

from edge.downlink import Downlink, Heard
from edge.errors import LinkLost
from edge.link import Route
from edge.session import Session
from edge.together import together
from edge.uplink import Uplink
from sync.bundle import Bundle

log = structlog.get_logger()

WAIT_SECONDS_MIN = 0.5
WAIT_SECONDS_MAX = 30.0
STEADY_SECONDS = 10.0
"""A connection that lasted so long starts the waiting times anew. Without it, a broker that
accepts and hangs up at once would be called twice a second for ever."""

TROUBLE_CHARACTERS_MAX = 300
"""Partly the broker's own words."""


class Conversation:
    """Speaks with the console whenever that is possible."""

    def __init__(
        self,
        route: Route,
        bundle: Bundle,
        uplink: Uplink,
        downlink: Downlink,
        *,
        connected: Callable[[Route, Bundle], AbstractAsyncContextManager[Session]],
        chance: Callable[[], float],
    ) -> None:
        """`connected` makes a connection, or raises LinkLost; `chance`: from 0 to below 1."""
        self._connected = connected
        self._chance = chance
        self._route = route
        self._bundle = bundle
        self._uplink = uplink
        self._downlink = downlink
        self._is_up = False
        self._trouble: str | None = None

    @property
    def is_up(self) -> bool:
        """Whether the broker has accepted connection and subscription just now."""
        return self._is_up

    @property
    def trouble(self) -> str | None:
        """Why there is no connection; None while there is one, or before the first attempt."""
        return None if self._is_up else self._trouble

    async def run(self) -> None:
        """Never returns."""
        loop = asyncio.get_running_loop()
        attempt = 0
        while True:
            begun = loop.time()
            try:
                await self._converse()
            except LinkLost as error:
                self._tell(str(error))
            except Exception:
                # The outermost loop of the conversation: its mistakes are no affair of the doors.
                self._trouble = "something went wrong inside; the log says what"
                log.exception("link.failed")
            finally:
                self._is_up = False
                self._uplink.look()
            if loop.time() - begun >= STEADY_SECONDS:
                attempt = 0
            await asyncio.sleep(wait_seconds(attempt, self._chance()))
            attempt += 1

    async def _converse(self) -> None:
        async with self._connected(self._route, self._bundle) as session:
            self._is_up, self._trouble = True, None
            log.info("link.connected", broker=str(self._route.address))
            await together(session.take_in(), self._uplink.run(session), self._listen(session))

    async def _listen(self, session: Session) -> None:
        while True:
            received = await session.next_message()
            heard = await self._downlink.take(received)
            if heard is Heard.IS_BEHIND:
                self._uplink.ask()
            elif heard is Heard.WAS_COMMANDED:
                self._uplink.renew_challenge()

    def _tell(self, told: str) -> None:
        trouble = told[:TROUBLE_CHARACTERS_MAX]
        if trouble != self._trouble:  # each attempt would say the same again
            log.warning("link.lost", broker=str(self._route.address), reason=trouble)
        self._trouble = trouble


def wait_seconds(attempt: int, fraction: float) -> float:
    """How long to wait before the next attempt: anything up to 0.5 s, 1 s, 2 s … 30 s.

    Full jitter, so that a broker that comes back isn't called by everybody at once. `attempt`
    counts from 0; `fraction` is from 0 to below 1.
    """
    return fraction * min(WAIT_SECONDS_MAX, WAIT_SECONDS_MIN * 2 ** min(attempt, 16))
