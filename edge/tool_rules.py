"""How one tool is to be used, as its settings say. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Mode(StrEnum):
    """How a tool knows that its user has finished."""

    CARD_PRESENT = "card-present"
    """Her card lies on the reader while she uses it."""

    TAP_TOGGLE = "tap-toggle"
    """She taps once more."""


@dataclass(frozen=True, slots=True)
class ToolRules:
    """`is_long_job`: a running tool goes on when its user leaves, until its motor stops.

    `start_seconds`: to start the motor; `idle_seconds`: until it has stood still for too long;
    `session_seconds`: the longest session. `has_current`: a sensor tells whether the motor runs;
    without one it counts as running for the whole session. `has_no_volt_release`: its contactor
    waits for a start button of its own, so that it may be out while the relay is on.
    """

    mode: Mode = Mode.TAP_TOGGLE
    is_long_job: bool = False
    has_current: bool = False
    start_seconds: float = 60.0
    idle_seconds: float = 300.0
    session_seconds: float = 4 * 3600.0
    has_no_volt_release: bool = False
