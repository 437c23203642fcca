"""What the controller says: hello, its state, its events, and that it lacks something.

Events go oldest first and again until the console acknowledges them; the broker's word counts for
nothing. When there is a connection is decided in edge/conversation.py.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import cast

import structlog

from edge import VERSION
from edge.challenge import Challenges
from edge.clock import Timekeeper
from edge.commands import Commands
from edge.errors import StorageFault
from edge.journal import Journal
from edge.rights_cache import RightsCache
from edge.session import Session
from edge.together import together
from sync.bundle import Bundle
from sync.envelope import CONSOLE, Kind, seal
from sync.events import Batch, encode_batch
from sync.ids import Nonce
from sync.messages import (
    Hello,
    Report,
    Request,
    encode_hello,
    encode_report,
    encode_request,
)
from sync.topics import Leaf

log = structlog.get_logger()

COALESCE_SECONDS = 0.2
LOOK_SECONDS = 1.0
"""How often to look for a change that nobody hinted at, such as a light that went out."""

RESEND_SECONDS_MIN = 5.0
RESEND_SECONDS_MAX = 60.0
ASK_SECONDS = 10.0
"""Between two requests."""

STEADY_KEYS = ("points", "applied", "link", "faults", "last_error", "break_glass")
"""The parts of the state whose change is worth a report at once; the rest changes all the time."""


class Uplink:
    """Says what there is to say, for as long as a connection lasts."""

    def __init__(
        self,
        bundle: Bundle,
        *,
        timekeeper: Timekeeper,
        challenges: Challenges,
        journal: Journal,
        rights: RightsCache,
        commands: Commands,
        state: Callable[[], Mapping[str, object]],
        changed: asyncio.Event,
        nonce: Callable[[], Nonce],
    ) -> None:
        """`state` builds what `p2k16-edge status --json` prints; `changed` is set as a hint that it
        is worth reporting. `nonce` draws 128 random bits.
        """
        self._bundle = bundle
        self._timekeeper = timekeeper
        self._challenges = challenges
        self._journal = journal
        self._rights = rights
        self._commands = commands
        self._state = state
        self._wanted = asyncio.Event()
        self._changed = changed
        self._nonce = nonce

    def ask(self) -> None:
        """Asks for keyset and snapshot, soon."""
        self._wanted.set()

    def look(self) -> None:
        """The state may have changed."""
        self._changed.set()

    def renew_challenge(self) -> None:
        """Draws a nonce and reports it at once."""
        self._challenges.renew(self._nonce(), self._timekeeper.mono_ms())
        self._changed.set()

    async def run(self, session: Session) -> None:
        """Speaks until the connection breaks. Raises: LinkLost."""
        self.renew_challenge()
        hello = Hello(
            boot=self._timekeeper.boot,
            journal=self._journal.position.journal,
            applied=self._rights.active().version,
            nonce=self._challenges.current,
            software=VERSION,
        )
        await self._say(session, Leaf.HELLO, Kind.HELLO, encode_hello(hello))
        await together(self._report(session), self._send_events(session), self._request(session))

    async def _report(self, session: Session) -> None:
        while True:
            self._changed.clear()
            state, nonce = self._state(), self._challenges.current
            report = Report(
                boot=self._timekeeper.boot,
                journal=self._journal.position.journal,
                mono_ms=self._timekeeper.mono_ms(),
                nonce=nonce,
                applied=self._rights.active().version,
                command_counter=self._commands.counter,
                state=state,
            )
            await self._say(session, Leaf.REPORT, Kind.REPORT, encode_report(report))
            await asyncio.sleep(COALESCE_SECONDS)
            await self._wait_for_news(_steady(state), nonce)

    async def _wait_for_news(self, reported: Mapping[str, object], nonce: Nonce) -> None:
        """Returns when there is something to report that wasn't."""
        while self._challenges.current == nonce and _steady(self._state()) == reported:
            due_ms = self._challenges.next_renewal_ms() - self._timekeeper.mono_ms()
            if due_ms <= 0:
                self.renew_challenge()
                return
            try:
                async with asyncio.timeout(min(LOOK_SECONDS, due_ms / 1000)):
                    await self._changed.wait()
            except TimeoutError:
                continue
            self._changed.clear()

    async def _send_events(self, session: Session) -> None:
        wait_seconds = RESEND_SECONDS_MIN
        while True:
            self._journal.moved.clear()
            acknowledged = self._journal.position.acknowledged
            batch = await self._next_batch(acknowledged)
            if batch is not None:
                await self._say(session, Leaf.EVENTS, Kind.EVENTS, encode_batch(batch))
            if await self._is_moved(acknowledged, wait_seconds if batch else None):
                wait_seconds = RESEND_SECONDS_MIN
            else:
                wait_seconds = min(2 * wait_seconds, RESEND_SECONDS_MAX)

    async def _next_batch(self, acknowledged: int) -> Batch | None:
        while True:
            try:
                return await self._journal.next_batch(acknowledged)
            except StorageFault as error:
                log.error("journal.unreadable", error=str(error))
            await asyncio.sleep(RESEND_SECONDS_MIN)

    async def _is_moved(self, acknowledged: int, seconds: float | None) -> bool:
        """Whether the console answered in time; None waits for anything at all, for ever."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    await self._journal.moved.wait()
                    if seconds is None or self._journal.position.acknowledged != acknowledged:
                        return True
                    self._journal.moved.clear()
        except TimeoutError:
            return False

    async def _request(self, session: Session) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            request = Request(self._timekeeper.boot, self._rights.active().version)
            await self._say(session, Leaf.REQUEST, Kind.REQUEST, encode_request(request))
            await asyncio.sleep(ASK_SECONDS)

    async def _say(self, session: Session, leaf: Leaf, kind: Kind, payload: bytes) -> None:
        data = seal(kind, CONSOLE, payload, seed=self._bundle.private_key)
        await session.publish(leaf, data)


def _steady(state: Mapping[str, object]) -> dict[str, object]:
    """The parts whose change is worth a report.

    When something was refused last is none: the console answers a report with a beacon, and if that
    is what was refused, the two would go on for ever.
    """
    steady = {key: state.get(key) for key in STEADY_KEYS}
    refused = steady["last_error"]
    if isinstance(refused, Mapping):
        said = cast("Mapping[str, object]", refused)
        steady["last_error"] = {key: value for key, value in said.items() if key != "time_ms"}
    return steady
