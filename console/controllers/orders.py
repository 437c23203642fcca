"""Gives a controller an order, and tells what became of it.

Who may give it is for the caller. A signed command goes out, bound to a challenge that the
controller reported a moment ago; only the controller's own event says that it was done. No news for
three seconds is an outcome, too.
"""

import asyncio
import json
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from console.controllers import order_queries as queries
from console.controllers.order import Order
from console.controllers.order_queries import Target
from console.database import Author, Database
from console.errors import BrokerUnavailable, Busy
from console.events.storing import CommandResult
from console.link.outbound import Outbound
from console.words import Text
from sync.commands import Command, Operation
from sync.credential import member_ref
from sync.errors import WireError
from sync.ids import CommandId, ControllerId, Nonce
from sync.messages import Report, decode_report

log = structlog.get_logger()

WAIT_SECONDS = 3.0
CHALLENGE_SECONDS = 18.0
"""A controller takes a challenge for 20 s; the message is on its way for a part of that."""
ORDERS_MAX = 200
"""Other than openings, that wait for an answer at a time."""
OPENINGS_PER_ACCOUNT = 5
OPENINGS_PER_CONTROLLER = 20
"""Openings have shares of their own: nobody keeps others from opening, no silent controller keeps
other doors from it, and no crowd keeps a door from being locked down."""
STALE = "stale"
"""How a controller's refusal begins when the command came too late."""


@dataclass(frozen=True, slots=True)
class Done:
    """The controller has recorded it and does it."""

    after_seconds: float


@dataclass(frozen=True, slots=True)
class Refused:
    """The controller said no. `detail`: its words, beginning with the reason's name."""

    detail: str


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Nobody knows whether it was done. `last_heard` None: the controller was never heard."""

    waited_seconds: float
    last_heard: datetime | None


@dataclass(frozen=True, slots=True)
class NoSuchPoint:
    """There is no point with this key, or no controller for it that could be spoken to."""


Answered = Done | Refused | NoAnswer | NoSuchPoint


@dataclass(slots=True)
class _Heard:
    """The newest report of a controller, and when it came (monotonic seconds)."""

    report: Report | None = None
    at_seconds: float = 0.0
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class Orders:
    """Gives orders. `reported` and `answered` are told by `console.link.inbound`."""

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
        self._waiting = Counter[str]()

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

    async def give(self, order: Order, *, by: Author) -> Answered:
        """Has it done; takes at most about 3 s.

        Raises: DatabaseUnavailable; Busy when too many orders wait for their answer.
        """
        async with self._database.reading() as conn:
            target = await queries.target(conn, kind=order.kind, point=order.point)
        if target is None:
            return NoSuchPoint()
        with self._share(order, target):
            return await self._give(target, order, by)

    @contextmanager
    def _share(self, order: Order, target: Target) -> Generator[None]:
        if order.operation is Operation.OPEN:
            shares = {
                f"account {order.actor}": OPENINGS_PER_ACCOUNT,
                f"controller {target.controller}": OPENINGS_PER_CONTROLLER,
            }
        else:
            shares = {"others": ORDERS_MAX}
        if any(self._waiting[share] >= most for share, most in shares.items()):
            raise Busy(Text("Too much is being asked of the controllers at once."))
        self._waiting.update(shares.keys())
        try:
            yield
        finally:
            self._waiting -= Counter(shares.keys())

    async def _give(self, target: Target, order: Order, by: Author) -> Answered:
        began = self._clock()
        result = await self._command(target, order, by, began + WAIT_SECONDS)
        if result is None:
            answer = NoAnswer(self._clock() - began, target.last_heard)
        elif result.refusal is not None:
            answer = Refused(result.refusal)
        else:
            answer = Done(self._clock() - began)
        log.info(
            "order.ended",
            operation=order.operation.value,
            point=order.point,
            outcome=type(answer).__name__,
        )
        return answer

    async def _command(
        self, target: Target, order: Order, by: Author, deadline: float
    ) -> CommandResult | None:
        """What became of it; None: nothing was heard until the deadline."""
        self._remember(target)
        used: Nonce | None = None
        result: CommandResult | None = None
        while True:
            report = await self._fresh_report(target.controller, deadline, other_than=used)
            if report is None:
                return result
            result = await self._try_once(target, report, order, by, deadline)
            if result is None or result.refusal is None or not result.refusal.startswith(STALE):
                return result
            # It came too late for its challenge. The controller reports a new one at once.
            used = report.nonce

    def _remember(self, target: Target) -> None:
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
        self, target: Target, report: Report, order: Order, by: Author, deadline: float
    ) -> CommandResult | None:
        identifier = str(uuid.uuid4())
        future: asyncio.Future[CommandResult] = asyncio.get_running_loop().create_future()
        self._pending[identifier] = future
        try:
            async with asyncio.timeout(max(0.0, deadline - self._clock())):
                # Numbered and sent in the same order: a controller refuses a lower counter.
                async with self._sending[target.controller]:
                    counter = await self._number(target, report, order, by, identifier)
                    command = Command(
                        id=CommandId(identifier),
                        boot=report.boot,
                        challenge=report.nonce,
                        counter=counter,
                        operation=order.operation,
                        point=order.point,
                        actor=member_ref(target.entry_key, order.actor),
                        reason=order.reason,
                        seconds=order.seconds,
                    )
                    await self._outbound.command(target.controller, command)
                return await future
        except (TimeoutError, BrokerUnavailable):
            return None
        finally:
            del self._pending[identifier]

    async def _number(
        self, target: Target, report: Report, order: Order, by: Author, identifier: str
    ) -> int:
        async with self._database.writing(by=by) as conn:
            counter = await queries.next_counter(
                conn, controller=target.controller, above=report.command_counter
            )
            await queries.add_command(
                conn,
                command=identifier,
                controller=target.controller,
                point=order.point,
                operation=order.operation,
                actor=order.actor,
                counter=counter,
                seconds=order.seconds,
                reason=order.reason,
            )
        return counter
