"""What a door feels: its leaf, its exit button, its housings. Observed, never in anybody's way."""

from collections.abc import Callable

from edge.door import DoorInput
from edge.inputs import Debounced
from edge.leaf import Leaf
from sync.events import EventKind, Occurrence
from sync.ids import PointKey

_LEAF_EVENTS = {
    DoorInput.LEAF_OPENED: EventKind.DOOR_OPENED,
    DoorInput.LEAF_FORCED: EventKind.DOOR_FORCED,
    DoorInput.LEAF_CLOSED: EventKind.DOOR_CLOSED,
    DoorInput.HELD_TOO_LONG: EventKind.DOOR_HELD_OPEN,
}


class DoorSensors:
    """Each takes the state of its circuit; one that isn't there is never heard."""

    def __init__(
        self,
        point: PointKey,
        *,
        happen: Callable[[DoorInput], object],
        tell: Callable[[Occurrence], None],
        held_seconds: float,
    ) -> None:
        """`happen` gets what it means for the door; `tell` what is to be recorded."""
        self._point = point
        self._happen = happen
        self._tell = tell
        self.leaf = Leaf(self._leaf_moved, held_seconds=held_seconds)
        self._tamper = Debounced(self._tampered, at_rest=True)
        self._exit = Debounced(self._exit_pressed)

    @property
    def is_tampered(self) -> bool:
        """Whether a housing is open now."""
        return self._tamper.value is False

    def contact(self, is_closed: bool) -> None:
        """The circuit of the leaf's contact: closed with the leaf."""
        self.leaf.hear(not is_closed)

    def exit(self, is_closed: bool) -> None:
        """The circuit of the exit button: closed while it is pressed."""
        self._exit.hear(is_closed)

    def tamper(self, is_closed: bool) -> None:
        """The circuit through the housings: opens with any of them."""
        self._tamper.hear(is_closed)

    def close(self) -> None:
        """Nothing more is told."""
        self.leaf.close()
        self._tamper.close()
        self._exit.close()

    def _leaf_moved(self, moved: DoorInput) -> None:
        self._tell(Occurrence(_LEAF_EVENTS[moved], point=self._point))
        self._happen(moved)

    def _tampered(self, is_closed: bool) -> None:
        kind = EventKind.TAMPER_ENDED if is_closed else EventKind.TAMPER_BEGAN
        self._tell(Occurrence(kind, point=self._point))
        if not is_closed:
            self._happen(DoorInput.TAMPER_OPENED)

    def _exit_pressed(self, is_closed: bool) -> None:
        if is_closed:
            self.leaf.exit_requested()
            self._tell(Occurrence(EventKind.EXIT_REQUESTED, point=self._point))
