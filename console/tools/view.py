"""What pages say about a tool. Pure. Whether somebody may use it is for `console/access/`."""

from datetime import datetime

from msgspec import Struct

from console.controllers.freshness import Freshness
from console.controllers.point_state import IN_USE, is_shut_by, point_view
from console.controllers.shown import Shown
from console.tools.page_queries import ToolPageRow
from console.words import Text
from sync.ids import PointKey
from sync.rights import Assurance, Point, PointKind


class User(Struct, frozen=True):
    """Somebody who uses a tool, or has it checked out. `since` None: not written down."""

    account_id: int
    name: str
    since: datetime | None


class ToolView(Struct, frozen=True):
    """A tool as pages show it. `key` None: no controller powers it, and it is taken on pages.

    `user`: who has it now, with her card at its controller, or checked out; None: nobody we know.
    `holder`: who has it checked out. The old web application lets people check out any tool.
    `rights`, `freshness`, `alarms`, `troubles`, `urgent`, `reported`, `is_shut`, `shut_by`,
    `shut_at`: as for a door.
    """

    id: int
    name: str
    description: str
    circle: str | None
    key: str | None
    controller: str | None
    state: Shown
    is_offline: bool
    heard_at: datetime | None
    user: User | None
    holder: User | None
    rights: Shown | None
    freshness: Freshness | None
    alarms: tuple[str, ...]
    troubles: tuple[str, ...]
    urgent: tuple[Shown, ...]
    reported: frozenset[str]
    is_shut: bool
    shut_by: str | None
    shut_at: datetime | None


def view(row: ToolPageRow, now: datetime) -> ToolView:
    """The tool as it is now."""
    holder = None
    if row.holder_id is not None and row.holder is not None:
        holder = User(row.holder_id, row.holder, row.holder_since)
    powered = None if row.key is None else point_view(row, _point(row, PointKey(row.key)), now)
    if powered is None:
        state = Shown(Text("Checked out"), "tool") if holder else Shown(Text("Free"), "tool")
    else:
        state = powered.state
    is_ordered = powered is not None and is_shut_by(powered.word, row.order)
    return ToolView(
        id=row.id,
        name=row.name,
        description=row.description or "",
        circle=row.circle,
        key=row.key,
        controller=row.controller,
        state=state,
        is_offline=powered is not None and powered.is_offline,
        heard_at=row.received_at,
        user=(_user(row) if powered is not None and powered.word in IN_USE else None) or holder,
        holder=holder,
        rights=powered.rights if powered else None,
        freshness=powered.freshness if powered else None,
        alarms=powered.alarms if powered else (),
        troubles=powered.troubles if powered else (),
        urgent=powered.urgent if powered else (),
        reported=powered.reported if powered else frozenset(),
        is_shut=powered is not None and powered.is_shut,
        shut_by=row.ordered_by if is_ordered else None,
        shut_at=row.ordered_at if is_ordered else None,
    )


def _user(row: ToolPageRow) -> User | None:
    if row.user_id is None or row.user is None:
        return None
    return User(row.user_id, row.user, row.user_since)


def _point(row: ToolPageRow, key: PointKey) -> Point:
    return Point(
        key,
        PointKind.TOOL,
        1,
        row.soft_seconds,
        row.hard_seconds,
        row.requires_fresh,
        Assurance(row.min_assurance),
    )
