"""What somebody may order at a door or a tool, and how that is read from a form. Pure."""

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct

from console.words import Text
from sync.commands import REASON_CHARACTERS_MAX, UNLOCK_SECONDS_MAX, Operation
from sync.ids import AccountRef, PointKey
from sync.rights import PointKind

TAKES: Mapping[PointKind, frozenset[Operation]] = MappingProxyType(
    {
        # At a door it would be the same as out of service, which locks at once, too.
        PointKind.DOOR: frozenset(Operation) - {Operation.STOP_NOW},
        # Never powered from afar: somebody may have her hands in it.
        PointKind.TOOL: frozenset({Operation.LOCK, Operation.OUT_OF_SERVICE, Operation.STOP_NOW}),
    }
)
UNLOCK_MINUTES_MAX = UNLOCK_SECONDS_MAX // 60


class Order(Struct, frozen=True):
    """What `actor` wants done. `seconds`: of UNLOCK_UNTIL only. `reason`: any text, or none."""

    kind: PointKind
    point: PointKey
    operation: Operation
    actor: AccountRef
    seconds: int | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        """Raises: ValueError for an order that such a point doesn't take."""
        if self.operation not in TAKES[self.kind]:
            raise ValueError(f"a {self.kind} doesn't take {self.operation}")
        if (self.seconds is not None) != (self.operation is Operation.UNLOCK_UNTIL):
            raise ValueError("seconds belong to unlock_until")


def read_order(
    fields: Mapping[str, str], *, kind: PointKind, point: PointKey, actor: AccountRef
) -> Order | str:
    """The order in a form's fields, but to open; or in one line what is wrong with it."""
    known = {operation.value: operation for operation in TAKES[kind] - {Operation.OPEN}}
    operation = known.get(fields.get("operation", ""))
    if operation is None:
        return Text("operation: one of {names}", names=", ".join(sorted(known)))
    reason = " ".join(fields.get("reason", "").split())
    if len(reason) > REASON_CHARACTERS_MAX or not reason.isprintable():
        return Text("reason: at most {n} characters", n=REASON_CHARACTERS_MAX)
    if operation is not Operation.UNLOCK_UNTIL:
        return Order(kind, point, operation, actor, reason=reason)
    minutes = fields.get("minutes", "")
    if not minutes.isascii() or not minutes.isdecimal() or len(minutes) > 4:
        return Text("minutes: a whole number from 1 to {most}", most=UNLOCK_MINUTES_MAX)
    if not 1 <= int(minutes) <= UNLOCK_MINUTES_MAX:
        return Text("minutes: from 1 to {most}", most=UNLOCK_MINUTES_MAX)
    return Order(kind, point, operation, actor, seconds=int(minutes) * 60, reason=reason)
