"""Whether a relay does what it is told, where an auxiliary contact says so.

Told off and felt on for half a second: its contacts are welded. That stays a fault until a person
has looked. Told on and felt off: it is stuck, which ends the unlock; the next one may try again.
Half a second is fifty times what a small relay needs to operate. Source: Omron G5LE datasheet,
operate time 10 ms at most.
"""

import asyncio
from collections.abc import Callable
from functools import partial

from edge.inputs import Debounced
from sync.rights import Reason

DIFFERENCE_SECONDS = 0.5
LATE_SECONDS = 0.1
"""A timer that is so late proves nothing about the relay."""


class Sensed:
    """Faults that several sensors tell of: each lasts until all of them have let go of it."""

    def __init__(self, set_fault: Callable[[Reason, bool], None]) -> None:
        self._set_fault = set_fault
        self._told: set[tuple[str, Reason]] = set()

    def by(self, sensor: str) -> Callable[[Reason, bool], None]:
        """What one sensor calls with a fault, and whether it is there."""
        return partial(self._tell, sensor)

    def _tell(self, sensor: str, fault: Reason, is_there: bool) -> None:
        if is_there:
            self._told.add((sensor, fault))
        else:
            self._told.discard((sensor, fault))
        self._set_fault(fault, any(told is fault for _, told in self._told))


class Feedback:
    """Compares; without an auxiliary contact it never has anything to say."""

    def __init__(
        self, set_fault: Callable[[Reason, bool], None], *, may_be_idle: bool = False
    ) -> None:
        """`set_fault` gets a fault, and whether it is there. `may_be_idle`: it feels what
        lies behind the relay, the current or a contactor with a start button, so that nothing felt
        is no fault.
        """
        self._may_be_idle = may_be_idle
        self._set_fault = set_fault
        self._contact = Debounced(lambda _value: self._compare())
        self._is_told_on = False
        self._is_welded = False
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_felt_on(self) -> bool | None:
        """None: there is no auxiliary contact."""
        return self._contact.value

    def told(self, is_on: bool) -> None:
        """What the guard says that it does."""
        if is_on is not self._is_told_on:
            self._is_told_on = is_on
            self._compare()

    def hear(self, is_on: bool) -> None:
        """What the auxiliary contact says now."""
        is_first = self._contact.value is None
        self._contact.hear(is_on)
        if is_first:
            self._compare()

    def restore(self) -> None:
        """A person has looked. A relay that is still felt on stays a fault."""
        if self._is_welded and (self._is_told_on or not self._contact.value):
            self._is_welded = False
            self._set_fault(Reason.RELAY_WELDED, False)

    def close(self) -> None:
        """Nothing more is told."""
        self._contact.close()
        self._forget()

    def _compare(self) -> None:
        self._forget()
        felt = self._contact.value
        if felt is None:
            return
        if felt is self._is_told_on or (self._is_told_on and self._may_be_idle):
            self._set_fault(Reason.RELAY_STUCK, False)
        else:
            self._wait()

    def _wait(self) -> None:
        due = asyncio.get_running_loop().time() + DIFFERENCE_SECONDS
        self._timer = asyncio.get_running_loop().call_at(due, self._differ, due)

    def _differ(self, due: float) -> None:
        self._timer = None
        if asyncio.get_running_loop().time() - due > LATE_SECONDS:
            # We stood still ourselves: what the contact did meanwhile may be heard in a moment.
            self._wait()
        elif self._is_told_on:
            self._set_fault(Reason.RELAY_STUCK, True)
        else:
            self._is_welded = True
            self._set_fault(Reason.RELAY_WELDED, True)

    def _forget(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
