"""What pages say about a door: what is true now, as far as its controller has told. Pure."""

from dataclasses import dataclass
from datetime import datetime

from console.controllers.freshness import Freshness
from console.controllers.point_state import point_view
from console.controllers.shown import Shown
from console.doors.driver import Driver
from console.doors.queries import DoorRow
from sync.ids import PointKey
from sync.rights import Assurance, Point, PointKind


@dataclass(frozen=True, slots=True)
class DoorView:
    """A door as pages show it. `heard_at`: when its controller reported last; None: never.

    `controller` and `rights` None: none of ours moves it, but what `mover` says. `alarms`: what is
    wrong with the door, `troubles`: what its controller says doesn't work. `freshness` None: not
    told. `is_ajar`: its leaf stands open.
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


_OLD_STATES = {
    Driver.DLOCK: Shown("Opened through the old door controller", "door"),
    Driver.MQTT: Shown("Opened through MQTT", "door"),
}
"""Nothing reports whether such a door is locked."""
_MOVERS = {
    Driver.CONTROLLER: "",
    Driver.DLOCK: "the old door controller",
    Driver.MQTT: "MQTT, topic ",
}


def view(row: DoorRow, now: datetime) -> DoorView:
    """The door as it is now."""
    at_controller = None if row.controller is None else point_view(row, _point(row), now)
    return DoorView(
        key=row.key,
        name=row.name,
        controller=row.controller,
        mover=f"{_MOVERS[Driver(row.driver)]}{row.topic or ''}",
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
    )


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
