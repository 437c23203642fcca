"""Opens a door from the console, and tells what became of it.

The rule is asked first, for whoever presses the button. Then its controller is ordered to open it;
only the controller's own event says that the door was opened.
"""

from collections.abc import Callable

import structlog
from msgspec import Struct

from console.controllers.order import Order
from console.controllers.orders import Done, NoAnswer, NoSuchPoint, Orders, Refused
from console.database import Author, Database
from console.rights.access import Answer, may_open
from sync.commands import Operation
from sync.ids import AccountRef, PointKey
from sync.rights import PointKind

log = structlog.get_logger()


class Opened(Struct, frozen=True):
    """The controller has recorded the opening and releases the door."""

    after_seconds: float


class NotAllowed(Struct, frozen=True):
    """The rule says no to whoever asked."""

    answer: Answer


class NoSuchDoor(Struct, frozen=True):
    """There is no door with this key, or no controller for it yet."""


class Failed(Struct, frozen=True):
    """A door that no controller of ours moves did not open, as far as is known. `words`: why.

    `is_late`: whoever moves it was asked and gave no answer, so it may have opened.
    """

    words: str
    is_late: bool


Outcome = Opened | NotAllowed | Refused | NoAnswer | NoSuchDoor | Failed


class Opener:
    """Opens doors that a controller of ours moves, for people."""

    def __init__(self, database: Database, orders: Orders, *, now_ms: Callable[[], int]) -> None:
        """`now_ms`: Unix time."""
        self._database = database
        self._orders = orders
        self._now_ms = now_ms

    async def open(
        self, door: PointKey, *, actor: AccountRef, by: Author, reason: str = ""
    ) -> Outcome:
        """Opens the door for `actor`, if the rule allows it; takes at most about 3 s.

        Raises: DatabaseUnavailable; Busy when too many orders wait for their answer.
        """
        async with self._database.reading() as conn:
            answer = await may_open(conn, account_id=actor, door_key=door, now_ms=self._now_ms())
        if answer is None:
            return NoSuchDoor()
        if not answer.decision.is_allowed:
            log.info("opening.denied", door=door, reason=answer.decision.reason.value)
            return NotAllowed(answer)
        order = Order(PointKind.DOOR, door, Operation.OPEN, actor, reason=reason)
        match await self._orders.give(order, by=by):
            case Done(after_seconds):
                return Opened(after_seconds)
            case NoSuchPoint():
                return NoSuchDoor()
            case other:
                return other
