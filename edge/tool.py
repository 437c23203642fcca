"""How a tool goes from state to state: one table, no clock, no input or output.

A combination that the table doesn't list changes nothing and does nothing. The relay is on in
ARMED, RUNNING and IDLE only. Power that returns finds the tool LOCKED: no machine starts again
without a new tap. What the inputs mean for whom is decided in edge/workbench.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class ToolState(StrEnum):
    """What a status shows of a tool."""

    BOOT = "boot"
    LOCKED = "locked"
    DECIDING = "deciding"
    ARMED = "armed"
    """It has power, and its motor has not run yet."""

    RUNNING = "running"
    """Its motor draws current, or nobody can feel whether it does."""

    IDLE = "idle"
    """It has power, and its motor has stopped."""

    LOCKDOWN = "lockdown"
    OUT_OF_SERVICE = "out_of_service"
    STOPPED = "stopped"
    """Its emergency stop is pressed."""

    FAULT = "fault"


class ToolInput(StrEnum):
    """What can happen to a tool."""

    READY = "ready"
    TAP = "tap"
    GRANTED = "granted"
    """The decision is yes, and it is recorded durably."""

    DENIED = "denied"
    CURRENT_ON = "current_on"
    CURRENT_OFF = "current_off"
    START_EXPIRED = "start_expired"
    """It has power, and nobody has started it."""

    IDLE_EXPIRED = "idle_expired"
    """It has stood still for too long."""

    SESSION_EXPIRED = "session_expired"
    """The longest that anybody may use it at a stretch."""

    FINISHED = "finished"
    """Its user gives it back, takes her card away, or has lost the right to it."""

    PAUSED = "paused"
    """The same, of a tool that goes on until its job is done."""

    STOP_PRESSED = "stop_pressed"
    STOP_RELEASED = "stop_released"
    LOCKED_DOWN = "locked_down"
    TAKEN_OUT_OF_SERVICE = "taken_out_of_service"
    RESTORED = "restored"
    FAILED = "failed"
    CLEARED = "cleared"


class ToolAction(StrEnum):
    """What the caller has to do."""

    DECIDE = "decide"
    REFUSE = "refuse"
    """Deny the tap for the state, without asking for the rights."""

    BEGIN = "begin"
    """Begin a session, in place of another one if there is one: power on."""

    CONTINUE = "continue"
    """Its user is back at a machine that runs."""

    END = "end"
    """End the session, if there is one: power off."""

    AWAIT_IDLE = "await_idle"
    """Begin to count how long it stands still."""

    AWAIT_NOTHING = "await_nothing"
    END_WHEN_IDLE = "end_when_idle"
    """End the session as soon as the motor stops."""

    SHOW_GRANTED = "show_granted"
    SHOW_DENIED = "show_denied"
    SHOW_REFUSED = "show_refused"
    SHOW_LOCKED = "show_locked"
    SHOW_ALARM = "show_alarm"
    SHOW_FAULT = "show_fault"


@dataclass(frozen=True, slots=True)
class ToolStep:
    """The state after an input, and what to do, in order."""

    state: ToolState
    actions: tuple[ToolAction, ...] = ()


_S, _I, _A = ToolState, ToolInput, ToolAction

_BEGIN = ToolStep(_S.ARMED, (_A.BEGIN, _A.SHOW_GRANTED))
_REST = ToolStep(_S.LOCKED, (_A.END, _A.SHOW_LOCKED))
_SHUT: Mapping[ToolInput, ToolStep] = {
    _I.FAILED: ToolStep(_S.FAULT, (_A.END, _A.SHOW_FAULT)),
    _I.STOP_PRESSED: ToolStep(_S.STOPPED, (_A.END, _A.SHOW_ALARM)),
    _I.LOCKED_DOWN: ToolStep(_S.LOCKDOWN, (_A.END, _A.SHOW_ALARM)),
    _I.TAKEN_OUT_OF_SERVICE: ToolStep(_S.OUT_OF_SERVICE, (_A.END, _A.SHOW_ALARM)),
}
"""Whatever the state is; a row of the table goes before."""


STOPS = {True: _I.STOP_RELEASED, False: _I.STOP_PRESSED}
"""What the circuit of the emergency stop says, closed or open."""

POWERED = {_S.ARMED, _S.RUNNING, _S.IDLE}
ENDINGS = {
    _I.START_EXPIRED: "not started",
    _I.IDLE_EXPIRED: "idle",
    _I.SESSION_EXPIRED: "the longest session is over",
    _I.STOP_PRESSED: "emergency stop",
    _I.FAILED: "fault",
    _I.GRANTED: "taken over",
}
"""Why a session ended."""


def _in_use(state: ToolState) -> dict[tuple[ToolState, ToolInput], ToolStep]:
    """A tool that has power."""
    return {
        (state, _I.TAP): ToolStep(state, (_A.DECIDE,)),
        (state, _I.DENIED): ToolStep(state, (_A.SHOW_DENIED,)),
        (state, _I.SESSION_EXPIRED): _REST,
        (state, _I.FINISHED): _REST,
        (state, _I.PAUSED): _REST,
        (state, _I.RESTORED): _REST,
    }


def _shut(state: ToolState) -> dict[tuple[ToolState, ToolInput], ToolStep]:
    """A tool that nobody can use, whatever the rights say."""
    return {
        (state, _I.TAP): ToolStep(state, (_A.REFUSE,)),
        (state, _I.DENIED): ToolStep(state, (_A.SHOW_REFUSED,)),
    }


_LATER = (_I.LOCKED_DOWN, _I.TAKEN_OUT_OF_SERVICE, _I.STOP_PRESSED)
"""What is ordered at the start or in a fault comes into force afterwards."""

TABLE: Mapping[tuple[ToolState, ToolInput], ToolStep] = MappingProxyType(
    {
        **_shut(_S.BOOT),
        (_S.BOOT, _I.READY): _REST,
        **{(_S.BOOT, order): ToolStep(_S.BOOT) for order in _LATER},
        #
        (_S.LOCKED, _I.TAP): ToolStep(_S.DECIDING, (_A.DECIDE,)),
        (_S.LOCKED, _I.GRANTED): _BEGIN,
        (_S.LOCKED, _I.DENIED): ToolStep(_S.LOCKED, (_A.SHOW_DENIED,)),
        (_S.LOCKED, _I.RESTORED): _REST,
        #
        (_S.DECIDING, _I.TAP): ToolStep(_S.DECIDING, (_A.DECIDE,)),
        (_S.DECIDING, _I.GRANTED): _BEGIN,
        (_S.DECIDING, _I.DENIED): ToolStep(_S.LOCKED, (_A.SHOW_DENIED,)),
        (_S.DECIDING, _I.RESTORED): _REST,
        #
        **_in_use(_S.ARMED),
        (_S.ARMED, _I.GRANTED): _BEGIN,
        (_S.ARMED, _I.CURRENT_ON): ToolStep(_S.RUNNING, (_A.AWAIT_NOTHING,)),
        (_S.ARMED, _I.START_EXPIRED): _REST,
        #
        # Nobody takes a running machine out of another's hands, and it is not stopped for a right
        # that ends or a card that is taken away from a job that goes on by itself.
        **_in_use(_S.RUNNING),
        (_S.RUNNING, _I.GRANTED): ToolStep(_S.RUNNING, (_A.CONTINUE, _A.SHOW_GRANTED)),
        (_S.RUNNING, _I.CURRENT_OFF): ToolStep(_S.IDLE, (_A.AWAIT_IDLE,)),
        (_S.RUNNING, _I.PAUSED): ToolStep(_S.RUNNING, (_A.END_WHEN_IDLE,)),
        (_S.RUNNING, _I.TAKEN_OUT_OF_SERVICE): ToolStep(_S.RUNNING, (_A.END_WHEN_IDLE,)),
        #
        **_in_use(_S.IDLE),
        (_S.IDLE, _I.GRANTED): _BEGIN,
        (_S.IDLE, _I.CURRENT_ON): ToolStep(_S.RUNNING, (_A.AWAIT_NOTHING,)),
        (_S.IDLE, _I.IDLE_EXPIRED): _REST,
        #
        **_shut(_S.LOCKDOWN),
        (_S.LOCKDOWN, _I.RESTORED): _REST,
        **_shut(_S.OUT_OF_SERVICE),
        (_S.OUT_OF_SERVICE, _I.RESTORED): _REST,
        # Released, it waits for a new tap.
        **_shut(_S.STOPPED),
        (_S.STOPPED, _I.STOP_RELEASED): _REST,
        **_shut(_S.FAULT),
        (_S.FAULT, _I.CLEARED): _REST,
        **{(_S.FAULT, order): ToolStep(_S.FAULT) for order in _LATER},
    }
)


def step(state: ToolState, happened: ToolInput) -> ToolStep:
    """What an input leads to. A session was refused if BEGIN is not among the actions."""
    return TABLE.get((state, happened)) or _SHUT.get(happened) or ToolStep(state)
