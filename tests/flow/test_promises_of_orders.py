"""What a page says before an order is given is what the controller's tables do with it."""

import re
from importlib import resources

import pytest

from edge.door import DoorAction, DoorInput, DoorState
from edge.door import step as door_step
from edge.door_meanings import HOLDS as DOOR_INPUTS
from edge.post import Hold
from edge.tool import POWERED, ToolAction, ToolInput, ToolState
from edge.tool import step as tool_step
from edge.tool_meanings import HOLDS as TOOL_INPUTS

LETS_IN = {DoorAction.UNLOCK, DoorAction.GREET, DoorAction.STAND_OPEN}
OTHER_SHUTTINGS = {
    *(DoorInput.FAILED, DoorInput.TAMPER_OPENED),
    *(DoorInput.LOCKED_DOWN, DoorInput.TAKEN_OUT_OF_SERVICE),
}
"""They shut it for another reason, behind which the order waits: tests/edge/test_doorway.py."""


def promised(macro: str, operation: str) -> str:
    """What is asked before it is sent."""
    template = resources.files("console") / "controllers" / "templates" / "orders.html"
    [part] = re.findall(rf"macro of_{macro}\(.*?endmacro", template.read_text(), re.DOTALL)
    [words] = re.findall(rf'"{operation}", _\("[^"]*"\), _\("([^"]*)"', part)
    return str(words)


@pytest.mark.parametrize(
    ("operation", "hold", "promise"),
    [
        ("lockdown", Hold.LOCKDOWN, "Nobody gets in at %(name)s, with whatever card, from now"),
        ("out_of_service", Hold.OUT_OF_SERVICE, "%(name)s is locked, and opens for nobody"),
    ],
)
def test_a_door_is_locked_at_once_and_opens_for_nobody_until_it_is_set_back(
    operation: str, hold: Hold, promise: str
):
    words = promised("door", operation)
    assert promise in words
    assert "until it is set back to normal" in words
    for state in set(DoorState) - {DoorState.BOOT}:
        assert DoorAction.LOCK in door_step(state, DOOR_INPUTS[hold]).actions
    shut = door_step(DoorState.OPENED, DOOR_INPUTS[hold]).state
    for happened in DoorInput:
        after = door_step(shut, happened)
        assert not LETS_IN & set(after.actions)
        if happened not in OTHER_SHUTTINGS:
            assert (after.state is shut) is (happened is not DoorInput.RESTORED)


def test_a_tool_out_of_service_that_runs_is_stopped_when_it_is_idle_and_then_serves_nobody():
    words = promised("tool", "out_of_service")
    assert "Nobody can use %(name)s until it is set back to normal" in words
    assert "If it runs, it is stopped when it is next idle" in words
    ordered = TOOL_INPUTS[Hold.OUT_OF_SERVICE]
    running = tool_step(ToolState.RUNNING, ordered)
    assert (running.state, running.actions) == (ToolState.RUNNING, (ToolAction.END_WHEN_IDLE,))
    for state in POWERED - {ToolState.RUNNING}:
        assert ToolAction.END in tool_step(state, ordered).actions
    for happened in ToolInput:
        assert ToolAction.BEGIN not in tool_step(ToolState.OUT_OF_SERVICE, happened).actions


def test_a_tool_that_is_stopped_now_loses_its_power_also_while_it_runs():
    """How both follow from one order: tests/edge/test_workbench.py."""
    words = promised("tool", "stop_now")
    assert "loses its power at once, also while somebody works with it" in words
    for state in POWERED:
        assert ToolAction.END in tool_step(state, ToolInput.FINISHED).actions
