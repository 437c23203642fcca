"""Virtual time: what happens next, and when."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

NS = 1_000_000_000
MS = 1_000_000


@dataclass(order=True, slots=True)
class Planned:
    """Something that will happen, unless it is called off."""

    when_ns: int
    number: int
    what: Callable[[], None] | None = field(compare=False)

    def call_off(self) -> None:
        self.what = None


class Timeline:
    """Nanoseconds since the world began, and what is planned."""

    def __init__(self) -> None:
        self.now_ns = 0
        self._planned: list[Planned] = []
        self._number = 0

    def at(self, when_ns: int, what: Callable[[], None]) -> Planned:
        """In the order of their times, and of planning where these are equal."""
        self._number += 1
        planned = Planned(max(when_ns, self.now_ns), self._number, what)
        heapq.heappush(self._planned, planned)
        return planned

    def after(self, seconds: float, what: Callable[[], None]) -> Planned:
        return self.at(self.now_ns + int(seconds * NS), what)

    def next_ns(self) -> int | None:
        """When the next thing happens; None: nothing is planned."""
        while self._planned and self._planned[0].what is None:
            heapq.heappop(self._planned)
        return self._planned[0].when_ns if self._planned else None

    def happen(self) -> None:
        """Goes to the next thing and lets it happen."""
        planned = heapq.heappop(self._planned)
        self.now_ns = max(self.now_ns, planned.when_ns)
        if planned.what is not None:
            planned.what()
