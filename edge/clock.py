"""The controller's clock, which never goes backwards.

Also how old the rights are: the time since a beacon last answered a nonce of this controller.

The clock is the higher of the last fresh beacon's time and the persisted high-water mark, plus
monotonic time since. The operating system's clock never moves it: one wild jump would poison it for
good. Whether a beacon is fresh is decided in edge/challenge.py; when the mark is persisted, in
edge/housekeeping.py. Source: sync/README.md, "Time".
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from sync.ids import BootId
from sync.rights import Moment

NS_PER_MS = 1_000_000
UNHEARD_MS = 366 * 24 * 3600 * 1000
"""The age of a controller that never heard a beacon: too old for anything."""

START_MS = 3600 * 1000
"""What each start adds to the age: nobody knows how long the controller was off, and restarting
again and again must not keep the rights young."""

ODD_MS = 5 * 60 * 1000
"""Clocks that differ by more than this are worth an event."""


@dataclass(frozen=True, slots=True)
class Clock:
    """A reading of the clock and the monotonic instant at which it was taken. Unix time in ms."""

    time_ms: int
    mono_ms: int
    is_trusted: bool = False

    def moment(self, mono_ms: int) -> Moment:
        """The time at a later monotonic instant."""
        return Moment(self.time_ms + max(0, mono_ms - self.mono_ms), self.is_trusted)

    def after_beacon(self, time_ms: int, mono_ms: int) -> "Clock":
        """The clock once a fresh beacon has told the time: trusted, and never an earlier one."""
        return Clock(max(time_ms, self.moment(mono_ms).now_ms), mono_ms, is_trusted=True)


def oddities(before: Moment, beacon_ms: int, wall_ms: int) -> tuple[str, ...]:
    """What is strange about the time that a beacon told, in words for an event's detail.

    A clock that wasn't trusted may run late: its jump ahead is no surprise.
    """
    ahead_ms = beacon_ms - before.now_ms
    found: list[str] = []
    if before.is_trusted and ahead_ms > ODD_MS:
        found.append("the console's clock jumped ahead")
    if ahead_ms < -ODD_MS:
        found.append("the console's clock is behind this controller's")
    if abs(wall_ms - beacon_ms) > ODD_MS:
        found.append("the operating system's clock differs from the console's")
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Instant:
    """When something happened, by every clock that an event names."""

    boot: BootId
    mono_ms: int
    moment: Moment
    wall_ms: int


class Timekeeper:
    """The clock of this boot: the one place of the controller that asks what time it is."""

    def __init__(
        self,
        boot: BootId,
        *,
        mono_ns: Callable[[], int] = time.monotonic_ns,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """The boot begins now. Until `start_at` the clock stands at 0, not trusted, never heard."""
        self.boot = boot
        self._mono_ns = mono_ns
        self._wall_ns = wall_ns
        self._boot_ns = mono_ns()
        self._clock = Clock(0, 0)
        self._aged_ms = UNHEARD_MS  # at `_aged_at_ms`
        self._aged_at_ms = 0
        self.has_started = False
        """Whether `start_at` was called: what is persisted from then on holds this boot's time."""

    def mono_ms(self) -> int:
        """Milliseconds since the boot began."""
        return (self._mono_ns() - self._boot_ns) // NS_PER_MS

    def wall_ms(self) -> int:
        """What the operating system believes; for diagnosis only."""
        return max(0, self._wall_ns() // NS_PER_MS)

    def moment(self) -> Moment:
        """The time now."""
        return self._moment(self.mono_ms())

    def _moment(self, mono_ms: int) -> Moment:
        age_ms = self._aged_ms + max(0, mono_ms - self._aged_at_ms)
        return replace(self._clock.moment(mono_ms), age_ms=min(age_ms, UNHEARD_MS))

    def now(self) -> Instant:
        """All clocks at once."""
        mono_ms = self.mono_ms()
        return Instant(self.boot, mono_ms, self._moment(mono_ms), self.wall_ms())

    def start_at(self, high_water_ms: int, age_ms: int = UNHEARD_MS) -> None:
        """Goes on from the persisted high-water mark, and from the age that was persisted.

        Both are older than this boot: how long it has taken so far comes on top.
        """
        self.has_started = True
        mono_ms = self.mono_ms()
        known_ms = self._clock.moment(mono_ms).now_ms
        self._clock = Clock(max(high_water_ms + mono_ms, known_ms), mono_ms, self._clock.is_trusted)
        self._aged_ms, self._aged_at_ms = min(age_ms + START_MS, UNHEARD_MS), 0

    def refresh(self, asked_ms: int) -> None:
        """The rights in force are the newest, as of a question that was asked then (monotonic)."""
        if self._aged_ms + asked_ms - self._aged_at_ms > 0:
            self._aged_ms, self._aged_at_ms = 0, asked_ms

    def hear_beacon(self, time_ms: int) -> tuple[str, ...]:
        """Believes a fresh beacon's time; returns what was strange about it."""
        mono_ms = self.mono_ms()
        before = self._clock.moment(mono_ms)
        self._clock = self._clock.after_beacon(time_ms, mono_ms)
        return oddities(before, time_ms, self.wall_ms())
