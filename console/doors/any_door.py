"""Opens a door for somebody, whatever moves it: the one way for the pages and for the old API.

The rule is asked first, for every door that is wanted. Then each is opened by what moves it: a
controller of ours in `opening.py`, anything else in `old_door.py`. Both ask the rule again, since
a door may have to wait for those before it.
"""

from collections.abc import Callable, Sequence

import structlog
from msgspec import Struct

from console.database import Author, Database
from console.doors import old_door_queries as queries
from console.doors.driver import Driver
from console.doors.old_door import OldDoors
from console.doors.opening import Failed, NoSuchDoor, NotAllowed, Opened, Opener, Outcome
from console.errors import Busy
from console.rights.access import may_open_which
from console.words import Text
from sync.ids import AccountRef, PointKey

log = structlog.get_logger()

NO_CONTROLLER = Failed(Text("Its controller isn't enrolled, or is in quarantine."), is_late=False)


class Tried(Struct, frozen=True):
    """What became of a door, after all those in `opened` had opened."""

    door: PointKey
    outcome: Outcome
    opened: tuple[PointKey, ...] = ()


class AnyDoor:
    """Opens doors for people."""

    def __init__(
        self,
        database: Database,
        *,
        controllers: Opener | None,
        old_doors: OldDoors,
        now_ms: Callable[[], int],
    ) -> None:
        """`controllers` None: there is no way to them. `now_ms`: Unix time."""
        self._database = database
        self._controllers = controllers
        self._old_doors = old_doors
        self._now_ms = now_ms

    async def open(self, doors: Sequence[PointKey], *, actor: AccountRef, by: Author) -> Tried:
        """Opens the doors in this order (at least one), if `actor` may open all of them.

        Gives the first that did not open, else the last. A door that isn't there comes before one
        that she may not open. Raises: DatabaseUnavailable; Busy.
        """
        async with self._database.reading() as conn:
            rows = await queries.moved(conn, keys=set(doors))
            answers = await may_open_which(conn, account_id=actor, now_ms=self._now_ms())
        for door in doors:
            if door not in rows or door not in answers:
                return Tried(door, NoSuchDoor())
        for door in doors:
            if not answers[door].decision.is_allowed:
                log.info("opening.denied", door=door, reason=answers[door].decision.reason.value)
                return Tried(door, NotAllowed(answers[door]))
        tried = Tried(doors[0], NoSuchDoor())
        for number, door in enumerate(doors):
            is_ours = rows[door].driver == Driver.CONTROLLER
            opens = self._at_controller if is_ours else self._old_doors.open
            outcome = await opens(door, actor=actor, by=by)
            tried = Tried(door, outcome, tuple(doors[:number]))
            if not isinstance(outcome, Opened):
                break
        return tried

    async def _at_controller(self, door: PointKey, *, actor: AccountRef, by: Author) -> Outcome:
        if self._controllers is None:
            raise Busy(Text("Doors can't be opened from here just now."))
        outcome = await self._controllers.open(door, actor=actor, by=by)
        return NO_CONTROLLER if isinstance(outcome, NoSuchDoor) else outcome
