"""What happened at a door, in words for the door's page. Pure."""

from dataclasses import dataclass

from console.doors.old_door import FAILED
from console.doors.queries import TapRow
from console.events.wording import sentences
from sync.events import EventKind


@dataclass(frozen=True, slots=True)
class Tap:
    """An event at a door. `why`: why the door did not open; empty where it did."""

    row: TapRow
    who: str
    is_yes: bool
    did: str
    why: str


def tap(row: TapRow) -> Tap:
    """A row in words."""
    match row.kind:
        case EventKind.ACCESS_GRANTED:
            return _opened(row, "came in")
        case EventKind.COMMAND_EXECUTED:
            return _opened(row, "opened it from the console")
        case EventKind.ACCESS_WITHDRAWN:
            return _refused(row, "Somebody", "was let in, but it did not open")
        case EventKind.COMMAND_REFUSED if (row.reason or "").startswith(FAILED):
            did = "could not open it from the console"
            return _asked(row, did, f"What opens it {(row.reason or '').removeprefix(FAILED)}.")
        case "command_asked":
            return _asked(row, "asked for it to open", "It is not known whether it did.")
        case EventKind.COMMAND_REFUSED:
            return _refused(row, "Somebody", "could not open it from the console")
        case _:
            return _refused(row, "An unknown card", "was refused")


def _opened(row: TapRow, did: str) -> Tap:
    return Tap(row, row.name or row.username or "Somebody", True, did, "")


def _asked(row: TapRow, did: str, why: str) -> Tap:
    return Tap(row, row.name or row.username or "Somebody", False, did, why)


def _refused(row: TapRow, nobody: str, did: str) -> Tap:
    """`nobody`: who it was, if it is nobody that we know."""
    why = sentences(row.reason, is_known_person=row.account_id is not None)
    return Tap(row, row.name or row.username or nobody, False, did, why)
