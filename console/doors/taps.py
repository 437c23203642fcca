"""What happened at a door, in words for the door's page. Pure."""

from dataclasses import dataclass

from console.doors.old_door import FAILED
from console.doors.queries import TapRow
from console.events.happenings import ASKED, Happening, sentence
from sync.events import EventKind

_UNKNOWN = "It is not known whether it was done."


@dataclass(frozen=True, slots=True)
class Tap:
    """An event at a door. `account_id` None: nobody we know did it. `why` may be empty."""

    row: TapRow
    account_id: int | None
    who: str
    is_yes: bool
    did: str
    why: str


def tap(row: TapRow) -> Tap:
    """A row in words."""
    reason = row.reason or ""
    told = sentence(
        Happening(row.kind, row.name or row.username, row.reason, row.operation), place=None
    )
    why = told.note
    if row.kind == EventKind.COMMAND_REFUSED and reason.startswith(FAILED):
        why = f"What opens it {reason.removeprefix(FAILED)}."
    if row.kind == ASKED:
        why = _UNKNOWN
    account_id = row.account_id if told.is_person else None
    return Tap(row, account_id, told.who, told.is_yes, told.did, why)
