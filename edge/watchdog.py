"""systemd's watchdog: what the daemon tells it, and when the daemon counts as alive.

READY=1 is told as soon as the doors are locked and the daemon answers, STATUS= whenever it changes,
STOPPING=1 at the end. WATCHDOG=1 follows several times in each limit, but only while all that a tap
needs is alive: the event loop (or nothing would be told at all), the store's thread, and the guard.
Without it systemd kills the daemon, whose relays then go off, and starts it anew.

What a new start would not mend is no reason to withhold it: a controller that waits for its
enrolment, a reader that is unplugged, a disk that refuses or a store that can't be opened yet. The
doors are locked meanwhile, the daemon tries again by itself, and it reports what is wrong.
Source: sd_notify(3), systemd.service(5) WatchdogSec=.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

import structlog

from edge.health import Health
from edge.settings import EdgeSettings
from edge.unlocks import HoldsRelays

log = structlog.get_logger()

ROUND_SECONDS_MAX = 3.0
"""Between two looks, with or without a limit."""

GUARD_SECONDS_MAX = 60.0
"""How long a guard may be gone. Its daemon starts it again, at intervals of up to 8 s, and so a new
start of all helps only where that failed: where somebody else of this unit holds the pins."""

STATUS_CHARACTERS_MAX = 200

SignOfLife = Callable[[float], Awaitable[bool]]
"""Asks for an answer within so many seconds."""


def notify(address: str | None, state: str) -> None:
    """Tells `state` to systemd. None: nobody listens. Never raises, never waits.

    Source: sd_notify(3): one datagram; an address that begins with @ is abstract.
    """
    if not address:
        return
    path = f"\0{address[1:]}" if address.startswith("@") else address
    with suppress(OSError, ValueError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sending:
        sending.setblocking(False)
        sending.sendto(state.encode(), path)


async def watch(settings: EdgeSettings, relays: HoldsRelays, health: Health) -> None:
    """Tells systemd how the daemon is, until cancelled."""
    watchdog = Watchdog(
        settings.notify_socket,
        signs_of_life(relays, health, clock=asyncio.get_running_loop().time),
        status=health.in_a_line,
        limit_seconds=settings.watchdog_seconds,
    )
    await watchdog.run()


class Watchdog:
    """Asks for every sign of life, round after round, and tells systemd only if all are there."""

    def __init__(
        self,
        address: str | None,
        signs: Mapping[str, SignOfLife],
        *,
        status: Callable[[], str],
        limit_seconds: float | None,
    ) -> None:
        """`limit_seconds`: after how long a silence systemd kills; None: it doesn't."""
        self._address = address
        self._signs = signs
        self._status = status
        self._round_seconds = min(ROUND_SECONDS_MAX, (limit_seconds or float("inf")) / 3)
        self._told: str | None = None
        self._dead: list[str] = []

    async def run(self) -> None:
        """Never returns; when cancelled, it says that the daemon stops."""
        loop = asyncio.get_running_loop()
        notify(self._address, "READY=1")
        try:
            while True:
                next_round = loop.time() + self._round_seconds
                self._tell_status()
                self._note(await self._ask())
                if not self._dead:
                    notify(self._address, "WATCHDOG=1")
                await asyncio.sleep(next_round - loop.time())
        finally:
            notify(self._address, "STOPPING=1")

    async def _ask(self) -> list[str]:
        """Who gave no sign of life within half a round."""
        answers = await asyncio.gather(
            *(sign(self._round_seconds / 2) for sign in self._signs.values())
        )
        return [name for name, is_alive in zip(self._signs, answers, strict=True) if not is_alive]

    def _note(self, dead: list[str]) -> None:
        if dead and dead != self._dead:
            log.error("watchdog.withheld", dead=dead)
        elif self._dead and not dead:
            log.info("watchdog.resumed")
        self._dead = dead

    def _tell_status(self) -> None:
        # One line: what follows a line feed would be another word to systemd.
        status = " ".join(self._status().split())[:STATUS_CHARACTERS_MAX]
        if status != self._told:
            self._told = status
            notify(self._address, f"STATUS={status}")


def signs_of_life(
    relays: HoldsRelays, health: Health, *, clock: Callable[[], float]
) -> dict[str, SignOfLife]:
    """What has to be alive beside the event loop. `clock` counts seconds."""
    guard = GuardSign(relays, clock)

    async def store_answers(seconds: float) -> bool:
        # Until it is open nobody gets in, and to look through a large one takes its time.
        return health.store is None or await health.store.answers(seconds)

    return {"guard": guard.is_given, "store": store_answers}


class GuardSign:
    """Whether the guard does its work, or is only being started again."""

    def __init__(self, relays: HoldsRelays, clock: Callable[[], float]) -> None:
        self._relays = relays
        self._clock = clock
        self._seen_at = clock()

    async def is_given(self, seconds: float) -> bool:
        """A guard that is there has to answer; one that isn't has time to come."""
        if not self._relays.ready:
            return self._clock() - self._seen_at < GUARD_SECONDS_MAX
        answers = await self._relays.answers(seconds)
        if answers:
            self._seen_at = self._clock()
        return answers
