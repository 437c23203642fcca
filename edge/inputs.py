"""Inputs that bounce: a change counts once it has lasted.

Which pin is which, and what a closed circuit means there, is said in edge/points.py; the pins
themselves are in edge/pins.py.
"""

import asyncio
from collections.abc import Callable

BOUNCE_SECONDS = 0.05
"""Longer than a reed contact or a relay bounces, shorter than anybody notices."""


class Debounced:
    """One input. Until it was first heard, `value` is None: not known."""

    def __init__(
        self,
        changed: Callable[[bool], object],
        *,
        at_rest: bool | None = None,
        seconds: float = BOUNCE_SECONDS,
    ) -> None:
        """`changed` gets every value that has lasted, but for the first: it is no change. With
        `at_rest` it gets a first one that is another: an alarm at the start is one, too.
        """
        self._changed = changed
        self._at_rest = at_rest
        self._seconds = seconds
        self._timer: asyncio.TimerHandle | None = None
        self.value: bool | None = None

    def hear(self, value: bool) -> None:
        """What the pin says now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.value is None:
            self.value = value
            if self._at_rest is not None and value is not self._at_rest:
                self._changed(value)
        elif value is not self.value:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._seconds, self._settle, value)

    def close(self) -> None:
        """Nothing more is told."""
        if self._timer is not None:
            self._timer.cancel()

    def _settle(self, value: bool) -> None:
        self._timer = None
        self.value = value
        self._changed(value)
