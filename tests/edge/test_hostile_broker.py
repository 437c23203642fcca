"""What a broker that breaks the rules of MQTT may cost a controller: this connection, no more."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.edge.conftest import SIGNER
from tests.support.edge_daemon import EdgeDaemon
from tests.support.hostile_broker import HostileBroker, Line, hostile_broker
from tests.support.signer import KARIS_CARD
from tests.support.waiting import eventually

NONSENSE = {
    "an unknown packet": (0xF0, b""),
    "a topic longer than its packet": (0x32, b"\xff\xffab"),
    "a topic that is no text": (0x30, b"\0\2\xff\xfe"),
    "a topic with a wildcard": (0x30, b"\0\7p2k16/#"),
    "no topic": (0x30, b"\0\0"),
    "an answer to nothing": (0x90, b"\0"),
    "a second welcome": (0x20, b"\0\5"),
}
MESSAGES, MESSAGE_BYTES = 200, 200_000


@pytest.fixture
async def broker() -> AsyncGenerator[HostileBroker]:
    async with hostile_broker(SIGNER) as here:
        yield here


@pytest.fixture
async def linked(daemon: EdgeDaemon, broker: HostileBroker) -> EdgeDaemon:
    """Enrolled, running, and its rights are in force."""
    daemon.enrol(SIGNER.bundle(f"mqtt://127.0.0.1:{broker.port}"))
    await daemon.start_and_wait()
    await eventually(lambda: daemon.status()["applied"]["serial"] == 1)
    return daemon


async def line_of(broker: HostileBroker) -> Line:
    return await eventually(lambda: broker.line, seconds=60)


def resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


@pytest.mark.parametrize("what", NONSENSE)
async def test_after_nonsense_the_connection_is_closed_and_made_again(
    what: str, linked: EdgeDaemon, broker: HostileBroker
) -> None:
    line = await line_of(broker)
    line.send(*NONSENSE[what])
    await eventually(lambda: line.is_over, seconds=5)
    assert await line_of(broker) is not line
    linked.tap(KARIS_CARD)
    await eventually(lambda: linked.relay() == ["on"])


async def test_messages_that_the_broker_never_finishes_do_not_fill_the_memory(
    linked: EdgeDaemon, broker: HostileBroker
) -> None:
    before = resident_bytes(linked.pid)
    line = await line_of(broker)
    for number in range(1, MESSAGES + 1):  # QoS 2: kept until the broker releases them
        line.publish(b"p2k16", bytes(MESSAGE_BYTES), qos=2, packet_id=number)
    await eventually(lambda: line.is_over, seconds=5)
    assert resident_bytes(linked.pid) - before < MESSAGES * MESSAGE_BYTES / 4
    linked.tap(KARIS_CARD)
    await eventually(lambda: linked.relay() == ["on"])
