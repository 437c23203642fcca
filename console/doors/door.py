"""What pages say about a door: what is true now, as far as its controller has told. Pure.

A report that is too old says nothing about now: then the door is called offline, with the time
since when, and never locked or unlocked.
"""

from dataclasses import dataclass
from datetime import datetime

from console.controllers.reports import is_offline
from console.controllers.said import Json, part, troubles
from console.controllers.shown import Shown
from console.doors.driver import Driver
from console.doors.queries import DoorRow


@dataclass(frozen=True, slots=True)
class DoorView:
    """A door as pages show it. `heard_at`: when its controller reported last; None: never.

    `controller` and `rights` None: none of ours moves it, but what `mover` says. `troubles`: what
    its controller says doesn't work.
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
    troubles: tuple[str, ...]


_STATES = {
    "locked": Shown("Locked", "lock"),
    "deciding": Shown("Reading a card", "card"),
    "released": Shown("Unlocked", "unlock", "good"),
    "boot": Shown("Starting", "alert", "warn"),
    "fault": Shown("Out of order", "alert", "bad"),
}
"""By the state that a controller reports."""

NOT_ENROLLED = Shown("No controller yet", "alert", "warn")
IN_QUARANTINE = Shown("Controller in quarantine", "alert", "bad")
NEVER_HEARD = Shown("Never heard of", "alert", "warn")
OFFLINE = Shown("Offline", "alert", "warn")
NOT_SAID = Shown("Not at its controller", "alert", "bad")

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
    offline = is_offline(row.received_at, now)
    return DoorView(
        key=row.key,
        name=row.name,
        controller=row.controller,
        mover=f"{_MOVERS[Driver(row.driver)]}{row.topic or ''}",
        circles=tuple(row.circles),
        open_seconds=row.open_seconds,
        state=_state(row, offline=offline),
        is_offline=offline and row.received_at is not None,
        heard_at=row.received_at,
        last_opened_at=row.last_opened_at,
        rights=None
        if row.controller is None
        else rights(
            enrolled=row.enrolled_at is not None and row.quarantined_at is None,
            report=row.report,
            serial=row.serial,
            digest=row.digest,
        ),
        troubles=() if offline else troubles(row.report),
    )


def rights(*, enrolled: bool, report: Json | None, serial: int, digest: bytes | None) -> Shown:
    """How the rights in force compare with those that were published; `serial` 0: none were."""
    if not enrolled or serial == 0 or digest is None:
        return Shown("No rights published yet", "alert", "warn")
    applied = part(report, "applied")
    if applied.get("digest") == digest.hex():
        return Shown(f"Up to date, no. {serial}", "check", "good")
    has = applied.get("serial")
    if not isinstance(has, int) or has == 0:
        return Shown(f"Behind: has no rights yet, no. {serial} waits", "alert", "warn")
    if has >= serial:
        return Shown(f"Has no. {has}, which we didn't publish", "alert", "bad")
    return Shown(f"Behind: has no. {has}, no. {serial} waits", "alert", "warn")


def _state(row: DoorRow, *, offline: bool) -> Shown:
    if row.controller is None:
        return _OLD_STATES[Driver(row.driver)]
    if row.quarantined_at is not None:
        return IN_QUARANTINE
    if row.enrolled_at is None:
        return NOT_ENROLLED
    if row.received_at is None:
        return NEVER_HEARD
    if offline:
        return OFFLINE
    reported = part(row.report, "state", "points", row.key)
    if not reported:
        return NOT_SAID
    if reported.get("relay") == "on":
        return _STATES["released"]
    state = str(reported.get("state", ""))[:40]
    return _STATES.get(state, Shown(state.replace("_", " ") or "Unknown", "alert", "warn"))
