"""The tool's table: what gives it power, what takes it away, and that nothing else does."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.tool import POWERED, ToolAction, ToolInput, ToolState, ToolStep, step

S, I, A = ToolState, ToolInput, ToolAction  # noqa: E741
SHUT = {S.BOOT, S.LOCKDOWN, S.OUT_OF_SERVICE, S.STOPPED, S.FAULT}
EVERYTHING = list(itertools.product(ToolState, ToolInput))


def after(*inputs: ToolInput) -> ToolState:
    state = S.BOOT
    for happened in (I.READY, *inputs):
        state = step(state, happened).state
    return state


def test_a_tap_arms_the_tool_its_motor_runs_and_stops_and_it_locks_when_it_stands_still():
    assert after(I.TAP) is S.DECIDING
    assert after(I.TAP, I.GRANTED) is S.ARMED
    assert after(I.TAP, I.GRANTED, I.CURRENT_ON) is S.RUNNING
    assert after(I.TAP, I.GRANTED, I.CURRENT_ON, I.CURRENT_OFF) is S.IDLE
    assert after(I.TAP, I.GRANTED, I.CURRENT_ON, I.CURRENT_OFF, I.IDLE_EXPIRED) is S.LOCKED


def test_power_that_returns_finds_it_locked():
    assert step(S.BOOT, I.READY) == ToolStep(S.LOCKED, (A.END, A.SHOW_LOCKED))
    assert step(S.FAULT, I.CLEARED).state is S.LOCKED
    assert step(S.STOPPED, I.STOP_RELEASED).state is S.LOCKED


def test_a_tool_that_nobody_starts_locks_again():
    assert step(S.ARMED, I.START_EXPIRED).state is S.LOCKED
    assert step(S.RUNNING, I.START_EXPIRED) == ToolStep(S.RUNNING)


def test_a_running_machine_is_not_taken_away_but_goes_on_for_its_user():
    assert step(S.RUNNING, I.GRANTED).actions == (A.CONTINUE, A.SHOW_GRANTED)
    for state in (S.ARMED, S.IDLE):
        assert step(state, I.GRANTED) == ToolStep(S.ARMED, (A.BEGIN, A.SHOW_GRANTED))


def test_maintenance_and_a_lost_right_wait_until_it_stands_still():
    for happened in (I.TAKEN_OUT_OF_SERVICE, I.PAUSED):
        assert step(S.RUNNING, happened) == ToolStep(S.RUNNING, (A.END_WHEN_IDLE,))
    assert step(S.IDLE, I.TAKEN_OUT_OF_SERVICE).state is S.OUT_OF_SERVICE
    assert step(S.ARMED, I.PAUSED).state is S.LOCKED


@pytest.mark.parametrize("state", sorted(POWERED))
def test_what_can_not_wait_takes_the_power_away_at_once(state: ToolState):
    for happened in (I.STOP_PRESSED, I.LOCKED_DOWN, I.FAILED, I.FINISHED, I.SESSION_EXPIRED):
        result = step(state, happened)
        assert A.END in result.actions
        assert result.state not in POWERED


@pytest.mark.parametrize("state", sorted(SHUT))
def test_a_shut_tool_refuses_every_card(state: ToolState):
    assert step(state, I.TAP) == ToolStep(state, (A.REFUSE,))
    assert step(state, I.GRANTED) == ToolStep(state)


@pytest.mark.parametrize(("state", "happened"), EVERYTHING)
def test_only_a_grant_gives_power(state: ToolState, happened: ToolInput):
    result = step(state, happened)
    if A.BEGIN in result.actions:
        assert happened is I.GRANTED
        assert state not in SHUT
    if result.state in POWERED and state not in POWERED:
        assert A.BEGIN in result.actions


@given(st.lists(st.sampled_from(ToolInput), max_size=40))
def test_power_is_on_in_a_session_and_never_else(inputs: list[ToolInput]):
    state, has_power = S.BOOT, False
    for happened in inputs:
        result = step(state, happened)
        for action in result.actions:
            if action in (A.BEGIN, A.END):
                has_power = action is A.BEGIN
        state = result.state
        assert has_power is (state in POWERED)
