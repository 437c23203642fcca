"""One tool as it is: its state, its session, its sensors. Does what the table of edge/tool.py says.

Whether somebody may use it is decided before, in edge/entrance.py. Here is decided whose it is: who
takes it over, when a session ends by itself, and that a running machine is stopped only for what
can't wait.
"""

from collections.abc import Callable

from edge.cues import Lights
from edge.faults import LATCHED, Faults, tell_stop
from edge.feedback import Feedback, Sensed
from edge.inputs import Debounced
from edge.post import Cause, Grant, Hold
from edge.tool import ENDINGS, POWERED, STOPS, ToolAction, ToolInput, ToolState, step
from edge.tool_meanings import CUES, HOLDS, REASONS
from edge.tool_rules import Mode, ToolRules
from edge.tool_session import ToolSession
from edge.unlocks import HoldsRelays, Unlocks
from sync.credential import Credential
from sync.events import EventKind, Occurrence
from sync.ids import MemberRef, PointKey
from sync.rights import PointKind, Reason


class Workbench:
    """A tool in BOOT, without a relay to rely on, until it hears otherwise."""

    def __init__(
        self,
        point: PointKey,
        relays: HoldsRelays,
        lights: Lights,
        rules: ToolRules,
        *,
        changed: Callable[[], None],
        tell: Callable[[Occurrence], None],
    ) -> None:
        """`changed` hints that a status would look different; `tell` gets what is to be recorded
        of what happens here by itself.
        """
        self._point = point
        self._relays = relays
        self._lights = lights
        self._rules = rules
        self._changed = changed
        self._tell = tell
        # No machine starts again without a new tap.
        self._unlocks = Unlocks(
            relays,
            ended=lambda _point, _grant: self._happen(ToolInput.SESSION_EXPIRED),
            lapsed=lambda _point, _grant: self._leave("power lost", ToolInput.FINISHED),
        )
        self._faults = Faults(point, self._faults_changed, tell)
        sensed = Sensed(self._faults.set)
        self._feedback = Feedback(sensed.by("contactor"), may_be_idle=rules.has_no_volt_release)
        self._drawn = Feedback(sensed.by("current"), may_be_idle=True)
        self._current = Debounced(self._current_changed)
        self._state = ToolState.BOOT
        self._stop = Debounced(self._stop_changed, at_rest=True)
        self._session = ToolSession(
            rules, happen=self._happen, card_gone=lambda: self._leave("card taken away")
        )
        self._hold: Hold | None = None
        self._why = ""
        self._is_served = self._is_closed = False

    @property
    def point(self) -> PointKey:
        """Which one."""
        return self._point

    @property
    def state(self) -> ToolState:
        """Where the tool is in its table."""
        return self._state

    @property
    def faults(self) -> frozenset[Reason]:
        """All that is wrong."""
        return self._faults.all

    @property
    def fault(self) -> Reason | None:
        """Why nobody may use it, whatever the rights say; None: nothing is wrong."""
        return self._faults.first or REASONS.get(self._state)

    @property
    def refusal(self) -> Reason | None:
        """Why a card would be denied now, whoever's it is; None: the rights decide."""
        if ToolAction.DECIDE in step(self._state, ToolInput.TAP).actions:
            return None
        return self.fault or Reason.INTERNAL_ERROR

    @property
    def opens_unrecorded(self) -> bool:
        """No: break-glass cards are for getting in."""
        return False

    @property
    def grant(self) -> Grant | None:
        """What its session began with; None: nobody has it."""
        return self._session.grant

    def status(self) -> dict[str, object]:
        """What a status says of it. `member`: who has it, as this controller knows people."""
        member = self._session.member
        return {
            "kind": PointKind.TOOL,
            "state": self._state,
            "relay": "on" if self._relays.is_on(self._point) else "off",
            "light": self._lights.colour,
            "contact": None,
            "member": member.hex() if member else None,
            "alarms": sorted(self.faults & LATCHED),
        }

    def seen(self, credential: Credential) -> None:
        """A card lies on the reader."""
        self._session.seen(credential)

    def tapped(self) -> Reason | None:
        """A card was presented. None: decide; otherwise deny for this reason."""
        refusal = self.refusal
        self._happen(ToolInput.TAP)
        return refusal

    def may_take(self, member: MemberRef) -> Reason | None:
        """Nobody takes a running machine from another; one that stands still may be taken over."""
        is_anothers = self._session.member not in {None, member}
        return Reason.IN_USE if is_anothers and self._state is ToolState.RUNNING else None

    def hands_back(self, member: MemberRef) -> bool:
        """Whether a tap of hers ends her session."""
        return self._rules.mode is Mode.TAP_TOGGLE and self._session.member == member

    def hand_back(self) -> None:
        """Her session ends, or will with the job."""
        self._leave("handed back")

    def denied(self) -> None:
        """A tap was denied."""
        self._happen(ToolInput.DENIED)

    def release(self, grant: Grant) -> Reason | None:
        """Powers the tool for somebody whose grant is recorded. A reason: it can't be."""
        if grant.cause is not Cause.TAP:
            return Reason.NO_RIGHT  # a machine is switched on by whoever stands in front of it
        if grant.member is not None and (taken := self.may_take(grant.member)):
            return taken  # it was started while the grant was recorded
        actions = self._happen(ToolInput.GRANTED)
        if ToolAction.CONTINUE in actions:
            # An order outlasts the return of whoever was at work.
            self._session.begin(grant, ending=self._session.ending if self._hold else None)
            return None
        if ToolAction.BEGIN not in actions:
            return self.fault or Reason.INTERNAL_ERROR
        self._session.begin(grant)
        self._session.await_start()
        seconds, failed = self._rules.session_seconds, grant.failed
        if not self._unlocks.begin(self._point, grant.id, seconds, failed=failed):
            self._leave("no relay guard", ToolInput.FINISHED)
            return Reason.RELAY_FAULT
        if not self._rules.has_current:
            self._happen(ToolInput.CURRENT_ON)
        return None

    def lose(self, reason: Reason) -> None:
        """Whoever has it has lost the right to it: a running machine is not stopped for that."""
        self._leave(f"right lost: {reason}", ToolInput.PAUSED)

    def hold(self, hold: Hold, *, at_once: bool = False) -> None:
        """Nobody may use it until `restore`. One that runs is stopped when it is next idle."""
        self._hold = hold
        if at_once:
            self._leave(hold, ToolInput.FINISHED)  # which then finds the hold
        self._leave(hold, HOLDS[hold])

    def restore(self) -> None:
        """Back to normal: ends a hold or a session, and acknowledges alarms."""
        self._hold = None
        self._feedback.restore()
        self._drawn.restore()
        self._leave("locked by a command", ToolInput.RESTORED)

    def set_stale(self, *, is_stale: bool) -> None:
        """Whether the rights are a day old: the lights tell."""
        self._lights.set_stale(is_stale)

    def set_fault(self, fault: Reason, *, is_there: bool) -> None:
        """Something that grants depend on fails, or works again."""
        self._faults.set(fault, is_there)

    def relay_changed(self, is_on: bool | None) -> None:
        """What the guard says of this tool's relay; None: there is no guard."""
        if is_on:
            self._unlocks.confirm(self._point)
        self._feedback.told(is_on is True)
        self._drawn.told(is_on is True)
        self.set_fault(Reason.RELAY_FAULT, is_there=is_on is None and not self._is_closed)
        self._changed()

    def current(self, is_closed: bool) -> None:
        """The current sensor: closed while the motor draws current."""
        self._drawn.hear(is_closed)
        self._current.hear(is_closed)

    def stop(self, is_closed: bool) -> None:
        """The emergency stop opens when it is pressed."""
        self._stop.hear(is_closed)

    def felt(self, is_closed: bool) -> None:
        """The contactor's auxiliary contact: closed while it is on."""
        self._feedback.hear(is_closed)

    def serve(self) -> None:
        """Everything that grants depend on was opened: taps may be decided from now on."""
        self._is_served = True
        self._recover()

    def close(self) -> None:
        """Power and lights off, for good."""
        self._is_closed = True
        self._state = ToolState.BOOT
        self._unlocks.end_all()
        self._session.end()
        for part in (self._lights, self._feedback, self._drawn, self._current, self._stop):
            part.close()

    def _leave(self, why: str, happened: ToolInput | None = None) -> None:
        """Its session ends, or (by the rules of long jobs) it will. `why`: for the record."""
        self._why = why
        leaving = ToolInput.PAUSED if self._rules.is_long_job else ToolInput.FINISHED
        self._happen(happened or leaving)

    def _current_changed(self, is_on: bool) -> None:
        if self._state not in POWERED:
            return  # it coasts, or its relay is welded: edge/feedback.py
        kind = EventKind.TOOL_STARTED if is_on else EventKind.TOOL_STOPPED
        self._tell(Occurrence(kind, point=self._point, member=self._session.member))
        self._happen(ToolInput.CURRENT_ON if is_on else ToolInput.CURRENT_OFF)
        if not is_on and self._session.ending is not None:
            self._leave(self._session.ending, ToolInput.FINISHED)

    def _stop_changed(self, is_released: bool) -> None:
        self._happen(STOPS[tell_stop(is_released, self._point, self._tell)])

    def _faults_changed(self) -> None:
        if self._faults.first is not None:
            self._happen(ToolInput.FAILED)
        else:
            self._recover()

    def _recover(self) -> None:
        if self._is_served and self._faults.first is None:
            waiting = ToolInput.READY if self._state is ToolState.BOOT else ToolInput.CLEARED
            self._happen(waiting)

    def _happen(self, happened: ToolInput) -> tuple[ToolAction, ...]:
        """What the table says, done; and what still stands when the tool is locked again."""
        if self._is_closed:
            return ()
        was, following = self._state, step(self._state, happened)
        self._state = following.state
        why, self._why = ENDINGS.get(happened, self._why), ""
        for action in following.actions:
            self._do(action, why)
        if self._state is ToolState.LOCKED and was is not ToolState.LOCKED:
            self._settle()
        self._changed()
        return following.actions

    def _settle(self) -> None:
        """Orders and a pressed stop outlast a fault, a session, or a restart."""
        if self._stop.value is False:
            self._happen(ToolInput.STOP_PRESSED)
        elif self._hold is not None:
            self._happen(HOLDS[self._hold])

    def _do(self, action: ToolAction, why: str) -> None:
        match action:
            case _ if action in CUES:
                self._lights.show(CUES[action])
            case ToolAction.BEGIN | ToolAction.END:
                self._end(why)
            case ToolAction.AWAIT_IDLE:
                self._session.await_idle()
            case ToolAction.AWAIT_NOTHING:
                self._session.await_nothing()
            case ToolAction.END_WHEN_IDLE:
                self._session.ending = why
            case _:
                pass

    def _end(self, why: str) -> None:
        self._unlocks.end(self._point)
        ended = self._session.end()
        if ended is not None:
            kind, member = EventKind.TOOL_RELEASED, ended.member
            self._tell(Occurrence(kind, point=self._point, member=member, detail=why))
