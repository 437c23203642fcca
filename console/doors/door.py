"""What pages say about a door: what is true now, as far as its controller has told. Pure."""

from datetime import datetime

from msgspec import Struct

from console.controllers.freshness import Freshness
from console.controllers.point_state import STANDS_OPEN, PointView, is_shut_by, point_view
from console.controllers.shown import Shown
from console.doors.driver import Driver
from console.doors.queries import DoorRow
from console.words import Text
from sync.ids import PointKey
from sync.rights import Assurance, Point, PointKind


class DoorView(Struct, frozen=True):
    """A door as pages show it. `heard_at`: when its controller reported last; None: never.

    `controller` and `rights` None: none of ours moves it, but what `mover` says. `alarms`: what is
    wrong with the door, `troubles`: what its controller says doesn't work. `freshness` None: not
    told. `is_ajar`: its leaf stands open. `urgent`, `reported`: as in `PointView`.
    `is_shut`: it opens for nobody now; `shut_by`, `shut_at`: by whose order.
    `unlocked_until`: when it will be locked again; None: it isn't unlocked for everybody, or nobody
    knows.
    """

    key: str
    name: str
    controller: str | None
    mover: str
    circles: tuple[str, ...]
    open_seconds: int
    state: Shown
    is_offline: bool
    heard_at: datetime | None
    last_opened_at: datetime | None
    rights: Shown | None
    freshness: Freshness | None
    alarms: tuple[str, ...]
    troubles: tuple[str, ...]
    is_ajar: bool
    urgent: tuple[Shown, ...]
    reported: frozenset[str]
    unlocked_until: datetime | None
    is_shut: bool
    shut_by: str | None
    shut_at: datetime | None


_OLD_STATES = {
    Driver.DLOCK: Shown(Text("Opened through the old door controller"), "door"),
    Driver.MQTT: Shown(Text("Opened through MQTT"), "door"),
}
"""Nothing reports whether such a door is locked."""


def view(row: DoorRow, now: datetime) -> DoorView:
    """The door as it is now."""
    at_controller = None if row.controller is None else point_view(row, _point(row), now)
    is_ordered = at_controller is not None and is_shut_by(at_controller.word, row.order)
    return DoorView(
        key=row.key,
        name=row.name,
        controller=row.controller,
        mover=_mover(row),
        circles=tuple(row.circles),
        open_seconds=row.open_seconds,
        state=at_controller.state if at_controller else _OLD_STATES[Driver(row.driver)],
        is_offline=at_controller is not None and at_controller.is_offline,
        heard_at=row.received_at,
        last_opened_at=row.last_opened_at,
        rights=at_controller.rights if at_controller else None,
        freshness=at_controller.freshness if at_controller else None,
        alarms=at_controller.alarms if at_controller else (),
        troubles=at_controller.troubles if at_controller else (),
        is_ajar=at_controller is not None and at_controller.is_ajar,
        urgent=at_controller.urgent if at_controller else (),
        reported=at_controller.reported if at_controller else frozenset(),
        unlocked_until=_unlocked_until(row, at_controller, now),
        is_shut=at_controller is not None and at_controller.is_shut,
        shut_by=row.ordered_by if is_ordered else None,
        shut_at=row.ordered_at if is_ordered else None,
    )


def _unlocked_until(row: DoorRow, said: PointView | None, now: datetime) -> datetime | None:
    """Only while the door says that it is unlocked: whatever ends that is not all an order."""
    is_so = said is not None and said.word == STANDS_OPEN
    return row.unlocked_until if is_so and row.unlocked_until and row.unlocked_until > now else None


def _mover(row: DoorRow) -> str:
    match Driver(row.driver):
        case Driver.CONTROLLER:
            return ""
        case Driver.DLOCK:
            return Text("the old door controller")
        case Driver.MQTT:
            return Text("MQTT, topic {topic}", topic=row.topic or "")


def _point(row: DoorRow) -> Point:
    return Point(
        PointKey(row.key),
        PointKind.DOOR,
        row.open_seconds,
        row.soft_seconds,
        row.hard_seconds,
        row.requires_fresh,
        Assurance(row.min_assurance),
    )
