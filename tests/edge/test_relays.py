"""Unlocks through a real guard with mock pins, from the daemon's end."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from edge.lease import GrantId
from edge.relays import Relays
from edge.unlocks import LEASE_SECONDS, RENEWAL_SECONDS, Unlocks
from sync.ids import PointKey
from tests.support.guard_trace import read_trace, relay_states
from tests.support.waiting import eventually

FRONT, BACK = PointKey("front"), PointKey("back")
ONE, OTHER = GrantId("11" * 16), GrantId("22" * 16)
LATE_SECONDS = 0.1
"""How late a relay may go off."""


class Controller:
    """Relays and unlocks as the daemon has them."""

    def __init__(self, folder: Path) -> None:
        self.trace = folder / "trace"
        self.changes: list[tuple[PointKey, bool | None]] = []
        self.ended: list[tuple[PointKey, GrantId]] = []
        self.relays = Relays(
            {FRONT: [17], BACK: [27]},
            work_dir=folder / "guard",
            trace=self.trace,
            changed=lambda point, is_on: self.changes.append((point, is_on)),
        )
        self.unlocks = Unlocks(
            self.relays, ended=lambda point, grant: self.ended.append((point, grant))
        )
        self.running = asyncio.create_task(self.relays.run())

    def states(self) -> list[str]:
        return relay_states(self.trace, FRONT)

    async def stop(self) -> None:
        self.running.cancel()
        with suppress(asyncio.CancelledError):
            await self.running


@pytest.fixture
async def controller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Controller]:
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "mock")
    started = Controller(tmp_path)
    assert started.relays.is_on(FRONT) is None
    await eventually(lambda: started.relays.ready)
    yield started
    await started.stop()


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_an_unlock_lasts_exactly_its_time(controller: Controller):
    deadline = now() + 0.7
    assert controller.unlocks.begin(FRONT, ONE, 0.7)
    assert controller.unlocks.grant_of(FRONT) == ONE
    await eventually(lambda: controller.ended == [(FRONT, ONE)])
    await eventually(lambda: controller.states() == ["on", "off"])
    on, off = read_trace(controller.trace)
    assert on.mono_ns / 1e9 < deadline - 0.5
    assert deadline <= off.mono_ns / 1e9 <= deadline + LATE_SECONDS
    await eventually(lambda: controller.relays.is_on(FRONT) is False)
    assert controller.unlocks.grant_of(FRONT) is None
    assert controller.changes[2:] == [(FRONT, True), (FRONT, False)]


async def test_a_second_grant_begins_the_time_again(controller: Controller):
    controller.unlocks.begin(FRONT, ONE, 0.4)
    await eventually(lambda: controller.relays.is_on(FRONT))
    deadline = now() + 0.6
    controller.unlocks.begin(FRONT, OTHER, 0.6)
    await eventually(lambda: controller.ended)
    assert controller.ended == [(FRONT, OTHER)]
    await eventually(lambda: controller.states() == ["on", "off"])
    off = read_trace(controller.trace)[-1].mono_ns / 1e9
    assert deadline <= off <= deadline + LATE_SECONDS


async def test_an_unlock_can_be_ended(controller: Controller):
    controller.unlocks.begin(FRONT, ONE, 60)
    controller.unlocks.begin(BACK, OTHER, 60)
    await eventually(lambda: controller.relays.is_on(FRONT) and controller.relays.is_on(BACK))
    controller.unlocks.end(FRONT)
    await eventually(lambda: controller.relays.is_on(FRONT) is False)
    assert controller.relays.is_on(BACK)
    controller.unlocks.end_all()
    await eventually(lambda: controller.relays.is_on(BACK) is False)
    controller.unlocks.end(FRONT)
    assert controller.ended == []


async def test_a_stopped_daemon_leaves_no_relay_on_and_no_guard(controller: Controller):
    controller.unlocks.begin(FRONT, ONE, 60)
    await eventually(lambda: controller.relays.is_on(FRONT))
    guard = controller.relays.guard_pid
    assert guard is not None
    controller.unlocks.end_all()
    await controller.stop()
    assert controller.states() == ["on", "off"]
    assert not Path(f"/proc/{guard}").exists()
    assert controller.relays.is_on(FRONT) is None
    assert not controller.relays.lease(FRONT, ONE, now() + 0.5)


async def test_a_killed_guard_is_replaced_and_the_unlock_goes_on(controller: Controller):
    controller.unlocks.begin(FRONT, ONE, 60)
    await eventually(lambda: controller.relays.is_on(FRONT))
    guard = controller.relays.guard_pid
    assert guard is not None
    with capture_logs() as logged:
        os.kill(guard, signal.SIGKILL)
        await eventually(lambda: controller.relays.is_on(FRONT) is None)
        await eventually(lambda: controller.relays.is_on(FRONT))
    assert controller.relays.guard_pid != guard
    assert [line["event"] for line in logged] == ["guard.lost", "guard.started"]
    assert logged[0]["exit_code"] == -signal.SIGKILL


async def test_a_guard_that_stands_still_with_a_relay_on_is_killed(controller: Controller):
    controller.unlocks.begin(FRONT, ONE, 0.3)
    await eventually(lambda: controller.relays.is_on(FRONT))
    guard = controller.relays.guard_pid
    assert guard is not None
    os.kill(guard, signal.SIGSTOP)
    with capture_logs() as logged:
        await eventually(lambda: controller.relays.is_on(FRONT) is None)
        await eventually(lambda: controller.relays.ready)
    assert [line["event"] for line in logged] == ["guard.hung", "guard.lost", "guard.started"]
    assert controller.relays.is_on(FRONT) is False


async def test_a_guard_that_stands_still_when_it_is_asked_is_killed(controller: Controller):
    guard = controller.relays.guard_pid
    assert guard is not None
    os.kill(guard, signal.SIGSTOP)
    controller.unlocks.begin(FRONT, ONE, 60)
    await eventually(lambda: controller.relays.is_on(FRONT) is None, seconds=2)
    await eventually(lambda: controller.relays.is_on(FRONT))
    assert controller.relays.guard_pid != guard


async def test_a_guard_that_obeys_a_short_unlock_is_left_alone(controller: Controller):
    guard = controller.relays.guard_pid
    with capture_logs() as logged:
        for _ in range(3):
            controller.unlocks.begin(FRONT, ONE, 60)
            controller.unlocks.end(FRONT)
        deadline = now() + 2 * LEASE_SECONDS
        await eventually(lambda: now() > deadline)
    assert logged == []
    assert controller.relays.guard_pid == guard


async def test_a_guard_that_reads_nothing_is_killed(controller: Controller):
    guard = controller.relays.guard_pid
    assert guard is not None
    os.kill(guard, signal.SIGSTOP)
    while controller.relays.lease(FRONT, ONE, now() + 0.5):
        pass
    await eventually(lambda: controller.relays.guard_pid not in (guard, None))


async def test_a_guard_answers_when_it_is_asked_whether_it_is_there(controller: Controller):
    assert await controller.relays.answers(10)
    controller.unlocks.begin(FRONT, ONE, 60)
    await eventually(lambda: controller.relays.is_on(FRONT))
    assert await controller.relays.answers(10)
    assert controller.states() == ["on"], "to ask moves no relay"
    assert controller.changes[2:] == [(FRONT, True)]


async def test_a_guard_that_answers_nothing_is_killed(controller: Controller):
    guard = controller.relays.guard_pid
    assert guard is not None
    os.kill(guard, signal.SIGSTOP)
    with capture_logs() as logged:
        assert not await controller.relays.answers(0.2)
        await eventually(lambda: controller.relays.guard_pid not in (guard, None))
        await eventually(lambda: controller.relays.ready)
    assert [line["event"] for line in logged] == ["guard.hung", "guard.lost", "guard.started"]
    assert await controller.relays.answers(10)


async def test_a_guard_that_dies_when_it_is_asked_does_not_answer(controller: Controller):
    guard = controller.relays.guard_pid
    assert guard is not None
    os.kill(guard, signal.SIGSTOP)
    asked = asyncio.create_task(controller.relays.answers(60))
    await asyncio.sleep(0)
    os.kill(guard, signal.SIGKILL)
    assert not await asked
    assert not await controller.relays.answers(60), "nobody is there yet"
    await eventually(lambda: controller.relays.ready)


async def test_a_guard_that_cannot_have_its_pins_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "mock")
    relays = Relays({FRONT: [17], BACK: [17]}, work_dir=tmp_path / "guard")
    with capture_logs() as logged:
        running = asyncio.create_task(relays.run())
        await eventually(lambda: len(logged) >= 2)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    assert [line["event"] for line in logged] == ["guard.lost", "guard.lost"]
    assert [line["exit_code"] for line in logged] == [2, 2]
    assert logged[0]["retry_seconds"] < logged[1]["retry_seconds"]
    assert relays.is_on(FRONT) is None


class Asked:
    """A guard that is asked and does nothing."""

    def __init__(self) -> None:
        self.leases: list[tuple[float, float]] = []
        self.released: list[GrantId] = []

    def lease(self, point: PointKey, grant_id: GrantId, until: float) -> bool:
        self.leases.append((now(), until))
        return True

    def release(self, point: PointKey, grant_id: GrantId) -> bool:
        self.released.append(grant_id)
        return True


async def test_leases_overlap_are_short_and_end_at_the_deadline():
    asked, ended = Asked(), asyncio.Event()
    unlocks = Unlocks(asked, ended=lambda _point, _grant: ended.set())
    deadline = now() + 1.0
    unlocks.begin(FRONT, ONE, 1.0)
    assert len(asked.leases) == 1, "the first one doesn't wait for the loop"
    await ended.wait()
    for (at, until), (next_at, _) in zip(asked.leases, asked.leases[1:], strict=False):
        assert until - at <= LEASE_SECONDS + 0.001
        assert next_at - at <= RENEWAL_SECONDS + LATE_SECONDS
        assert next_at < until
    ends = [until for _, until in asked.leases]
    assert max(ends) == ends[-1] == pytest.approx(deadline, abs=0.001)
    assert asked.released == [ONE]
    assert unlocks.grant_of(FRONT) is None


async def test_a_replaced_unlock_leaves_nothing_behind():
    asked, ended = Asked(), list[GrantId]()
    failures = list[dict[str, object]]()
    asyncio.get_running_loop().set_exception_handler(lambda _loop, what: failures.append(what))
    unlocks = Unlocks(asked, ended=lambda _point, grant: ended.append(grant))
    unlocks.begin(FRONT, ONE, 0.4)
    unlocks.begin(FRONT, OTHER, 0.2)
    first_end = now() + 0.4
    await eventually(lambda: now() > first_end)
    assert ended == asked.released == [OTHER]
    assert failures == []


async def test_everybody_whose_grant_moved_no_relay_is_told():
    told = list[str]()
    unlocks = Unlocks(Asked(), ended=lambda _point, _grant: None)
    unlocks.begin(FRONT, ONE, 5, failed=lambda: told.append("one"))
    unlocks.begin(FRONT, OTHER, 5, failed=lambda: told.append("other"))
    unlocks.end(FRONT)
    assert told == ["one", "other"]
    unlocks.begin(FRONT, ONE, 5, failed=lambda: told.append("one again"))
    unlocks.confirm(FRONT)
    unlocks.end(FRONT)
    assert told == ["one", "other"]
