"""How a door goes from state to state: one table, no clock, no input or output.

A combination that the table doesn't list changes nothing and does nothing. The relay may be on in
RELEASED only; for how long is decided in edge/unlocks.py, and whether anybody may in is decided in
sync/rights.py. The caller does the actions and says what came of them as further inputs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class DoorState(StrEnum):
    """What a status shows of a door."""

    BOOT = "boot"
    """Nothing is known yet; nobody gets in."""

    LOCKED = "locked"
    DECIDING = "deciding"
    """A card was read; the decision or its record is under way."""

    RELEASED = "released"
    FAULT = "fault"
    """Something that grants depend on doesn't work; nobody gets in."""


class DoorInput(StrEnum):
    """What can happen to a door."""

    READY = "ready"
    """Store, rights and guard are there."""

    TAP = "tap"
    GRANTED = "granted"
    """The decision is yes, and it is recorded durably."""

    DENIED = "denied"
    """The decision is no, or it came too late, or it couldn't be recorded."""

    OPENED_BY_COMMAND = "opened_by_command"
    """A valid command, recorded durably."""

    UNLOCK_EXPIRED = "unlock_expired"
    FAILED = "failed"
    CLEARED = "cleared"
    """What had failed works again."""


class DoorAction(StrEnum):
    """What the caller has to do."""

    DECIDE = "decide"
    REFUSE = "refuse"
    """Deny the tap for the fault, without asking for the rights."""

    UNLOCK = "unlock"
    """Begin the unlock, or begin its time again."""

    LOCK = "lock"
    """End the unlock, if there is one."""

    SHOW_GRANTED = "show_granted"
    SHOW_DENIED = "show_denied"
    SHOW_LOCKED = "show_locked"
    SHOW_FAULT = "show_fault"


@dataclass(frozen=True, slots=True)
class DoorStep:
    """The state after an input, and what to do, in order."""

    state: DoorState
    actions: tuple[DoorAction, ...] = ()


_S, _I, _A = DoorState, DoorInput, DoorAction

_RELEASE = DoorStep(_S.RELEASED, (_A.UNLOCK, _A.SHOW_GRANTED))
_REST = DoorStep(_S.LOCKED, (_A.LOCK, _A.SHOW_LOCKED))
_FAIL = DoorStep(_S.FAULT, (_A.LOCK, _A.SHOW_FAULT))

TABLE: Mapping[tuple[DoorState, DoorInput], DoorStep] = MappingProxyType(
    {
        (_S.BOOT, _I.READY): _REST,
        (_S.BOOT, _I.TAP): DoorStep(_S.BOOT, (_A.REFUSE,)),
        (_S.BOOT, _I.FAILED): _FAIL,
        #
        (_S.LOCKED, _I.TAP): DoorStep(_S.DECIDING, (_A.DECIDE,)),
        # Of a tap made while the door was still released, decided after it had locked.
        (_S.LOCKED, _I.GRANTED): _RELEASE,
        (_S.LOCKED, _I.DENIED): DoorStep(_S.LOCKED, (_A.SHOW_DENIED,)),
        (_S.LOCKED, _I.OPENED_BY_COMMAND): _RELEASE,
        (_S.LOCKED, _I.FAILED): _FAIL,
        #
        (_S.DECIDING, _I.TAP): DoorStep(_S.DECIDING, (_A.DECIDE,)),
        (_S.DECIDING, _I.GRANTED): _RELEASE,
        (_S.DECIDING, _I.DENIED): DoorStep(_S.LOCKED, (_A.SHOW_DENIED,)),
        (_S.DECIDING, _I.OPENED_BY_COMMAND): _RELEASE,
        (_S.DECIDING, _I.FAILED): _FAIL,
        #
        # Another card at an open door: its denial must not shut out whoever was granted.
        (_S.RELEASED, _I.TAP): DoorStep(_S.RELEASED, (_A.DECIDE,)),
        (_S.RELEASED, _I.GRANTED): _RELEASE,
        (_S.RELEASED, _I.DENIED): DoorStep(_S.RELEASED, (_A.SHOW_DENIED,)),
        (_S.RELEASED, _I.OPENED_BY_COMMAND): _RELEASE,
        (_S.RELEASED, _I.UNLOCK_EXPIRED): _REST,
        (_S.RELEASED, _I.FAILED): _FAIL,
        #
        (_S.FAULT, _I.TAP): DoorStep(_S.FAULT, (_A.REFUSE,)),
        (_S.FAULT, _I.DENIED): DoorStep(_S.FAULT, (_A.SHOW_DENIED,)),
        (_S.FAULT, _I.CLEARED): _REST,
    }
)


def step(state: DoorState, happened: DoorInput) -> DoorStep:
    """What an input leads to. An opening was refused if UNLOCK is not among the actions."""
    return TABLE.get((state, happened), DoorStep(state))
