"""The door's table: what opens, what shuts, and that nothing else does."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.door import TABLE, DoorAction, DoorInput, DoorState, DoorStep, step

OPENING_INPUTS = {DoorInput.GRANTED, DoorInput.OPENED_BY_COMMAND}
EVERYTHING = list(itertools.product(DoorState, DoorInput))


def after(*inputs: DoorInput) -> DoorState:
    state = DoorState.BOOT
    for happened in inputs:
        state = step(state, happened).state
    return state


def test_a_granted_tap_releases_the_door_until_its_time_is_over():
    assert after(DoorInput.READY) is DoorState.LOCKED
    tapped = step(DoorState.LOCKED, DoorInput.TAP)
    assert tapped == DoorStep(DoorState.DECIDING, (DoorAction.DECIDE,))
    granted = step(tapped.state, DoorInput.GRANTED)
    assert granted == DoorStep(DoorState.RELEASED, (DoorAction.UNLOCK, DoorAction.SHOW_GRANTED))
    expired = step(granted.state, DoorInput.UNLOCK_EXPIRED)
    assert expired == DoorStep(DoorState.LOCKED, (DoorAction.LOCK, DoorAction.SHOW_LOCKED))


def test_a_denied_tap_leaves_the_door_locked():
    denied = step(DoorState.DECIDING, DoorInput.DENIED)
    assert denied == DoorStep(DoorState.LOCKED, (DoorAction.SHOW_DENIED,))


def test_a_denied_card_does_not_shut_a_door_that_another_one_opened():
    assert step(DoorState.RELEASED, DoorInput.TAP).actions == (DoorAction.DECIDE,)
    denied = step(DoorState.RELEASED, DoorInput.DENIED)
    assert denied == DoorStep(DoorState.RELEASED, (DoorAction.SHOW_DENIED,))


def test_a_second_grant_unlocks_anew():
    granted = step(DoorState.RELEASED, DoorInput.GRANTED)
    assert granted.state is DoorState.RELEASED
    assert DoorAction.UNLOCK in granted.actions


def test_a_fault_locks_and_stays_until_it_is_cleared():
    for state in DoorState:
        if state is not DoorState.FAULT:
            failed = step(state, DoorInput.FAILED)
            assert failed == DoorStep(DoorState.FAULT, (DoorAction.LOCK, DoorAction.SHOW_FAULT))
    for happened in DoorInput:
        stays = happened is not DoorInput.CLEARED
        assert (step(DoorState.FAULT, happened).state is DoorState.FAULT) is stays


@pytest.mark.parametrize(("state", "happened"), EVERYTHING)
def test_only_a_grant_or_a_command_at_a_working_door_unlocks(state: DoorState, happened: DoorInput):
    result = step(state, happened)
    unlocks = DoorAction.UNLOCK in result.actions
    may_unlock = happened in OPENING_INPUTS and state not in {DoorState.BOOT, DoorState.FAULT}
    assert unlocks is may_unlock
    if result.state is DoorState.RELEASED:
        assert unlocks or state is DoorState.RELEASED
    elif state is DoorState.RELEASED:
        assert DoorAction.LOCK in result.actions


@pytest.mark.parametrize("state", DoorState)
def test_every_tap_is_decided_or_refused(state: DoorState):
    actions = step(state, DoorInput.TAP).actions
    assert actions in ((DoorAction.DECIDE,), (DoorAction.REFUSE,))


@given(st.lists(st.sampled_from(DoorInput), max_size=30))
def test_a_door_that_is_not_released_was_never_left_unlocked(inputs: list[DoorInput]):
    state, unlocked = DoorState.BOOT, False
    for happened in inputs:
        result = step(state, happened)
        for action in result.actions:
            if action in (DoorAction.UNLOCK, DoorAction.LOCK):
                unlocked = action is DoorAction.UNLOCK
        state = result.state
        assert unlocked is (state is DoorState.RELEASED)


def test_the_table_lists_only_what_makes_a_difference():
    assert all(row != DoorStep(state) for (state, _), row in TABLE.items())
