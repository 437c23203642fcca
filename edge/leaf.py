"""The leaf of a door, as its contact tells it: opened rightly, forced, held open, closed.

Egress never depends on software: a request to exit is only observed, so that a leaf which opens
after it is nobody's alarm. The lock is the business of edge/doorway.py.
"""

import asyncio
from collections.abc import Callable

from edge.door import DoorInput
from edge.inputs import Debounced

EXIT_SECONDS = 10.0
"""From the request to the leaf's opening."""

LATE_SECONDS = 1.0
"""A strike is slow, and so is a person: a leaf may open so long after the lock has locked."""

FORCED_SECONDS = 0.25
"""The contact may be quicker than the button beside it."""


class Leaf:
    """A leaf whose state is not known until its contact is heard."""

    def __init__(self, happen: Callable[[DoorInput], None], *, held_seconds: float) -> None:
        """`happen` gets what the leaf does; `held_seconds`: open for longer is an alarm."""
        self._happen = happen
        self._held_seconds = held_seconds
        self._contact = Debounced(self._moved)
        self._expected_until = float("-inf")
        self._suspicion: asyncio.TimerHandle | None = None
        self._held: asyncio.TimerHandle | None = None

    @property
    def is_open(self) -> bool | None:
        """None: there is no contact, or it wasn't heard yet."""
        return self._contact.value

    def hear(self, is_open: bool) -> None:
        """What the contact says now."""
        self._contact.hear(is_open)

    def expect(self, until: float) -> None:
        """It may open until then (seconds of the loop's clock), and a little later."""
        self._expected_until = max(self._expected_until, until + LATE_SECONDS)
        if self._suspicion is not None:
            self._forget_suspicion()
            self._happen(DoorInput.LEAF_OPENED)

    def expect_no_more(self) -> None:
        """An unlock was ended early: a little later it may open no more."""
        now = asyncio.get_running_loop().time()
        self._expected_until = min(self._expected_until, now + LATE_SECONDS)

    def exit_requested(self) -> None:
        """Somebody inside is about to leave."""
        self.expect(asyncio.get_running_loop().time() + EXIT_SECONDS - LATE_SECONDS)

    def watch(self) -> None:
        """Tells when it has been open for too long from now on."""
        self.watch_no_more()
        loop = asyncio.get_running_loop()
        self._held = loop.call_later(self._held_seconds, self._happen, DoorInput.HELD_TOO_LONG)

    def watch_no_more(self) -> None:
        """It is closed, or it may stand open."""
        if self._held is not None:
            self._held.cancel()
            self._held = None

    def close(self) -> None:
        """Nothing more is told."""
        self._contact.close()
        self._forget_suspicion()
        self.watch_no_more()

    def _moved(self, is_open: bool) -> None:
        self._forget_suspicion()
        if not is_open:
            self.watch_no_more()
            self._happen(DoorInput.LEAF_CLOSED)
            return
        loop = asyncio.get_running_loop()
        if loop.time() <= self._expected_until:
            self._happen(DoorInput.LEAF_OPENED)
        else:
            self._suspicion = loop.call_later(FORCED_SECONDS, self._forced)

    def _forced(self) -> None:
        self._suspicion = None
        self._happen(DoorInput.LEAF_FORCED)

    def _forget_suspicion(self) -> None:
        if self._suspicion is not None:
            self._suspicion.cancel()
            self._suspicion = None
