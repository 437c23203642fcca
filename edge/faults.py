"""What is wrong at one point, and who hears of it."""

from collections.abc import Callable

from sync.events import EventKind, Occurrence
from sync.ids import PointKey
from sync.rights import Reason

LATCHED = frozenset({Reason.RELAY_WELDED})
"""Faults that a person has to have looked at."""


class Faults:
    """Begins with RELAY_FAULT: until the guard has been heard, no relay can be relied on."""

    def __init__(
        self,
        point: PointKey,
        changed: Callable[[], None],
        tell: Callable[[Occurrence], None],
    ) -> None:
        """`changed` is called when `first` may differ; `tell` gets what is to be recorded."""
        self._point = point
        self._changed = changed
        self._tell = tell
        self._faults: dict[Reason, None] = {Reason.RELAY_FAULT: None}
        self._told: set[Reason] = set()

    @property
    def all(self) -> frozenset[Reason]:
        """All of them."""
        return frozenset(self._faults)

    @property
    def first(self) -> Reason | None:
        """The one that has lasted longest; None: nothing is wrong."""
        return next(iter(self._faults), None)

    def set(self, fault: Reason, is_there: bool) -> None:
        """A fault is there, or it is not."""
        if is_there is (fault in self._faults):
            return
        if is_there:
            self._faults[fault] = None
            self._told.add(fault)
            self._tell(Occurrence(EventKind.FAULT_BEGAN, point=self._point, reason=fault))
        else:
            del self._faults[fault]
            if fault in self._told:
                self._told.discard(fault)
                self._tell(Occurrence(EventKind.FAULT_ENDED, point=self._point, reason=fault))
        self._changed()


def tell_stop(is_released: bool, point: PointKey, tell: Callable[[Occurrence], None]) -> bool:
    """Has it recorded that an emergency stop was pressed or released; gives `is_released` back.

    Recorded as a fault, for which slots are kept; what follows for the tool is in edge/tool.py.
    """
    kind = EventKind.FAULT_ENDED if is_released else EventKind.FAULT_BEGAN
    tell(Occurrence(kind, point=point, reason=Reason.EMERGENCY_STOPPED))
    return is_released
