"""What tests of the real daemon share."""

from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest

from sync.ids import ControllerId
from tests.support.brokers import PASSWORD, Mosquitto
from tests.support.console_stand_in import ConsoleStandIn, console_at
from tests.support.edge_daemon import EdgeDaemon
from tests.support.signer import Signer
from tests.support.waiting import eventually

SIGNER = Signer(controller=ControllerId("front"))
"""A controller that the test's Mosquitto knows."""


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[EdgeDaemon]:
    """Not started, not enrolled."""
    here = EdgeDaemon(tmp_path)
    yield here
    here.close()


@pytest.fixture
async def console(mosquitto: Mosquitto) -> AsyncGenerator[ConsoleStandIn]:
    """Listens; keys and Kari's right to the front door are published."""
    async with console_at(mosquitto.port, SIGNER, password=PASSWORD) as stand_in:
        await stand_in.send_keys()
        await stand_in.send_snapshot(1)
        yield stand_in


@pytest.fixture
async def linked(daemon: EdgeDaemon, mosquitto: Mosquitto, console: ConsoleStandIn) -> EdgeDaemon:
    """Enrolled, running, and its rights are in force."""
    daemon.enrol(SIGNER.bundle(f"mqtt://127.0.0.1:{mosquitto.port}", password=PASSWORD))
    await daemon.start_and_wait()
    await console.wait_until_applied(1)
    await eventually(lambda: daemon.age_on_disk_ms() < 60_000)
    return daemon
