"""The door's table: what opens, what shuts, and that nothing else does."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.door import TABLE, DoorAction, DoorInput, DoorState, DoorStep, step

S, I, A = DoorState, DoorInput, DoorAction  # noqa: E741
OPENING_INPUTS = {I.GRANTED, I.OPENED_BY_COMMAND}
SHUT = {S.BOOT, S.TAMPERED, S.LOCKDOWN, S.OUT_OF_SERVICE, S.FAULT}
ENERGISED = {S.RELEASED, S.OPENED, S.HELD_OPEN, S.FORCED, S.UNLOCKED}
"""States in which an unlock may be under way."""
SHUTTING_INPUTS = {I.FAILED, I.TAMPER_OPENED, I.LOCKED_DOWN, I.TAKEN_OUT_OF_SERVICE}
EVERYTHING = list(itertools.product(DoorState, DoorInput))


def after(*inputs: DoorInput) -> DoorState:
    state = S.BOOT
    for happened in (I.READY, *inputs):
        state = step(state, happened).state
    return state


def test_a_granted_tap_releases_the_door_until_its_time_is_over():
    assert after() is S.LOCKED
    assert step(S.LOCKED, I.TAP) == DoorStep(S.DECIDING, (A.DECIDE,))
    assert step(S.DECIDING, I.GRANTED) == DoorStep(S.RELEASED, (A.UNLOCK, A.SHOW_GRANTED))
    assert step(S.RELEASED, I.UNLOCK_EXPIRED) == DoorStep(S.LOCKED, (A.LOCK, A.SHOW_LOCKED))


def test_a_denied_tap_leaves_the_door_locked():
    assert step(S.DECIDING, I.DENIED) == DoorStep(S.LOCKED, (A.SHOW_DENIED,))


def test_a_denied_card_does_not_shut_a_door_that_another_one_opened():
    for state in ENERGISED:
        assert step(state, I.TAP) == DoorStep(state, (A.DECIDE,))
        assert step(state, I.DENIED) == DoorStep(state, (A.SHOW_DENIED,))


def test_the_lock_locks_behind_the_leaf_and_the_door_is_locked_once_it_is_shut():
    assert A.RELOCK_SOON in step(S.RELEASED, I.LEAF_OPENED).actions
    assert after(I.TAP, I.GRANTED, I.LEAF_OPENED) is S.OPENED
    assert step(S.OPENED, I.UNLOCK_EXPIRED) == DoorStep(S.OPENED, (A.LOCK, A.SHOW_LOCKED))
    assert after(I.TAP, I.GRANTED, I.LEAF_OPENED, I.UNLOCK_EXPIRED, I.LEAF_CLOSED) is S.LOCKED
    # Shut at once: nobody else slips in within the second.
    assert A.LOCK in step(S.OPENED, I.LEAF_CLOSED).actions


def test_a_leaf_that_is_open_for_too_long_is_an_alarm_until_it_is_shut():
    held = step(S.OPENED, I.HELD_TOO_LONG)
    assert (held.state, A.SHOW_ALARM in held.actions) == (S.HELD_OPEN, True)
    assert step(S.HELD_OPEN, I.LEAF_CLOSED).state is S.LOCKED


def test_a_leaf_that_opens_by_itself_is_forced_and_a_member_may_still_come_in():
    assert after(I.LEAF_FORCED) is S.FORCED
    assert step(S.FORCED, I.GRANTED).state is S.OPENED
    assert step(S.FORCED, I.LEAF_CLOSED).state is S.LOCKED
    assert after(I.LEAF_OPENED) is S.OPENED, "somebody left"


def test_a_door_stands_open_in_its_hours_whoever_comes_and_goes():
    assert step(S.LOCKED, I.HOURS_BEGAN) == DoorStep(S.UNLOCKED, (A.STAND_OPEN, A.SHOW_OPEN))
    for happened in (I.LEAF_OPENED, I.LEAF_FORCED, I.LEAF_CLOSED, I.HELD_TOO_LONG, I.GRANTED):
        assert step(S.UNLOCKED, happened).state is S.UNLOCKED
    for happened in (I.HOURS_ENDED, I.RESTORED, I.UNLOCK_EXPIRED):
        assert step(S.UNLOCKED, happened) == DoorStep(S.LOCKED, (A.LOCK, A.SHOW_LOCKED))


@pytest.mark.parametrize("state", sorted(SHUT - {S.BOOT}))
def test_a_shut_door_refuses_every_card_and_no_order_opens_it(state: DoorState):
    assert step(state, I.TAP) == DoorStep(state, (A.REFUSE,))
    for happened in OPENING_INPUTS | {I.HOURS_BEGAN, I.LEAF_FORCED, I.LEAF_CLOSED}:
        assert step(state, happened) == DoorStep(state)


@pytest.mark.parametrize("state", sorted(set(DoorState) - {S.BOOT}))
def test_what_shuts_a_door_shuts_it_from_every_state(state: DoorState):
    for happened in SHUTTING_INPUTS:
        result = step(state, happened)
        assert result.state in SHUT
        assert A.LOCK in result.actions


def test_a_fault_locks_and_stays_until_it_is_cleared():
    for state in DoorState:
        failed = step(state, I.FAILED)
        assert failed == DoorStep(S.FAULT, (A.LOCK, A.SHOW_FAULT))
    for happened in DoorInput:
        stays = happened is not I.CLEARED
        assert (step(S.FAULT, happened).state is S.FAULT) is stays


def test_a_fault_lets_nobody_in_but_a_break_glass_card_and_only_for_its_time():
    glass = step(S.FAULT, I.BREAK_GLASS)
    assert glass == DoorStep(S.FAULT, (A.UNLOCK, A.SHOW_GRANTED))
    assert step(S.FAULT, I.UNLOCK_EXPIRED).actions == (A.LOCK, A.SHOW_FAULT)
    for state in set(DoorState) - {S.FAULT}:
        assert A.UNLOCK not in step(state, I.BREAK_GLASS).actions


@pytest.mark.parametrize(("state", "happened"), EVERYTHING)
def test_only_a_grant_or_a_command_at_a_serving_door_unlocks(state: DoorState, happened: DoorInput):
    actions = step(state, happened).actions
    may_unlock = happened in OPENING_INPUTS and state not in SHUT | {S.UNLOCKED}
    may_unlock |= (state, happened) == (S.FAULT, I.BREAK_GLASS)
    assert (A.UNLOCK in actions) is may_unlock
    may_stand = happened is I.HOURS_BEGAN and state not in SHUT
    assert (A.STAND_OPEN in actions) is may_stand


@pytest.mark.parametrize("state", DoorState)
def test_every_tap_is_decided_or_refused(state: DoorState):
    actions = step(state, I.TAP).actions
    assert actions in ((A.DECIDE,), (A.REFUSE,))
    assert (actions == (A.REFUSE,)) is (state in SHUT)


@given(st.lists(st.sampled_from(DoorInput), max_size=40))
def test_a_door_that_should_be_locked_was_never_left_unlocked(inputs: list[DoorInput]):
    state, unlocked = S.BOOT, False
    for happened in inputs:
        result = step(state, happened)
        for action in result.actions:
            if action in (A.UNLOCK, A.STAND_OPEN, A.LOCK):
                unlocked = action is not A.LOCK
        state = result.state
        assert not unlocked or state in ENERGISED | {S.FAULT}
        if state in {S.RELEASED, S.UNLOCKED}:
            assert unlocked


def test_the_table_lists_only_what_makes_a_difference():
    silent = {key for key, row in TABLE.items() if row == DoorStep(key[0])}
    # They stand in front of what holds for every other state.
    orders = {I.TAMPER_OPENED, I.LOCKED_DOWN, I.TAKEN_OUT_OF_SERVICE}
    assert silent == set(itertools.product({S.BOOT}, orders))
