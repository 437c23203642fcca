"""What actions, states and orders of a tool's table mean beyond it. Pure."""

from edge.cues import Cue
from edge.post import Hold
from edge.tool import ToolAction, ToolInput, ToolState
from sync.rights import Reason

CUES = {
    ToolAction.SHOW_GRANTED: Cue.GRANTED,
    ToolAction.SHOW_DENIED: Cue.DENIED,
    ToolAction.SHOW_REFUSED: Cue.REFUSED,
    ToolAction.SHOW_LOCKED: Cue.LOCKED,
    ToolAction.SHOW_ALARM: Cue.ALARM,
    ToolAction.SHOW_FAULT: Cue.FAULT,
}
REASONS = {
    ToolState.LOCKDOWN: Reason.LOCKED_DOWN,
    ToolState.OUT_OF_SERVICE: Reason.OUT_OF_SERVICE,
    ToolState.STOPPED: Reason.EMERGENCY_STOPPED,
}
HOLDS = {
    Hold.LOCKDOWN: ToolInput.LOCKED_DOWN,
    Hold.OUT_OF_SERVICE: ToolInput.TAKEN_OUT_OF_SERVICE,
}
