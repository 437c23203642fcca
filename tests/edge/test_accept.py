"""The floor never decreases, and no command is obeyed twice."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.accept import (
    SERIALS_AHEAD_MAX,
    Obey,
    Offer,
    Refuse,
    check_beacon,
    is_behind,
    judge_command,
    judge_snapshot,
)
from sync.commands import Command
from sync.errors import RolledBack, Stale
from sync.ids import BootId, Epoch, PointKey, Serial
from sync.messages import NO_VERSION, Beacon, Version
from tests.sync.samples import BOOT, COMMAND, FRONT, KEYSET, NONCE


def version(epoch: int, serial: int, mark: int = 0) -> Version:
    return Version(Epoch(epoch), Serial(serial), bytes([mark]) * 32)


def judge(floor: Version, offered: Version, *, active: Version | None = None) -> Offer:
    return judge_snapshot(
        floor=floor, active=floor if active is None else active, offered=offered, epoch=Epoch(1)
    )


@given(
    offers=st.lists(st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(0, 2))),
    epochs=st.lists(st.integers(1, 3)),
)
def test_whatever_is_offered_the_floor_never_decreases(
    offers: list[tuple[int, int, int]], epochs: list[int]
) -> None:
    floor = NO_VERSION
    for number, offer in enumerate(offers):
        offered = version(*offer)
        epoch = Epoch(epochs[number] if number < len(epochs) else 3)
        before = floor
        try:
            judged = judge_snapshot(floor=floor, active=floor, offered=offered, epoch=epoch)
        except RolledBack:
            continue
        if judged is Offer.APPLY:
            floor = offered
            assert (floor.epoch, floor.serial) > (before.epoch, before.serial)
        else:
            assert offered == floor


def test_the_first_snapshot_and_the_next_one_are_applied() -> None:
    assert judge(NO_VERSION, version(1, 1)) is Offer.APPLY
    assert judge(version(1, 7), version(1, 8)) is Offer.APPLY


def test_the_current_snapshot_delivered_again_is_no_alarm() -> None:
    assert judge(version(1, 7), version(1, 7)) is Offer.ALREADY_APPLIED


def test_another_snapshot_under_the_same_serial_is_an_alarm() -> None:
    with pytest.raises(RolledBack, match="same serial"):
        judge(version(1, 7), version(1, 7, mark=1))


def test_an_older_snapshot_is_rolled_back() -> None:
    with pytest.raises(RolledBack, match="older"):
        judge(version(1, 7), version(1, 6))
    with pytest.raises(RolledBack, match="older"):
        judge(version(2, 1), version(1, 9))


def test_a_serial_far_ahead_is_refused_so_that_no_thief_uses_up_the_numbers() -> None:
    assert judge(version(1, 7), version(1, 7 + SERIALS_AHEAD_MAX)) is Offer.APPLY
    for floor in (version(1, 7), NO_VERSION):
        with pytest.raises(RolledBack, match="ahead"):
            judge(floor, version(1, 8 + SERIALS_AHEAD_MAX))


def test_a_snapshot_of_another_epoch_than_the_keysets_is_refused() -> None:
    for epoch in (1, 3):
        with pytest.raises(RolledBack, match="under the keyset"):
            judge_snapshot(
                floor=NO_VERSION, active=NO_VERSION, offered=version(epoch, 1), epoch=Epoch(2)
            )


def test_serials_restart_with_a_new_epoch() -> None:
    assert (
        judge_snapshot(
            floor=version(1, 900), active=version(1, 900), offered=version(2, 1), epoch=Epoch(2)
        )
        is Offer.APPLY
    )


def test_the_floors_own_snapshot_repairs_a_damaged_slot_and_no_other_does() -> None:
    assert judge(version(1, 7), version(1, 7), active=NO_VERSION) is Offer.APPLY
    with pytest.raises(RolledBack):
        judge(version(1, 7), version(1, 7, mark=1), active=NO_VERSION)
    with pytest.raises(RolledBack):
        judge(version(1, 7), version(1, 6), active=NO_VERSION)


def test_a_beacon_can_not_tell_a_time_after_its_keys_end() -> None:
    check_beacon(Beacon(NONCE, KEYSET.not_after_ms, Epoch(1), Serial(1)), KEYSET)
    with pytest.raises(Stale):
        check_beacon(Beacon(NONCE, KEYSET.not_after_ms + 1, Epoch(1), Serial(1)), KEYSET)


def test_behind_is_whoever_has_an_older_snapshot_than_the_beacon_names() -> None:
    beacon = Beacon(NONCE, 0, Epoch(2), Serial(3))
    assert is_behind(version(2, 2), beacon)
    assert is_behind(version(1, 9), beacon)
    assert not is_behind(version(2, 3), beacon)
    assert not is_behind(version(2, 4), beacon)


def obey(
    command: Command = COMMAND,
    *,
    counter: int = 11,
    is_challenge_fresh: bool = True,
    points: frozenset[PointKey] = frozenset({FRONT}),
) -> Obey | Refuse:
    return judge_command(
        command,
        boot=BOOT,
        counter=counter,
        is_challenge_fresh=is_challenge_fresh,
        points=points,
    )


def test_a_fresh_command_for_a_known_point_is_obeyed() -> None:
    assert obey() == Obey()


@pytest.mark.parametrize("counter", [12, 13, 2**53])
def test_a_command_whose_counter_was_used_is_stale(counter: int) -> None:
    with pytest.raises(Stale):
        obey(counter=counter)


def test_a_late_foreign_or_pointless_command_is_refused_with_its_reason() -> None:
    other_boot = replace(COMMAND, boot=BootId("0" * 32))
    assert obey(other_boot) == Refuse("stale: meant for an earlier start of this controller")
    assert obey(is_challenge_fresh=False) == Refuse("stale: on its way for too long")
    assert obey(points=frozenset()) == Refuse(
        "unknown_point: not in the rights in force, or not at this controller"
    )
