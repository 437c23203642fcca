"""What pages say about a tool, and whether the visitor may use it. Pure."""

from dataclasses import dataclass
from datetime import datetime

from console.controllers.freshness import Freshness
from console.controllers.point_state import IN_USE, point_view
from console.controllers.shown import Shown
from console.rights.access import Answer
from console.tools.page_queries import ToolPageRow
from console.web import times
from console.words import Text
from sync.ids import PointKey
from sync.rights import Assurance, Point, PointKind, Reason


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who uses a tool, or has it checked out. `since` None: not written down."""

    account_id: int
    name: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class ToolView:
    """A tool as pages show it. `key` None: no controller powers it. `user` None: nobody we know.

    `rights`, `freshness`, `alarms`, `troubles`, `urgent`: as for a door.
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
    rights: Shown | None
    freshness: Freshness | None
    alarms: tuple[str, ...]
    troubles: tuple[str, ...]
    urgent: tuple[Shown, ...]


def view(row: ToolPageRow, now: datetime) -> ToolView:
    """The tool as it is now."""
    holder = None
    if row.holder_id is not None and row.holder is not None:
        holder = User(row.holder_id, row.holder, None)
    powered = None if row.key is None else point_view(row, _point(row, PointKey(row.key)), now)
    if powered is None:
        state = (
            Shown(Text("Checked out"), "tool", "good") if holder else Shown(Text("Free"), "tool")
        )
    else:
        state = powered.state
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
        user=_user(row) if powered is not None and powered.word in IN_USE else holder,
        rights=powered.rights if powered else None,
        freshness=powered.freshness if powered else None,
        alarms=powered.alarms if powered else (),
        troubles=powered.troubles if powered else (),
        urgent=powered.urgent if powered else (),
    )


def may_use(answer: Answer | None, row: ToolPageRow, now: datetime) -> Shown:
    """Whether the visitor may use it, and if not, why."""
    if answer is not None and answer.decision.is_allowed:
        return Shown(Text("You can use it"), "check", "good")
    return Shown(_why_not(answer, row, now), "cross")


def _why_not(answer: Answer | None, row: ToolPageRow, now: datetime) -> Text:
    if row.circle is None:
        return Text("It has no circle, so nobody can use it")
    if answer is None or not answer.is_in_circle:
        return Text("For members of circle “{circle}”", circle=row.circle)
    if answer.decision.reason is Reason.ASSURANCE_TOO_LOW:
        return Text("It needs a card that can't be copied")
    window = answer.window
    if window is None or window.is_over(_ms(now)):
        return Text("You have no membership now")
    if window.not_before_ms is not None:
        begins = datetime.fromtimestamp(window.not_before_ms / 1000, now.tzinfo)
        return Text("Your membership begins {time}", time=times.within_sentence(begins, now))
    return Text("Not for you now")


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


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
