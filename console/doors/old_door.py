"""Opens a door that no controller of ours moves, by HTTP or MQTT.

That somebody is about to open it is committed first, as a row of access.command, and what became of
it afterwards, with what the web app wrote about an opening. A row without a result says that this
program ended, or lost its database, in between. The caller has asked the rule.
"""

import asyncio
import time
import uuid
from collections.abc import Callable

import structlog

from console.database import Database
from console.doors import old_door_queries as queries
from console.doors.dlock import Dlock, Failure
from console.doors.driver import Driver
from console.doors.old_door_queries import MovedRow
from console.errors import BrokerUnavailable, Busy
from console.events.openings import Opening, write_openings
from console.events.storing import EXECUTED
from console.settings import MqttSettings
from console.web import times
from console.web.keys import Publishes
from sync.ids import AccountRef, PointKey

log = structlog.get_logger()

PUBLISH_SECONDS = 3.0
OPENINGS_MAX = 100
"""That are under way at a time."""
FAILED = "failed: "
"""access.command.result begins with it; behind it stand words that begin with what was asked."""


class OldDoors:
    """Opens them."""

    def __init__(
        self,
        database: Database,
        dlock: Dlock,
        broker: Publishes,
        *,
        mqtt: MqttSettings,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock`: monotonic seconds."""
        self._database = database
        self._dlock = dlock
        self._broker = broker
        self._prefix = mqtt.legacy_door_prefix
        self._clock = clock
        self._under_way = 0
        self._known_visitors: set[int] = set()

    async def open(
        self, door: MovedRow, *, actor: AccountRef, remote_addr: str | None
    ) -> Failure | float:
        """Opens it; gives after how many seconds. Takes at most about 10 s.

        `remote_addr`: for the history of the tables. Raises: DatabaseUnavailable; Busy.
        """
        if self._under_way >= OPENINGS_MAX:
            raise Busy("Too many doors are being opened at once.")
        self._under_way += 1
        try:
            return await self._open(door, actor, remote_addr)
        finally:
            self._under_way -= 1

    async def _open(
        self, door: MovedRow, actor: AccountRef, remote_addr: str | None
    ) -> Failure | float:
        command = str(uuid.uuid4())
        async with self._database.writing() as conn:
            await queries.ask(conn, command=command, door=door.key, actor=actor)
        began = self._clock()
        failure = await self._move(door)
        seconds = self._clock() - began
        at = times.now()
        async with self._database.writing(remote_addr=remote_addr) as conn:
            if failure is None:
                opening = Opening(0, actor, door.key, at)
                await write_openings(conn, [opening], known_visitors=self._known_visitors)
            result = EXECUTED if failure is None else f"{FAILED}{failure.words}"
            await queries.answer(conn, command=command, result=result, at=at)
        if failure is not None:
            log.warning("old_door.failed", door=door.key, driver=door.driver, why=failure.words)
            return failure
        self._known_visitors.add(actor)
        log.info("old_door.opened", door=door.key, driver=door.driver)
        return seconds

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
            return Failure("did not answer within 3 s", is_late=True)
        except BrokerUnavailable:
            return Failure("can't be reached")
        return None
