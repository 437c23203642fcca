"""How a door goes from state to state: one table, no clock, no input or output.

A combination that the table doesn't list changes nothing and does nothing. The relay may be on in
RELEASED, OPENED, HELD_OPEN and UNLOCKED only, and for a break-glass card in FAULT; for how long is
decided in edge/unlocks.py, and whether anybody may in is decided in sync/rights.py. The caller does
the actions and says what came of them as further inputs.
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
    OPENED = "opened"
    """The leaf is open, and rightly so. The lock soon locks again behind it."""

    HELD_OPEN = "held_open"
    """For too long."""

    FORCED = "forced"
    """The leaf is open, and nobody knows why."""

    UNLOCKED = "unlocked"
    """For everybody, by its hours or by a command."""

    TAMPERED = "tampered"
    """A housing was opened; nobody gets in until somebody has looked."""

    LOCKDOWN = "lockdown"
    OUT_OF_SERVICE = "out_of_service"
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

    BREAK_GLASS = "break_glass"
    """The decision is yes for a break-glass card, while the store can't record it."""

    UNLOCK_EXPIRED = "unlock_expired"
    LEAF_OPENED = "leaf_opened"
    """After a grant, or by somebody who asked to leave, or it was open at the start."""

    LEAF_FORCED = "leaf_forced"
    LEAF_CLOSED = "leaf_closed"
    HELD_TOO_LONG = "held_too_long"
    HOURS_BEGAN = "hours_began"
    """It is to stand unlocked from now on; recorded durably."""

    HOURS_ENDED = "hours_ended"
    TAMPER_OPENED = "tamper_opened"
    LOCKED_DOWN = "locked_down"
    TAKEN_OUT_OF_SERVICE = "taken_out_of_service"
    RESTORED = "restored"
    """Back to normal, by a command."""

    FAILED = "failed"
    CLEARED = "cleared"
    """What had failed works again."""


class DoorAction(StrEnum):
    """What the caller has to do."""

    DECIDE = "decide"
    REFUSE = "refuse"
    """Deny the tap for the state, without asking for the rights."""

    UNLOCK = "unlock"
    """Begin the unlock, or begin its time again."""

    GREET = "greet"
    """It is unlocked anyhow."""

    STAND_OPEN = "stand_open"
    RELOCK_SOON = "relock_soon"
    """Shorten the unlock: the leaf is past the strike."""

    LOCK = "lock"
    """End the unlock, if there is one."""

    WATCH_LEAF = "watch_leaf"
    """Begin to count how long it is open."""

    SHOW_GRANTED = "show_granted"
    SHOW_DENIED = "show_denied"
    SHOW_REFUSED = "show_refused"
    SHOW_LOCKED = "show_locked"
    SHOW_OPEN = "show_open"
    SHOW_ALARM = "show_alarm"
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

_ALWAYS: Mapping[DoorInput, DoorStep] = {
    _I.FAILED: _FAIL,
    _I.TAMPER_OPENED: DoorStep(_S.TAMPERED, (_A.LOCK, _A.SHOW_ALARM)),
    _I.LOCKED_DOWN: DoorStep(_S.LOCKDOWN, (_A.LOCK, _A.SHOW_ALARM)),
    _I.TAKEN_OUT_OF_SERVICE: DoorStep(_S.OUT_OF_SERVICE, (_A.LOCK, _A.SHOW_ALARM)),
}
"""Whatever the state is; a row of the table goes before."""


def _serving(state: DoorState) -> dict[tuple[DoorState, DoorInput], DoorStep]:
    """A state in which cards are decided, behind an open leaf."""
    granted = DoorStep(state, (_A.UNLOCK, _A.SHOW_GRANTED))
    return {
        (state, _I.TAP): DoorStep(state, (_A.DECIDE,)),
        (state, _I.GRANTED): granted,
        (state, _I.OPENED_BY_COMMAND): granted,
        (state, _I.DENIED): DoorStep(state, (_A.SHOW_DENIED,)),
        (state, _I.UNLOCK_EXPIRED): DoorStep(state, (_A.LOCK, _A.SHOW_LOCKED)),
        (state, _I.LEAF_CLOSED): _REST,
        (state, _I.HOURS_BEGAN): DoorStep(_S.UNLOCKED, (_A.STAND_OPEN, _A.SHOW_OPEN)),
        (state, _I.RESTORED): DoorStep(_S.OPENED, (_A.LOCK, _A.SHOW_LOCKED, _A.WATCH_LEAF)),
    }


def _shut(state: DoorState) -> dict[tuple[DoorState, DoorInput], DoorStep]:
    """A state in which nobody gets in, whatever the rights say."""
    return {
        (state, _I.TAP): DoorStep(state, (_A.REFUSE,)),
        (state, _I.DENIED): DoorStep(state, (_A.SHOW_REFUSED,)),
    }


_FORCE = DoorStep(_S.FORCED, (_A.LOCK, _A.SHOW_ALARM))
_OPEN_UP = DoorStep(_S.UNLOCKED, (_A.STAND_OPEN, _A.SHOW_OPEN))
_PASS = DoorStep(_S.OPENED, (_A.RELOCK_SOON, _A.WATCH_LEAF))

TABLE: Mapping[tuple[DoorState, DoorInput], DoorStep] = MappingProxyType(
    {
        # At the start nothing is told of a leaf that stands open: nobody saw it open.
        (_S.BOOT, _I.READY): _REST,
        **_shut(_S.BOOT),
        #
        (_S.LOCKED, _I.TAP): DoorStep(_S.DECIDING, (_A.DECIDE,)),
        # Of a tap made while the door was still released, decided after it had locked.
        (_S.LOCKED, _I.GRANTED): _RELEASE,
        (_S.LOCKED, _I.DENIED): DoorStep(_S.LOCKED, (_A.SHOW_DENIED,)),
        (_S.LOCKED, _I.OPENED_BY_COMMAND): _RELEASE,
        (_S.LOCKED, _I.LEAF_OPENED): DoorStep(_S.OPENED, (_A.WATCH_LEAF,)),
        (_S.LOCKED, _I.LEAF_FORCED): _FORCE,
        (_S.LOCKED, _I.HOURS_BEGAN): _OPEN_UP,
        (_S.LOCKED, _I.RESTORED): _REST,
        #
        (_S.DECIDING, _I.TAP): DoorStep(_S.DECIDING, (_A.DECIDE,)),
        (_S.DECIDING, _I.GRANTED): _RELEASE,
        (_S.DECIDING, _I.DENIED): DoorStep(_S.LOCKED, (_A.SHOW_DENIED,)),
        (_S.DECIDING, _I.OPENED_BY_COMMAND): _RELEASE,
        (_S.DECIDING, _I.LEAF_OPENED): DoorStep(_S.OPENED, (_A.WATCH_LEAF,)),
        (_S.DECIDING, _I.LEAF_FORCED): _FORCE,
        (_S.DECIDING, _I.HOURS_BEGAN): _OPEN_UP,
        (_S.DECIDING, _I.RESTORED): _REST,
        #
        # Another card at an open door: its denial must not shut out whoever was granted.
        (_S.RELEASED, _I.TAP): DoorStep(_S.RELEASED, (_A.DECIDE,)),
        (_S.RELEASED, _I.GRANTED): _RELEASE,
        (_S.RELEASED, _I.DENIED): DoorStep(_S.RELEASED, (_A.SHOW_DENIED,)),
        (_S.RELEASED, _I.OPENED_BY_COMMAND): _RELEASE,
        (_S.RELEASED, _I.UNLOCK_EXPIRED): _REST,
        (_S.RELEASED, _I.LEAF_OPENED): _PASS,
        (_S.RELEASED, _I.LEAF_FORCED): _PASS,
        (_S.RELEASED, _I.HOURS_BEGAN): _OPEN_UP,
        (_S.RELEASED, _I.RESTORED): _REST,
        #
        **_serving(_S.OPENED),
        (_S.OPENED, _I.HELD_TOO_LONG): DoorStep(_S.HELD_OPEN, (_A.SHOW_ALARM,)),
        **_serving(_S.HELD_OPEN),
        # A member at a door that was forced: she passes, and from then on it is hers.
        **_serving(_S.FORCED),
        (_S.FORCED, _I.GRANTED): DoorStep(_S.OPENED, (_A.UNLOCK, _A.SHOW_GRANTED, _A.WATCH_LEAF)),
        (_S.FORCED, _I.OPENED_BY_COMMAND): DoorStep(
            _S.OPENED, (_A.UNLOCK, _A.SHOW_GRANTED, _A.WATCH_LEAF)
        ),
        #
        (_S.UNLOCKED, _I.TAP): DoorStep(_S.UNLOCKED, (_A.DECIDE,)),
        (_S.UNLOCKED, _I.GRANTED): DoorStep(_S.UNLOCKED, (_A.GREET, _A.SHOW_GRANTED)),
        (_S.UNLOCKED, _I.OPENED_BY_COMMAND): DoorStep(_S.UNLOCKED, (_A.GREET,)),
        (_S.UNLOCKED, _I.DENIED): DoorStep(_S.UNLOCKED, (_A.SHOW_DENIED,)),
        (_S.UNLOCKED, _I.HOURS_BEGAN): _OPEN_UP,
        (_S.UNLOCKED, _I.HOURS_ENDED): _REST,
        (_S.UNLOCKED, _I.UNLOCK_EXPIRED): _REST,
        (_S.UNLOCKED, _I.RESTORED): _REST,
        #
        **_shut(_S.TAMPERED),
        (_S.TAMPERED, _I.RESTORED): _REST,
        **_shut(_S.LOCKDOWN),
        (_S.LOCKDOWN, _I.RESTORED): _REST,
        **_shut(_S.OUT_OF_SERVICE),
        (_S.OUT_OF_SERVICE, _I.RESTORED): _REST,
        #
        **_shut(_S.FAULT),
        (_S.FAULT, _I.BREAK_GLASS): DoorStep(_S.FAULT, (_A.UNLOCK, _A.SHOW_GRANTED)),
        (_S.FAULT, _I.UNLOCK_EXPIRED): _FAIL,
        (_S.FAULT, _I.CLEARED): _REST,
        # The fault goes first: what was ordered meanwhile comes into force when it has gone.
        # Whom a break-glass card let in before gets in no more.
        (_S.FAULT, _I.TAMPER_OPENED): _FAIL,
        (_S.FAULT, _I.LOCKED_DOWN): _FAIL,
        (_S.FAULT, _I.TAKEN_OUT_OF_SERVICE): _FAIL,
        # Nothing is unlocked yet at the start.
        (_S.BOOT, _I.TAMPER_OPENED): DoorStep(_S.BOOT),
        (_S.BOOT, _I.LOCKED_DOWN): DoorStep(_S.BOOT),
        (_S.BOOT, _I.TAKEN_OUT_OF_SERVICE): DoorStep(_S.BOOT),
    }
)


def step(state: DoorState, happened: DoorInput) -> DoorStep:
    """What an input leads to. An opening was refused if neither UNLOCK nor GREET is among the
    actions.
    """
    return TABLE.get((state, happened)) or _ALWAYS.get(happened) or DoorStep(state)
