"""Opens a door that no controller of ours moves, by HTTP or MQTT.

When a person's turn at the door has come, the rule is asked, and that she is about to open it is
committed with the answer, as a row of access.command. What became of it is written down afterwards,
with what the web app wrote about an opening. A row without a result says that this program ended,
or lost its database, in between.
"""

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

import structlog

from console.database import Author, Database
from console.doors import old_door_queries as queries
from console.doors.dlock import Dlock, Failure
from console.doors.driver import Driver
from console.doors.old_door_queries import MovedRow
from console.doors.opening import Failed, NoSuchDoor, NotAllowed, Opened, Outcome
from console.errors import BrokerUnavailable, Busy, DatabaseUnavailable
from console.events.openings import Opening, write_openings
from console.events.storing import EXECUTED
from console.events.wording import FAILED
from console.rights.access import may_open
from console.settings import MqttSettings
from console.web import times
from console.web.keys import Publishes
from console.words import Text
from sync.ids import AccountRef, PointKey

log = structlog.get_logger()

PUBLISH_SECONDS = 3.0
AT_ONCE = 8
"""Openings of one door. Those that wait hold up no other door."""
TURN_SECONDS = 3.0
"""How long anybody waits for a turn."""
WRITE_SECONDS = 10.0
"""How long a database that is away is waited for, once the door was asked."""
PAUSE_SECONDS = 0.2
_MOVER = {Driver.DLOCK: Text("The old door controller"), Driver.MQTT: Text("The MQTT broker")}


class OldDoors:
    """Opens them."""

    def __init__(
        self,
        database: Database,
        dlock: Dlock,
        broker: Publishes,
        *,
        mqtt: MqttSettings,
        now_ms: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`now_ms`: Unix time; `clock`: monotonic seconds."""
        self._database = database
        self._dlock = dlock
        self._broker = broker
        self._prefix = mqtt.legacy_door_prefix
        self._now_ms = now_ms
        self._clock = clock
        self._turns: WeakValueDictionary[PointKey, asyncio.Semaphore] = WeakValueDictionary()
        self._known_visitors: set[int] = set()

    async def open(self, door: PointKey, *, actor: AccountRef, by: Author) -> Outcome:
        """Opens it for `actor`, if the rule allows it. Takes at most about 13 s.

        Raises: DatabaseUnavailable, which doesn't tell whether it opened; Busy.
        """
        async with self._turn(door):
            command = str(uuid.uuid4())
            async with self._database.writing(by=by) as conn:
                row = (await queries.moved(conn, keys=[door])).get(door)
                answer = await may_open(
                    conn, account_id=actor, door_key=door, now_ms=self._now_ms()
                )
                if row is None or answer is None or row.driver == Driver.CONTROLLER:
                    return NoSuchDoor()
                if not answer.decision.is_allowed:
                    return NotAllowed(answer)
                await queries.ask(conn, command=command, door=door, actor=actor)
            began = self._clock()
            failure = await self._move(row)
            seconds = self._clock() - began
            # Before it is written down: the database may have gone.
            if failure is None:
                log.info("old_door.opened", door=door, driver=row.driver)
            else:
                log.warning("old_door.failed", door=door, driver=row.driver, why=failure.words)
            opening = Opening(0, actor, door, times.now())
            await self._write_down(command, opening, failure, by)
        if failure is not None:
            return Failed(
                Text("{mover} {failure}.", mover=_MOVER[Driver(row.driver)], failure=failure.words),
                failure.is_late,
            )
        return Opened(seconds)

    @asynccontextmanager
    async def _turn(self, door: PointKey) -> AsyncGenerator[None]:
        turns = self._turns.setdefault(door, asyncio.Semaphore(AT_ONCE))
        try:
            async with asyncio.timeout(TURN_SECONDS):
                await turns.acquire()
        except TimeoutError as error:
            raise Busy(Text("Too many people are opening this door at once.")) from error
        try:
            yield
        finally:
            turns.release()

    async def _move(self, door: MovedRow) -> Failure | None:
        """None: done, as far as whoever was asked knows."""
        if door.driver == Driver.DLOCK:
            return await self._dlock.unlock(PointKey(door.key), seconds=door.open_seconds)
        topic, payload = f"{self._prefix}{door.topic}", str(door.open_seconds).encode()
        try:
            async with asyncio.timeout(PUBLISH_SECONDS):
                # Acknowledged by the broker: only then may anybody be told that it was sent.
                await self._broker.publish(topic, payload, qos=1)
        except TimeoutError:
            words = Text(
                "did not answer within {seconds} s, so the door may have opened",
                seconds=round(PUBLISH_SECONDS),
            )
            return Failure(words, is_late=True)
        except BrokerUnavailable:
            return Failure(Text("can't be reached"))
        return None

    async def _write_down(
        self, command: str, opening: Opening, failure: Failure | None, by: Author
    ) -> None:
        """Waits for a database that is away. Raises: DatabaseUnavailable."""
        result = EXECUTED if failure is None else f"{FAILED}{failure.words}"
        deadline = self._clock() + WRITE_SECONDS
        while True:
            try:
                async with self._database.writing(by=by) as conn:
                    # False after a commit of which nobody knew whether it was done.
                    is_new = await queries.answer(
                        conn, command=command, result=result, at=opening.at
                    )
                    if is_new and failure is None:
                        await write_openings(conn, [opening], known_visitors=self._known_visitors)
            except DatabaseUnavailable:
                if self._clock() >= deadline:
                    log.error("old_door.not_written_down", door=opening.door, result=result)
                    raise
            else:
                break
            await asyncio.sleep(PAUSE_SECONDS)
        if failure is None:
            self._known_visitors.add(opening.account)
