"""The broker and the ways to it: messages are late, lost, doubled, out of order, and forged."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from random import Random
from types import TracebackType

from edge.errors import LinkLost
from edge.inbox import Inbox, Received
from edge.link import Route
from sync.bundle import Bundle
from sync.topics import RETAINED, Leaf
from tests.prove.world.loop import VirtualLoop
from tests.prove.world.timeline import Timeline

HEARD_MAX = 400
"""Messages that whoever sits at the broker remembers, to send them again."""


@dataclass(slots=True)
class Weather:
    """How well messages travel; chances from 0 to 1."""

    loss: float = 0.0
    doubling: float = 0.0
    seconds_most: float = 0.03
    """Up to so long under way; unequal times are what puts messages out of order."""


class VirtualSession:
    """One connection, as edge/session.py wants it."""

    def __init__(self, broker: "Broker", loop: VirtualLoop) -> None:
        self._broker = broker
        self._loop = loop
        self._inbox = Inbox()
        self.broken = asyncio.Event()

    async def publish(self, leaf: Leaf, data: bytes) -> None:
        await asyncio.sleep(self._broker.passage_seconds())
        if not self._broker.is_reachable:
            await asyncio.wait({asyncio.ensure_future(self.broken.wait())}, timeout=10)
            raise LinkLost("the broker took no message")
        if self.broken.is_set():
            raise LinkLost("the connection is gone")
        if not self._loop.is_dead:
            self._broker.carry_up(leaf, data)

    async def next_message(self) -> Received:
        return await self._inbox.take()

    async def take_in(self) -> None:
        await self.broken.wait()
        raise LinkLost("the connection broke")

    def arrive(self, received: Received) -> None:
        """From the broker, at any time."""
        if not self._loop.is_dead and not self.broken.is_set():
            self._loop.call_soon(self._inbox.put, received)

    def break_off(self) -> None:
        if not self._loop.is_dead:
            self._loop.call_soon(self.broken.set)


class Connecting(AbstractAsyncContextManager[VirtualSession]):
    """One attempt to connect."""

    def __init__(self, broker: "Broker", loop: VirtualLoop) -> None:
        self._broker = broker
        self._loop = loop

    async def __aenter__(self) -> VirtualSession:
        await asyncio.sleep(self._broker.passage_seconds())
        if not self._broker.is_reachable:
            await asyncio.sleep(self._broker.patience_seconds())
            raise LinkLost("nobody answers")
        session = VirtualSession(self._broker, self._loop)
        if not self._loop.is_dead:
            self._broker.attach(session)
        return session

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._loop.is_dead:
            self._broker.detach()


class Broker:
    """Trusted with nothing. It outlives the controller's starts."""

    def __init__(self, timeline: Timeline, random: Random) -> None:
        self._timeline = timeline
        self._random = random
        self._retained: dict[Leaf, bytes] = {}
        self._session: VirtualSession | None = None
        self.weather = Weather()
        self.is_reachable = True
        self.heard_down: list[tuple[Leaf, bytes]] = []
        self.listener: Callable[[Leaf, bytes], None] = lambda _leaf, _data: None
        """The console."""

        self.delivered: Callable[[Leaf, bytes, bool], None] = lambda _leaf, _data, _kept: None
        """Told of what has reached the controller, and whether as a retained message."""

    # The controller's end.

    def connecting(self, loop: VirtualLoop, _route: Route, _bundle: Bundle) -> Connecting:
        return Connecting(self, loop)

    def attach(self, session: VirtualSession) -> None:
        self.detach()
        self._session = session
        for leaf, data in sorted(self._retained.items(), key=lambda _: self._random.random()):
            self._bring(leaf, data, is_retained=True)

    def detach(self) -> None:
        """The controller hung up, or died."""
        session, self._session = self._session, None
        if session is not None:
            session.break_off()

    @property
    def is_connected(self) -> bool:
        return self._session is not None

    def carry_up(self, leaf: Leaf, data: bytes) -> None:
        for _ in range(self._copies()):
            self._timeline.after(self.passage_seconds(), lambda: self.listener(leaf, data))

    # The console's end, and whoever else can publish.

    def publish(self, leaf: Leaf, data: bytes, *, is_kept: bool | None = None) -> None:
        """`is_kept` None: as the leaf demands."""
        if leaf in RETAINED if is_kept is None else is_kept:
            self._retained[leaf] = data
        self.heard_down.append((leaf, data))
        del self.heard_down[:-HEARD_MAX]
        self._bring(leaf, data, is_retained=False)

    # What befalls it.

    def cut(self, seconds: float) -> None:
        """Nothing gets through; either end finds out some time later."""
        self.is_reachable = False
        self._timeline.after(seconds, self._heal)
        self._timeline.after(self._random.uniform(0.05, 30), self._drop_if_cut)

    def restart(self) -> None:
        """Forgets what it kept, as one without persistence does, and hangs up."""
        if self._random.random() < 0.5:
            self._retained.clear()
        self.detach()

    def passage_seconds(self) -> float:
        return self._random.random() * self.weather.seconds_most

    def patience_seconds(self) -> float:
        return self._random.random() * 10

    def _heal(self) -> None:
        self.is_reachable = True

    def _drop_if_cut(self) -> None:
        if not self.is_reachable:
            self.detach()

    def _copies(self) -> int:
        if not self.is_reachable or self._random.random() < self.weather.loss:
            return 0
        return 2 if self._random.random() < self.weather.doubling else 1

    def _bring(self, leaf: Leaf, data: bytes, *, is_retained: bool) -> None:
        session = self._session
        if session is None:
            return
        received = Received(leaf, data, is_retained)

        def arrive() -> None:
            if session is self._session and self.is_reachable:
                self.delivered(leaf, data, is_retained)
                session.arrive(received)

        for _ in range(self._copies()):
            self._timeline.after(self.passage_seconds(), arrive)
