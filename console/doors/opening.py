"""Opens a door from the console, and tells what became of it.

The rule is asked first, for whoever presses the button. Then a signed command goes out, bound to a
challenge that the controller reported a moment ago; only the controller's own event says that the
door was opened. No news for three seconds is an outcome, too.
"""

import asyncio
import json
import time
import uuid
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from console.database import Database
from console.doors import queries
from console.errors import BrokerUnavailable, Busy
from console.events.storing import CommandResult
from console.link.outbound import Outbound
from console.rights.access import Answer, may_open
from sync.commands import Command, Operation
from sync.credential import member_ref
from sync.errors import WireError
from sync.ids import AccountRef, CommandId, ControllerId, Nonce, PointKey
from sync.messages import Report, decode_report

log = structlog.get_logger()

WAIT_SECONDS = 3.0
CHALLENGE_SECONDS = 18.0
"""A controller takes a challenge for 20 s; the message is on its way for a part of that."""
OPENINGS_MAX = 200
"""That wait for an answer at a time."""
STALE = "stale"
"""How a controller's refusal begins when the command came too late."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The controller has recorded the opening and releases the door."""

    after_seconds: float


@dataclass(frozen=True, slots=True)
class NotAllowed:
    """The rule says no to whoever asked."""

    answer: Answer


@dataclass(frozen=True, slots=True)
class Refused:
    """The controller said no. `detail`: its words, beginning with the reason's name."""

    detail: str


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Nobody knows whether it opened. `last_heard` None: the controller was never heard."""

    waited_seconds: float
    last_heard: datetime | None


@dataclass(frozen=True, slots=True)
class NoSuchDoor:
    """There is no door with this key, or no controller for it yet."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A door that no controller of ours moves did not open, as far as is known. `words`: why.

    `is_late`: whoever moves it was asked and gave no answer, so it may have opened.
    """

    words: str
    is_late: bool


Outcome = Opened | NotAllowed | Refused | NoAnswer | NoSuchDoor | Failed


@dataclass(slots=True)
class _Heard:
    """The newest report of a controller, and when it came (monotonic seconds)."""

    report: Report | None = None
    at_seconds: float = 0.0
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class Opener:
    """Opens doors for people. `reported` and `answered` are told by `console.link.inbound`."""

    def __init__(
        self,
        database: Database,
        outbound: Outbound,
        *,
        now_ms: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`now_ms`: Unix time; `clock`: monotonic seconds."""
        self._database = database
        self._outbound = outbound
        self._now_ms = now_ms
        self._clock = clock
        self._heard: defaultdict[ControllerId, _Heard] = defaultdict(_Heard)
        self._sending: defaultdict[ControllerId, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._pending: dict[str, asyncio.Future[CommandResult]] = {}

    def reported(self, controller: ControllerId, report: Report) -> None:
        """A controller's newest report."""
        heard = self._heard[controller]
        heard.report, heard.at_seconds = report, self._clock()
        heard.changed.set()
        heard.changed = asyncio.Event()

    def answered(self, result: CommandResult) -> None:
        """What became of a command; somebody may wait for it."""
        future = self._pending.get(result.command)
        if future is not None and not future.done():
            future.set_result(result)

    async def open(self, door: PointKey, *, actor: AccountRef, reason: str = "") -> Outcome:
        """Opens the door for `actor`, if the rule allows it; takes at most about 3 s.

        Raises: DatabaseUnavailable; Busy when too many openings wait for their answer.
        """
        if len(self._pending) >= OPENINGS_MAX:
            raise Busy("Too many doors are being opened at once.")
        async with self._database.reading() as conn:
            answer = await may_open(conn, account_id=actor, door_key=door, now_ms=self._now_ms())
            target = await queries.target(conn, door=door)
        if answer is None or target is None:
            return NoSuchDoor()
        if not answer.decision.is_allowed:
            log.info("opening.denied", door=door, reason=answer.decision.reason.value)
            return NotAllowed(answer)
        began = self._clock()
        outcome = await self._command(target, door, actor, reason, began + WAIT_SECONDS)
        log.info("opening.ended", door=door, outcome=type(outcome).__name__)
        if outcome is None:
            return NoAnswer(self._clock() - began, target.last_heard)
        if outcome.refusal is not None:
            return Refused(outcome.refusal)
        return Opened(self._clock() - began)

    async def _command(
        self,
        target: queries.Target,
        door: PointKey,
        actor: AccountRef,
        reason: str,
        deadline: float,
    ) -> CommandResult | None:
        """What became of it; None: nothing was heard until the deadline."""
        self._remember(target)
        used: Nonce | None = None
        result: CommandResult | None = None
        while True:
            report = await self._fresh_report(target.controller, deadline, other_than=used)
            if report is None:
                return result
            result = await self._try_once(target, report, door, actor, reason, deadline)
            if result is None or result.refusal is None or not result.refusal.startswith(STALE):
                return result
            # It came too late for its challenge. The controller reports a new one at once.
            used = report.nonce

    def _remember(self, target: queries.Target) -> None:
        """Right after a start the newest report is the one in the database."""
        heard = self._heard[target.controller]
        if heard.report is not None or target.report is None or target.last_heard is None:
            return
        age_seconds = self._now_ms() / 1000 - target.last_heard.timestamp()
        with suppress(WireError):
            heard.report = decode_report(json.dumps(target.report).encode())
            heard.at_seconds = self._clock() - max(0.0, age_seconds)

    async def _fresh_report(
        self, controller: ControllerId, deadline: float, *, other_than: Nonce | None
    ) -> Report | None:
        heard = self._heard[controller]
        while True:
            report, changed = heard.report, heard.changed
            age = self._clock() - heard.at_seconds
            if report is not None and age < CHALLENGE_SECONDS and report.nonce != other_than:
                return report
            remaining = deadline - self._clock()
            if remaining <= 0:
                return None
            try:
                async with asyncio.timeout(remaining):
                    await changed.wait()
            except TimeoutError:
                return None

    async def _try_once(
        self,
        target: queries.Target,
        report: Report,
        door: PointKey,
        actor: AccountRef,
        reason: str,
        deadline: float,
    ) -> CommandResult | None:
        identifier = str(uuid.uuid4())
        future: asyncio.Future[CommandResult] = asyncio.get_running_loop().create_future()
        self._pending[identifier] = future
        try:
            async with asyncio.timeout(max(0.0, deadline - self._clock())):
                # Numbered and sent in the same order: a controller refuses a lower counter.
                async with self._sending[target.controller]:
                    counter = await self._number(target, report, door, actor, identifier)
                    command = Command(
                        id=CommandId(identifier),
                        boot=report.boot,
                        challenge=report.nonce,
                        counter=counter,
                        operation=Operation.OPEN,
                        point=door,
                        actor=member_ref(target.entry_key, actor),
                        reason=reason,
                    )
                    await self._outbound.command(target.controller, command)
                return await future
        except (TimeoutError, BrokerUnavailable):
            return None
        finally:
            del self._pending[identifier]

    async def _number(
        self,
        target: queries.Target,
        report: Report,
        door: PointKey,
        actor: AccountRef,
        identifier: str,
    ) -> int:
        async with self._database.writing() as conn:
            counter = await queries.next_counter(
                conn, controller=target.controller, above=report.command_counter
            )
            await queries.add_command(
                conn,
                command=identifier,
                controller=target.controller,
                point=door,
                operation=Operation.OPEN,
                actor=actor,
                counter=counter,
            )
        return counter
