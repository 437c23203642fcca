"""One door as it is: its state, its unlock, its lights. Does what the table of edge/door.py says.

Whether somebody may in is decided before, in edge/entrance.py or edge/downlink.py.
"""

from collections.abc import Callable

from edge.cues import Cue, Lights
from edge.door import DoorAction, DoorInput, DoorState, step
from edge.lease import GrantId
from edge.unlocks import HoldsRelays, Unlocks
from sync.ids import PointKey
from sync.rights import Reason

_CUES = {
    DoorAction.SHOW_GRANTED: Cue.GRANTED,
    DoorAction.SHOW_DENIED: Cue.DENIED,
    DoorAction.SHOW_LOCKED: Cue.LOCKED,
    DoorAction.SHOW_FAULT: Cue.FAULT,
}


class Doorway:
    """A door in BOOT, without a relay to rely on, until it hears otherwise."""

    def __init__(
        self,
        point: PointKey,
        relays: HoldsRelays,
        lights: Lights,
        *,
        changed: Callable[[], None],
    ) -> None:
        """`changed` hints that a status would look different now."""
        self.point = point
        self._relays = relays
        self._lights = lights
        self._changed = changed
        self._unlocks = Unlocks(relays, ended=self._expired)
        self._state = DoorState.BOOT
        self._faults: dict[Reason, None] = {Reason.RELAY_FAULT: None}
        self._is_served = False
        self._is_closed = False
        self._fail_awaited: Callable[[], None] | None = None

    @property
    def state(self) -> DoorState:
        """Where the door is in its table."""
        return self._state

    @property
    def faults(self) -> frozenset[Reason]:
        """All that is wrong."""
        return frozenset(self._faults)

    @property
    def fault(self) -> Reason | None:
        """Why nobody gets in, whatever the rights say; None: nothing is wrong."""
        return next(iter(self._faults), None)

    @property
    def colour(self) -> str:
        """What the lights show."""
        return self._lights.colour

    @property
    def is_relay_on(self) -> bool:
        """What the guard said last. Without a guard the relay is off."""
        return self._relays.is_on(self.point) is True

    def tapped(self) -> Reason | None:
        """A card was read. None: decide; otherwise deny for this reason."""
        if DoorAction.DECIDE in self._happen(DoorInput.TAP):
            return None
        return self.fault or Reason.INTERNAL_ERROR

    def denied(self) -> None:
        """A tap was denied."""
        self._happen(DoorInput.DENIED)

    def unlock(
        self,
        grant: GrantId,
        seconds: float,
        *,
        failed: Callable[[], None],
        by_command: bool = False,
    ) -> Reason | None:
        """Releases the door for somebody whose grant is recorded. A reason: it can't be.

        The first lease is out when this returns. `failed` is called later if the relay never came
        on in spite of it.
        """
        happened = DoorInput.OPENED_BY_COMMAND if by_command else DoorInput.GRANTED
        if DoorAction.UNLOCK not in self._happen(happened):
            return self.fault or Reason.INTERNAL_ERROR
        if not self._unlocks.begin(self.point, grant, seconds):
            self._happen(DoorInput.UNLOCK_EXPIRED)
            return Reason.RELAY_FAULT
        # About a relay that is on already the guard has nothing new to say.
        self._fail_awaited = None if self.is_relay_on else failed
        return None

    def set_fault(self, fault: Reason, *, is_there: bool) -> None:
        """Something that grants depend on fails, or works again."""
        if is_there:
            self._faults[fault] = None
            self._happen(DoorInput.FAILED)
        else:
            self._faults.pop(fault, None)
            self._recover()

    def relay_changed(self, is_on: bool | None) -> None:
        """What the guard says of this door's relay; None: there is no guard."""
        if is_on:
            self._fail_awaited = None
        if is_on is None:
            self.set_fault(Reason.RELAY_FAULT, is_there=True)
        elif Reason.RELAY_FAULT in self._faults:
            self.set_fault(Reason.RELAY_FAULT, is_there=False)
        self._changed()

    def serve(self) -> None:
        """Everything that grants depend on was opened: taps may be decided from now on."""
        self._is_served = True
        self._recover()

    def close(self) -> None:
        """Ends the unlock and turns the lights off. Nothing unlocks any more."""
        self._is_closed = True
        self._state = DoorState.BOOT
        self._unlocks.end_all()
        self._lights.close()

    def _recover(self) -> None:
        if self._is_served and not self._faults:
            waiting = DoorInput.READY if self._state is DoorState.BOOT else DoorInput.CLEARED
            self._happen(waiting)

    def _expired(self, _point: PointKey, _grant: GrantId) -> None:
        self._happen(DoorInput.UNLOCK_EXPIRED)

    def _happen(self, happened: DoorInput) -> tuple[DoorAction, ...]:
        if self._is_closed:
            return ()
        following = step(self._state, happened)
        self._state = following.state
        for action in following.actions:
            if action in _CUES:
                self._lights.show(_CUES[action])
            elif action is DoorAction.LOCK:
                self._lock()
        self._changed()
        return following.actions

    def _lock(self) -> None:
        self._unlocks.end(self.point)
        failed, self._fail_awaited = self._fail_awaited, None
        if failed is not None:
            failed()
