"""One door as it is: its state, its unlock, its leaf, its lights. Does what the table of
edge/door.py says.

Whether somebody may in is decided before, in edge/entrance.py or edge/commands.py; when it stands
open for everybody, in edge/rounds.py.
"""

import asyncio
from collections.abc import Callable

from edge.cues import Lights
from edge.door import DoorAction, DoorInput, DoorState, step
from edge.door_meanings import ALARMS, CAUSES, CUES, HOLDS, REASONS
from edge.faults import LATCHED, Faults
from edge.feedback import Feedback
from edge.lease import GrantId
from edge.post import Cause, Grant, Hold
from edge.sensors import DoorSensors
from edge.unlocks import HoldsRelays, Unlocks
from sync.credential import Credential
from sync.events import Occurrence
from sync.ids import MemberRef, PointKey
from sync.rights import PointKind, Reason

RELOCK_SECONDS = 1.0
"""After the leaf has opened."""

DAY_SECONDS = 24 * 3600.0
HELD_SECONDS = 30.0


class Doorway:
    """A door in BOOT, without a relay to rely on, until it hears otherwise."""

    def __init__(
        self,
        point: PointKey,
        relays: HoldsRelays,
        lights: Lights,
        *,
        changed: Callable[[], None],
        tell: Callable[[Occurrence], None] = lambda _occurrence: None,
        held_seconds: float = HELD_SECONDS,
    ) -> None:
        """`changed` hints that a status would look different; `tell` gets what is to be recorded
        of what happens here by itself. A leaf that is open for longer than `held_seconds` is an
        alarm.
        """
        self._point = point
        self._relays = relays
        self._lights = lights
        self._changed = changed
        self._unlocks = Unlocks(relays, ended=self._expired)
        self._faults = Faults(point, self._faults_changed, tell)
        self._feedback = Feedback(self._faults.set)
        self.sensors = DoorSensors(point, happen=self._happen, tell=tell, held_seconds=held_seconds)
        self._state = DoorState.BOOT
        self._hold: Hold | None = None
        self._hours: GrantId | None = None
        self._is_served = False
        self._is_closed = False

    @property
    def point(self) -> PointKey:
        """Which one."""
        return self._point

    @property
    def state(self) -> DoorState:
        """Where the door is in its table."""
        return self._state

    @property
    def faults(self) -> frozenset[Reason]:
        """All that is wrong."""
        return self._faults.all

    @property
    def fault(self) -> Reason | None:
        """Why nobody gets in, whatever the rights say; None: nothing is wrong."""
        return self._faults.first or REASONS.get(self._state)

    @property
    def refusal(self) -> Reason | None:
        """Why a card would be denied now, whoever's it is; None: the rights decide."""
        if DoorAction.DECIDE in step(self._state, DoorInput.TAP).actions:
            return None
        return self.fault or Reason.INTERNAL_ERROR

    @property
    def grant(self) -> Grant | None:
        """Nobody has a door."""
        return None

    @property
    def opens_unrecorded(self) -> bool:
        """Only if nothing else keeps it shut."""
        is_shut = self._hold is not None or self.sensors.is_tampered
        return not is_shut and self.faults == frozenset({Reason.STORAGE_FAULT})

    @property
    def colour(self) -> str:
        """What the lights show."""
        return self._lights.colour

    @property
    def is_relay_on(self) -> bool:
        """What the guard said last. Without a guard the relay is off."""
        return self._relays.is_on(self._point) is True

    def status(self) -> dict[str, object]:
        """What a status says of it."""
        leaf = self.sensors.leaf.is_open
        alarms = [self._state] if self._state in ALARMS else []
        return {
            "kind": PointKind.DOOR,
            "state": self._state,
            "relay": "on" if self.is_relay_on else "off",
            "light": self._lights.colour,
            "contact": None if leaf is None else "open" if leaf else "closed",
            "alarms": [*alarms, *sorted(self.faults & LATCHED)],
        }

    def seen(self, credential: Credential) -> None:
        """A card lies on the reader: nothing to a door."""

    def tapped(self) -> Reason | None:
        """A card was read. None: decide; otherwise deny for this reason."""
        refusal = self.refusal
        self._happen(DoorInput.TAP)
        return refusal

    def may_take(self, member: MemberRef) -> Reason | None:
        """A door is for everybody at once."""
        del member
        return None

    def hands_back(self, member: MemberRef) -> bool:
        """Nobody has a door."""
        del member
        return False

    def hand_back(self) -> None:
        """Nobody has a door."""

    def denied(self) -> None:
        """A tap was denied."""
        self._happen(DoorInput.DENIED)

    def release(self, grant: Grant) -> Reason | None:
        """Releases the door for somebody whose grant is recorded. A reason: it can't be.

        The first lease is out when this returns.
        """
        if grant.cause is Cause.BREAK_GLASS and not self.opens_unrecorded:
            return self.fault or Reason.INTERNAL_ERROR
        actions = self._happen(CAUSES[grant.cause])
        if DoorAction.GREET in actions:
            return None
        if DoorAction.UNLOCK not in actions:
            return self.fault or Reason.INTERNAL_ERROR
        # About a relay that is on already the guard has nothing new to say.
        failed = None if self.is_relay_on else grant.failed
        if not self._unlocks.begin(self._point, grant.id, grant.seconds, failed=failed):
            self._happen(DoorInput.UNLOCK_EXPIRED)
            return Reason.RELAY_FAULT
        self.sensors.leaf.expect(asyncio.get_running_loop().time() + grant.seconds)
        return None

    def stand_open(self, grant: GrantId) -> bool:
        """Unlocks for everybody, until `stand_no_more`; recorded before. False: it can't be now."""
        self._hours = grant
        return DoorAction.STAND_OPEN in self._happen(DoorInput.HOURS_BEGAN)

    def stand_no_more(self) -> None:
        """Its hours, or the time that a command gave, are over."""
        self._hours = None
        self._happen(DoorInput.HOURS_ENDED)

    def hold(self, hold: Hold, *, at_once: bool = False) -> None:
        """Nobody gets in until `restore`."""
        del at_once
        self._hold = hold
        self._happen(HOLDS[hold])

    def restore(self) -> None:
        """Back to normal: ends a hold, and acknowledges alarms."""
        self._hold = None
        self._feedback.restore()
        self._happen(DoorInput.RESTORED)

    def set_stale(self, *, is_stale: bool) -> None:
        """Whether the rights are a day old: the lights tell."""
        self._lights.set_stale(is_stale)

    def set_fault(self, fault: Reason, *, is_there: bool) -> None:
        """Something that grants depend on fails, or works again."""
        self._faults.set(fault, is_there)

    def relay_changed(self, is_on: bool | None) -> None:
        """What the guard says of this door's relay; None: there is no guard."""
        if self._is_closed:
            return  # the guard ends with us
        if is_on:
            self._unlocks.confirm(self._point)
        self._feedback.told(is_on is True)
        self.set_fault(Reason.RELAY_FAULT, is_there=is_on is None)
        self._changed()

    def felt(self, is_closed: bool) -> None:
        """The relay's auxiliary contact: closed while the relay is on."""
        self._feedback.hear(is_closed)

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
        self.sensors.close()
        self._feedback.close()

    def _faults_changed(self) -> None:
        if self._faults.first is not None:
            self._happen(DoorInput.FAILED)
        else:
            self._recover()

    def _recover(self) -> None:
        if self._is_served and self._faults.first is None:
            waiting = DoorInput.READY if self._state is DoorState.BOOT else DoorInput.CLEARED
            self._happen(waiting)

    def _expired(self, _point: PointKey, _grant: GrantId) -> None:
        self._happen(DoorInput.UNLOCK_EXPIRED)

    def _happen(self, happened: DoorInput) -> tuple[DoorAction, ...]:
        """What the table says, done; and what still stands when the door is locked again."""
        if self._is_closed:
            return ()
        was = self._state
        following = step(was, happened)
        self._state = following.state
        for action in following.actions:
            self._do(action)
        if (
            self._state is DoorState.LOCKED and was is not DoorState.LOCKED
        ) or happened is DoorInput.RESTORED:
            self._settle()
        self._changed()
        return following.actions

    def _settle(self) -> None:
        """Orders and openings outlast a fault, a tap, or a restart."""
        if self.sensors.is_tampered:
            self._happen(DoorInput.TAMPER_OPENED)
        elif self._hold is not None:
            self._happen(HOLDS[self._hold])
        elif self._state is DoorState.LOCKED and self.sensors.leaf.is_open:
            self._happen(DoorInput.LEAF_OPENED)

    def _do(self, action: DoorAction) -> None:
        match action:
            case _ if action in CUES:
                self._lights.show(CUES[action])
            case DoorAction.LOCK:
                self._lock()
            case DoorAction.RELOCK_SOON:
                self._unlocks.shorten(self._point, RELOCK_SECONDS)
            case DoorAction.STAND_OPEN if self._hours is not None:
                self._unlocks.begin(self._point, self._hours, DAY_SECONDS)
                self.sensors.leaf.expect(asyncio.get_running_loop().time() + DAY_SECONDS)
                self.sensors.leaf.watch_no_more()
            case DoorAction.WATCH_LEAF:
                self.sensors.leaf.watch()
            case _:
                pass

    def _lock(self) -> None:
        self._unlocks.end(self._point)
        self.sensors.leaf.expect_no_more()
