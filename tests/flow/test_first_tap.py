"""The main job, end to end, on real processes: a card, a decision, a relay, a record."""

import ctypes
import os
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from tests.support.building import Building, built
from tests.support.guard_trace import read_trace
from tests.support.waiting import eventually_sync

soon = partial(eventually_sync, seconds=60)
"""A message that got lost is sent again after 5 s."""


@pytest.fixture
def building(tmp_path: Path, empty_database_url: str) -> Iterator[Building]:
    with built(tmp_path, empty_database_url) as whole:
        yield whole


def test_a_paying_member_opens_the_door_and_it_is_recorded(building: Building):
    controller = building.controller
    began = datetime.now(UTC)
    controller.tap(building.KARIS_CARD)
    soon(lambda: controller.relay_changes() == ["on", "off"])
    on, off = (change.mono_ns for change in read_trace(controller.trace))
    assert 0.9 <= (off - on) / 1e9 <= 1.2, "the unlock time is one second"

    [(door, account, happened)] = soon(building.openings)
    assert (door, account) == ("front", building.account("kari"))
    assert began - timedelta(seconds=1) <= happened <= datetime.now(UTC) + timedelta(seconds=1)
    assert building.accesses() == ["access_granted"]
    badges = building.sql(
        "SELECT d.title, b.account, by.username FROM account_badge b"
        " JOIN badge_description d ON d.id = b.badge_description"
        " JOIN account by ON by.id = b.awarded_by"
    )
    assert badges == [("first-door-opening", account, "system")]

    soon(lambda: controller.status()["points"]["front"]["relay"] == "off")


def test_an_unknown_card_is_denied_recorded_and_can_be_assigned(building: Building):
    controller = building.controller
    controller.tap(building.UNKNOWN_CARD)
    soon(lambda: building.accesses() == ["access_denied"])
    assert not building.openings()
    building.console.run("cards", "assign", "kari", f"em4100:{building.UNKNOWN_CARD}")
    controller.wait_until_applied(2)
    soon(lambda: controller.tap(building.UNKNOWN_CARD) or controller.has_opened(), every=2)


def remove_the_circle(building: Building) -> None:
    building.sql("DELETE FROM circle_member WHERE account = %s", building.account("kari"))


def end_the_payment(building: Building) -> None:
    building.sql("UPDATE stripe_payment SET end_date = now() - interval '25 hours'")


def delete_the_payment(building: Building) -> None:
    building.sql("DELETE FROM stripe_payment")


def lose_the_card(building: Building) -> None:
    building.sql("UPDATE access.card SET lost_at = now()")


REVOCATIONS = (remove_the_circle, end_the_payment, delete_the_payment, lose_the_card)


@pytest.mark.parametrize("revoke", REVOCATIONS, ids=lambda function: function.__name__)
def test_a_right_taken_away_through_psql_is_refused_at_the_door(
    building: Building, revoke: Callable[[Building], None]
):
    with building.new_rights():
        revoke(building)
    building.controller.tap(building.KARIS_CARD)
    soon(lambda: building.accesses() == ["access_denied"])
    assert not building.controller.has_opened()


def test_a_right_taken_away_while_the_listening_connection_is_killed_is_refused(building: Building):
    with building.new_rights():
        killed = building.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            " AND datname = current_database() AND query ILIKE 'LISTEN%%'"
        )
        assert killed
        remove_the_circle(building)
    building.controller.tap(building.KARIS_CARD)
    soon(lambda: building.accesses() == ["access_denied"])


def test_without_console_and_broker_taps_go_on_and_arrive_once_in_order(building: Building):
    controller = building.controller
    building.console.stop()
    soon(lambda: controller.status()["link"] == "down")
    began = datetime.now(UTC)
    for number, card in enumerate([building.KARIS_CARD, building.UNKNOWN_CARD] * 2, start=1):
        head = controller.head()
        controller.tap(card)
        soon(lambda head=head: controller.head() > head)
        if number % 2:
            soon(lambda times=(number + 1) // 2: controller.has_opened(times))
        time.sleep(1.6)  # held again at once it would be the same tap
    finished = datetime.now(UTC)
    soon(lambda: controller.relay_changes() == ["on", "off"] * 2)
    building.console.start()
    soon(lambda: len(building.accesses()) == 4, seconds=40)
    assert building.accesses() == ["access_granted", "access_denied"] * 2
    for _, account, happened in building.openings():
        assert account == building.account("kari")
        assert began - timedelta(seconds=1) <= happened <= finished
    assert len(building.openings()) == 2
    numbers = building.sql("SELECT seq FROM access.event ORDER BY id")
    assert [seq for (seq,) in numbers] == list(range(1, len(numbers) + 1))


def test_a_reboot_without_network_still_lets_a_paid_up_member_in(building: Building):
    controller = building.controller
    building.console.stop()
    controller.stop()
    controller.start()
    soon(controller.is_ready, seconds=60)
    assert controller.status()["clock"]["trusted"] is False
    assert controller.status()["applied"]["serial"] >= 1
    controller.tap(building.KARIS_CARD)
    soon(controller.has_opened)
    building.console.start()
    soon(building.openings, seconds=40)
    [(_, _, happened)] = building.openings()
    assert datetime.now(UTC) - happened < timedelta(seconds=60), "the time of ingest"


@pytest.mark.parametrize("with_child", [False, True], ids=["alone", "with a lingering child"])
def test_killed_while_the_relay_is_on_the_guard_lets_go_and_nothing_recorded_is_lost(
    building: Building, with_child: bool
):
    controller = building.controller
    with building.new_rights():
        building.sql("UPDATE access.door SET open_seconds = 20")
    controller.tap(building.KARIS_CARD)
    soon(controller.has_opened)
    head = controller.head()
    held = sockets_held_too(controller.pid) if with_child else []
    try:
        controller.kill()
        soon(lambda: controller.relay_changes() == ["on", "off"], seconds=2)
    finally:
        for descriptor in held:
            os.close(descriptor)
    controller.start()
    soon(lambda: controller.head() >= head + 1, seconds=30)
    soon(lambda: building.accesses() == ["access_granted"], seconds=60)
    assert controller.relay_changes() == ["on", "off"], "power comes back locked"


def sockets_held_too(pid: int) -> list[int]:
    """Copies of all sockets of a process, as a child of it would hold them after its death.

    So the guard sees no end of its socket: only the lease can end. Source: pidfd_getfd(2), whose
    number is 438 on every architecture.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    pidfd = os.pidfd_open(pid)
    folder = Path(f"/proc/{pid}/fd")
    sockets = [int(fd.name) for fd in folder.iterdir() if str(fd.readlink()).startswith("socket:")]
    copies = [int(libc.syscall(438, pidfd, number, 0)) for number in sockets]
    os.close(pidfd)
    assert copies
    assert min(copies) >= 0, os.strerror(ctypes.get_errno())
    return copies


def test_a_stopped_daemon_leaves_the_door_locked(building: Building):
    controller = building.controller
    with building.new_rights():
        building.sql("UPDATE access.door SET open_seconds = 20")
    controller.tap(building.KARIS_CARD)
    soon(controller.has_opened)
    assert controller.stop(signal.SIGTERM) == 0
    soon(lambda: controller.relay_changes() == ["on", "off"], seconds=2)


def test_a_frozen_daemon_loses_its_lease(building: Building):
    controller = building.controller
    with building.new_rights():
        building.sql("UPDATE access.door SET open_seconds = 20")
    controller.tap(building.KARIS_CARD)
    soon(controller.has_opened)
    os.kill(controller.pid, signal.SIGSTOP)
    try:
        soon(lambda: controller.relay_changes() == ["on", "off"], seconds=2)
    finally:
        os.kill(controller.pid, signal.SIGCONT)
