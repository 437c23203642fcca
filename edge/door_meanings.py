"""What actions, states and orders of a door's table mean beyond it. Pure."""

from edge.cues import Cue
from edge.door import DoorAction, DoorInput, DoorState
from edge.post import Cause, Hold
from sync.rights import Reason

CUES = {
    DoorAction.SHOW_GRANTED: Cue.GRANTED,
    DoorAction.SHOW_DENIED: Cue.DENIED,
    DoorAction.SHOW_REFUSED: Cue.REFUSED,
    DoorAction.SHOW_LOCKED: Cue.LOCKED,
    DoorAction.SHOW_OPEN: Cue.OPEN,
    DoorAction.SHOW_ALARM: Cue.ALARM,
    DoorAction.SHOW_FAULT: Cue.FAULT,
}
CAUSES = {
    Cause.TAP: DoorInput.GRANTED,
    Cause.COMMAND: DoorInput.OPENED_BY_COMMAND,
    Cause.BREAK_GLASS: DoorInput.BREAK_GLASS,
}
HOLDS = {
    Hold.LOCKDOWN: DoorInput.LOCKED_DOWN,
    Hold.OUT_OF_SERVICE: DoorInput.TAKEN_OUT_OF_SERVICE,
}
REASONS = {
    DoorState.LOCKDOWN: Reason.LOCKED_DOWN,
    DoorState.OUT_OF_SERVICE: Reason.OUT_OF_SERVICE,
    DoorState.TAMPERED: Reason.TAMPERED,
}
ALARMS = {DoorState.FORCED, DoorState.HELD_OPEN, DoorState.TAMPERED}
