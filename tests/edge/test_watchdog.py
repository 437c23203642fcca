"""The watchdog: READY once, and pings only while everything that a tap needs is alive."""

import asyncio
import os
import signal
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, suppress
from pathlib import Path
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from edge.board import NOWHERE, Board
from edge.clock import Timekeeper
from edge.enrolment import Enrolment
from edge.health import Health
from edge.relays import Relays
from edge.store import Store, open_store
from edge.watchdog import GUARD_SECONDS_MAX, Watchdog, notify, signs_of_life
from sync.ids import BootId, PointKey
from tests.edge.conftest import SIGNER
from tests.support.edge_daemon import EdgeDaemon
from tests.support.notify_socket import NotifySocket
from tests.support.signer import KARIS_CARD
from tests.support.waiting import eventually

PING = "WATCHDOG=1"
ROUND_SECONDS = 0.1
LONG_SECONDS = 30.0
"""For an answer that comes: more than any machine needs."""


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[NotifySocket]:
    listening = NotifySocket(tmp_path / "notify")
    yield listening
    listening.close()


def test_a_word_reaches_a_socket_with_a_path(systemd: NotifySocket) -> None:
    notify(systemd.address, "READY=1")
    assert systemd.heard("READY=1") == 1


def test_a_word_reaches_an_abstract_socket() -> None:
    listening = NotifySocket(f"@p2k16-{uuid4()}")
    notify(listening.address, "READY=1")
    assert listening.heard("READY=1") == 1
    listening.close()


@pytest.mark.parametrize("address", [None, "", "/nowhere/notify", "/a\0b", "@", "/" + 200 * "a"])
def test_a_word_to_nobody_does_no_harm(address: str | None) -> None:
    notify(address, "READY=1")


def test_nobody_waits_for_a_listener_that_reads_nothing(systemd: NotifySocket) -> None:
    for _ in range(1000):
        notify(systemd.address, PING)
    assert 0 < systemd.heard(PING) < 1000


class Body:
    """Something that gives a sign of life, or doesn't."""

    def __init__(self) -> None:
        self.is_alive = True
        self.hangs = asyncio.Event()
        self.hangs.set()
        self.asked = 0
        self.status = "front locked"

    async def sign(self, _seconds: float) -> bool:
        self.asked += 1
        await self.hangs.wait()
        return self.is_alive

    async def round(self, rounds: int = 3) -> None:
        """Returns when it was asked some more times."""
        enough = self.asked + rounds
        await eventually(lambda: self.asked >= enough)


@pytest.fixture
async def body(systemd: NotifySocket) -> AsyncIterator[Body]:
    """It is being watched, beside another one that is always well."""
    watched = Body()
    watchdog = Watchdog(
        systemd.address,
        {"body": watched.sign, "other": Body().sign},
        status=lambda: watched.status,
        limit_seconds=3 * ROUND_SECONDS,
    )
    watching = asyncio.create_task(watchdog.run())
    await watched.round()
    yield watched
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching


async def test_readiness_is_told_once_and_pings_follow(body: Body, systemd: NotifySocket) -> None:
    await eventually(lambda: systemd.heard(PING) >= 3)
    assert systemd.words[0] == "READY=1"
    assert systemd.heard("READY=1") == 1
    assert systemd.heard("STOPPING=1") == 0


async def test_without_a_sign_of_life_no_ping_comes_and_with_one_they_come_again(
    body: Body, systemd: NotifySocket
) -> None:
    with capture_logs() as logged:
        body.is_alive = False
        await body.round(2)
        pings = systemd.heard(PING)
        await body.round(3)
        assert systemd.heard(PING) == pings
        body.is_alive = True
        await eventually(lambda: systemd.heard(PING) > pings)
    assert [line["event"] for line in logged] == ["watchdog.withheld", "watchdog.resumed"]
    assert logged[0]["dead"] == ["body"]


async def test_what_answers_nothing_at_all_gets_no_ping_either(
    body: Body, systemd: NotifySocket
) -> None:
    body.hangs.clear()
    await body.round(1)
    pings = systemd.heard(PING)
    await asyncio.sleep(5 * ROUND_SECONDS)
    assert systemd.heard(PING) == pings


async def test_the_status_is_told_when_it_changes_and_is_one_line(
    body: Body, systemd: NotifySocket
) -> None:
    assert systemd.status == "front locked"
    body.status = "storage_fault:\nWATCHDOG=1\n" + 300 * "x"
    await body.round()
    assert systemd.status.startswith("storage_fault: WATCHDOG=1 xxx")
    assert len(systemd.status) == 200
    assert len([word for word in systemd.words if word.startswith("STATUS=")]) == 2


async def test_the_end_is_told(systemd: NotifySocket) -> None:
    watchdog = Watchdog(systemd.address, {}, status=str, limit_seconds=None)
    watching = asyncio.create_task(watchdog.run())
    await eventually(lambda: systemd.heard(PING))
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    assert systemd.heard("STOPPING=1") == 1
    assert systemd.words[-1] == "STOPPING=1"


class Controller:
    """A real guard and, once opened, a real store."""

    def __init__(self, folder: Path, pins: dict[PointKey, tuple[int, ...]]) -> None:
        self.folder = folder
        self.now = 0.0
        self.relays = Relays(pins, work_dir=folder / "guard")
        self.running = asyncio.create_task(self.relays.run())
        timekeeper = Timekeeper(BootId("00" * 16))
        board = Board(NOWHERE, timekeeper.mono_ms)
        self.health = Health(timekeeper, {}, Enrolment(None, None), board)
        self.signs = signs_of_life(self.relays, self.health, clock=lambda: self.now)

    async def open_store(self) -> Store:
        self.health.store, _ = await open_store(self.folder, "front")
        return self.health.store

    async def gives(self, name: str, seconds: float = LONG_SECONDS) -> bool:
        return await self.signs[name](seconds)

    async def stop(self) -> None:
        self.running.cancel()
        with suppress(asyncio.CancelledError):
            await self.running


@pytest.fixture
async def controller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Controller]:
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "mock")
    here = Controller(tmp_path, {PointKey("front"): (17,)})
    await eventually(lambda: here.relays.ready)
    yield here
    await here.stop()


async def test_a_store_that_is_not_open_yet_counts_as_alive(controller: Controller) -> None:
    assert await controller.gives("store")


async def test_a_store_that_stands_still_gives_no_sign_until_it_goes_on(
    controller: Controller,
) -> None:
    store = await controller.open_store()
    assert await controller.gives("store")
    goes_on = threading.Event()

    def stand_still(_connection: sqlite3.Connection) -> None:
        goes_on.wait(LONG_SECONDS)

    writing = asyncio.create_task(store.write(stand_still))
    await asyncio.sleep(0)
    for _ in range(3):
        assert not await controller.gives("store", 0.05)
    goes_on.set()
    await writing
    assert await controller.gives("store")
    await store.close()


async def test_a_store_that_refuses_is_alive_and_a_closed_one_is_not(
    controller: Controller,
) -> None:
    store = await controller.open_store()
    (controller.folder / "edge.sqlite").unlink()
    with suppress(Exception):
        await store.write(lambda connection: connection.execute("UPDATE state SET clock_ms = 1"))
    assert store.fault is not None
    assert await controller.gives("store")
    await store.close()
    assert not await controller.gives("store")


async def test_a_guard_that_stands_still_gives_no_sign_and_is_replaced(
    controller: Controller,
) -> None:
    assert await controller.gives("guard")
    guard = controller.relays.guard_pid
    assert guard is not None
    os.kill(guard, signal.SIGSTOP)
    assert not await controller.gives("guard", 0.2)
    await eventually(lambda: not controller.relays.ready)
    assert await controller.gives("guard"), "it is being started again"
    await eventually(lambda: controller.relays.ready)
    assert controller.relays.guard_pid != guard
    assert await controller.gives("guard")


async def test_a_guard_that_cannot_start_has_its_time_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "mock")
    here = Controller(tmp_path, {PointKey("front"): (17,), PointKey("back"): (17,)})
    try:
        here.now = GUARD_SECONDS_MAX - 1
        assert await here.gives("guard")
        here.now = GUARD_SECONDS_MAX
        assert not await here.gives("guard")
    finally:
        await here.stop()


@pytest.fixture
def supervised(tmp_path: Path, systemd: NotifySocket) -> Iterator[EdgeDaemon]:
    """A daemon, neither enrolled nor started, that systemd wants to hear from every 3 s."""
    environ = {"NOTIFY_SOCKET": systemd.address, "WATCHDOG_USEC": "3000000"}
    here = EdgeDaemon(tmp_path, environ=environ)
    yield here
    here.close()


async def test_a_daemon_that_waits_for_its_enrolment_is_ready_and_alive(
    supervised: EdgeDaemon, systemd: NotifySocket
) -> None:
    supervised.start()
    await eventually(lambda: systemd.heard("READY=1"), seconds=60)
    await eventually(lambda: systemd.heard(PING) >= 4, seconds=LONG_SECONDS)
    assert "not enrolled" in systemd.status
    supervised.stop()
    assert systemd.heard("READY=1") == systemd.heard("STOPPING=1") == 1


async def test_a_daemon_that_cannot_open_its_store_is_alive(
    supervised: EdgeDaemon, systemd: NotifySocket
) -> None:
    supervised.enrol(SIGNER.bundle())
    (supervised.data_dir / "edge.sqlite").mkdir(parents=True)
    supervised.start()
    await eventually(lambda: "storage_fault" in systemd.status, seconds=60)
    pings = systemd.heard(PING)
    await eventually(lambda: systemd.heard(PING) >= pings + 4, seconds=LONG_SECONDS)


async def test_a_serving_daemon_pings_until_it_is_frozen(
    supervised: EdgeDaemon, systemd: NotifySocket
) -> None:
    supervised.enrol(SIGNER.bundle())
    await supervised.start_and_wait()
    await eventually(
        lambda: systemd.status.startswith("front locked, link down"), seconds=LONG_SECONDS
    )
    supervised.freeze()
    pings = systemd.heard(PING)
    await asyncio.sleep(2.5)
    assert systemd.heard(PING) == pings
    os.kill(supervised.pid, signal.SIGCONT)
    await eventually(lambda: systemd.heard(PING) > pings, seconds=LONG_SECONDS)


async def test_a_daemon_whose_store_stands_still_does_not_ping(
    supervised: EdgeDaemon, systemd: NotifySocket
) -> None:
    supervised.enrol(SIGNER.bundle())
    await supervised.start_and_wait()
    # Whoever holds the lock keeps the store's thread waiting for 2 s at a time.
    with closing(sqlite3.connect(supervised.data_dir / "edge.sqlite")) as other:
        other.execute("BEGIN IMMEDIATE")
        supervised.tap(KARIS_CARD)
        await eventually(lambda: ["store"] in withheld(supervised), seconds=LONG_SECONDS)
    await eventually(lambda: supervised.log_lines("watchdog.resumed"), seconds=LONG_SECONDS)


async def test_a_frozen_guard_is_replaced_though_nobody_taps(
    supervised: EdgeDaemon, systemd: NotifySocket
) -> None:
    supervised.enrol(SIGNER.bundle())
    await supervised.start_and_wait()
    [guard] = children(supervised.pid)
    os.kill(guard, signal.SIGSTOP)
    await eventually(lambda: supervised.log_lines("watchdog.resumed"), seconds=LONG_SECONDS)
    assert ["guard"] in withheld(supervised)
    await eventually(lambda: supervised.is_ready(), seconds=LONG_SECONDS)
    assert children(supervised.pid) != [guard]


def withheld(daemon: EdgeDaemon) -> list[list[str]]:
    """Who gave no sign of life, whenever the daemon noticed."""
    return [line["dead"] for line in daemon.log_lines("watchdog.withheld")]


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
