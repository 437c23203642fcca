"""What is wired to the inputs: contacts, buttons, sensors, and what makes them move.

Names as edge/equipment.py has them: `contact of front`. A circuit is closed or open; nobody but the
world moves it.
"""

from collections.abc import Callable, Mapping
from random import Random
from types import MappingProxyType

from tests.prove.world.loop import VirtualLoop
from tests.prove.world.timeline import Timeline

PINS: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {
        "front": {"contact": 5, "exit": 6, "tamper": 13, "feedback": 19},
        "back": {},
        "saw": {"feedback": 26, "current": 20, "stop": 21},
    }
)
AT_REST = {"contact": True, "exit": False, "tamper": True, "feedback": False} | {
    "current": False,
    "stop": True,
}


class Circuits:
    """All of them. They outlive the controller's starts."""

    def __init__(
        self, timeline: Timeline, random: Random, moved: Callable[[str, str, bool], None]
    ) -> None:
        """`moved`: point, name, and whether the circuit is closed now."""
        self._timeline = timeline
        self._random = random
        self._moved = moved
        self._closed = {
            f"{name} of {point}": AT_REST[name] for point, names in PINS.items() for name in names
        }
        self._listeners: dict[str, tuple[VirtualLoop, Callable[[bool], None]]] = {}
        self._relays: dict[str, bool] = {}
        self.welded: set[str] = set()
        self.stuck: set[str] = set()
        self.switched_on: set[str] = set()
        """Tools whose own switch is on: their motor runs if they have power."""

    def wire(self, loop: VirtualLoop, purpose: str, changed: Callable[[bool], None]) -> object:
        """As edge/pins.py: told at once, and after each change."""
        self._listeners[purpose] = loop, changed
        changed(self._closed[purpose])
        return purpose

    def is_closed(self, point: str, name: str) -> bool | None:
        """None: there is no such circuit."""
        return self._closed.get(f"{name} of {point}")

    def move(self, point: str, name: str, *, is_closed: bool) -> None:
        purpose = f"{name} of {point}"
        if self._closed.get(purpose, is_closed) is is_closed:
            return
        self._closed[purpose] = is_closed
        self._moved(point, name, is_closed)
        loop, changed = self._listeners.get(purpose, (None, None))
        if loop is not None and changed is not None and not loop.is_dead:
            loop.call_soon(lambda: changed(self._closed[purpose]))

    def bounce(self, point: str, name: str, *, is_closed: bool) -> None:
        """The same, with a few short contacts before."""
        for number in range(self._random.randrange(4)):
            self._timeline.after(
                0.004 * number,
                lambda number=number: self.move(
                    point, name, is_closed=is_closed is (number % 2 == 0)
                ),
            )
        self._timeline.after(0.02, lambda: self.move(point, name, is_closed=is_closed))

    def mend(self) -> None:
        """Everything is as it is when nobody is there."""
        self.welded.clear()
        self.stuck.clear()
        self.switched_on.clear()
        for point, names in PINS.items():
            for name in names:
                if name not in {"feedback", "current"}:
                    self.move(point, name, is_closed=AT_REST[name])
            self.follow(point)

    def relay_moved(self, point: str, is_on: bool) -> None:
        """What the relay's own contacts do takes some milliseconds."""
        self._relays[point] = is_on
        self._timeline.after(self._random.uniform(0.003, 0.012), lambda: self.follow(point))

    def follow(self, point: str) -> None:
        """Auxiliary contact and motor follow what the relay's contacts do now."""
        is_on = self._relays.get(point, False)
        conducts = (is_on or point in self.welded) and point not in self.stuck
        self.move(point, "feedback", is_closed=conducts)
        self.move(point, "current", is_closed=conducts and point in self.switched_on)
