"""The connection: encrypted or local, bounded, and tried again for ever."""

import asyncio
import gc
import resource
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.conversation import WAIT_SECONDS_MAX, wait_seconds
from edge.errors import EdgeError, LinkLost
from edge.inbox import SMALL_MAX, Inbox, Received
from edge.link import PACKET_BYTES_MAX, Route, connected, plan_route
from edge.settings import MqttSettings
from sync.bundle import Bundle
from sync.envelope import PAYLOAD_BYTES_MAX, Kind
from sync.settings_values import Address
from sync.topics import Leaf
from tests.edge.conftest import SIGNER
from tests.support.brokers import PASSWORD, Mosquitto
from tests.support.raw_mqtt import RawMqtt

STRICT = MqttSettings(allow_plaintext=False, ca_file=None)


def bundle(url: str) -> Bundle:
    return SIGNER.bundle(url, password=PASSWORD)


@pytest.mark.parametrize(
    "url", ["mqtt://127.0.0.1:1883", "mqtt://localhost", "mqtt://[::1]:1883", "mqtts://far.example"]
)
def test_what_is_encrypted_or_local_is_allowed(url: str) -> None:
    assert plan_route(bundle(url), STRICT).is_encrypted == url.startswith("mqtts")


@pytest.mark.parametrize(
    "url", ["mqtt://192.168.1.5", "mqtt://far.example:1883", "mqtt://[fe80::1]"]
)
def test_plaintext_to_another_host_is_refused_unless_allowed(url: str) -> None:
    with pytest.raises(EdgeError, match="allow_plaintext = true"):
        plan_route(bundle(url), STRICT)
    assert not plan_route(bundle(url), replace(STRICT, allow_plaintext=True)).is_encrypted


def test_the_port_comes_from_the_url_or_from_its_scheme() -> None:
    assert plan_route(bundle("mqtts://far.example"), STRICT).address == Address("far.example", 8883)
    assert plan_route(bundle("mqtt://localhost"), STRICT).address.port == 1883
    assert plan_route(bundle("mqtt://localhost:99"), STRICT).address.port == 99
    with pytest.raises(EdgeError, match="can't be read"):
        plan_route(bundle("mqtt://localhost:99999"), STRICT)


@pytest.mark.parametrize(
    "url", ["mqtt://[", "mqtt://[::1", "mqtt://[]:1", "mqtt://:1", "mqtts://]"]
)
def test_a_url_without_a_host_is_refused_in_words(url: str) -> None:
    with pytest.raises(EdgeError, match="expected a host"):
        plan_route(bundle(url), STRICT)


@given(attempt=st.integers(0, 10**6), fraction=st.floats(0, 1, exclude_max=True))
def test_waiting_is_jittered_from_nothing_to_half_a_minute(attempt: int, fraction: float) -> None:
    assert 0 <= wait_seconds(attempt, fraction) < WAIT_SECONDS_MAX
    assert wait_seconds(0, fraction) < 0.5
    assert wait_seconds(attempt, fraction) <= wait_seconds(attempt + 1, fraction)


async def test_a_wrong_password_is_a_lost_link(mosquitto: Mosquitto) -> None:
    stranger = SIGNER.bundle(f"mqtt://127.0.0.1:{mosquitto.port}", password="wrong")
    with pytest.raises(LinkLost, match="Not authori"):
        async with connected(plan_route(stranger, STRICT), stranger):
            pass


async def test_a_refused_subscription_is_a_lost_link() -> None:
    async with broker_that(grants=0x80) as port:
        there = bundle(f"mqtt://127.0.0.1:{port}")
        with pytest.raises(LinkLost, match="see its ACL"):
            async with connected(plan_route(there, STRICT), there):
                pass


async def test_no_broker_is_a_lost_link() -> None:
    absent = bundle("mqtt://127.0.0.1:1")
    with pytest.raises(LinkLost):
        async with connected(plan_route(absent, STRICT), absent):
            pass


def test_a_broker_that_ends_during_the_goodbye_is_no_word_on_standard_error() -> None:
    complaints: list[str] = []

    async def leave() -> None:
        asyncio.get_running_loop().set_exception_handler(
            lambda _loop, context: complaints.append(context["message"])
        )
        async with broker_that(hangs_up=True) as port:
            there = bundle(f"mqtt://127.0.0.1:{port}")
            async with connected(plan_route(there, STRICT), there):
                pass

    asyncio.run(leave())
    gc.collect()  # asyncio complains when it forgets an exception that nobody asked for
    assert complaints == []


async def test_a_file_without_certificates_is_a_lost_link(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("none")
    route = Route(Address("127.0.0.1", 1), is_encrypted=True, ca_file=tmp_path / "ca.crt")
    with pytest.raises(LinkLost, match="no certificates"):
        async with connected(route, bundle("mqtts://127.0.0.1")):
            pass


@asynccontextmanager
async def broker_that(
    *, grants: int = 1, says: bytes = b"", hangs_up: bool = False
) -> AsyncGenerator[int]:
    """Welcomes whoever connects, answers the subscription, and then `says` something.

    Then it says nothing more until the other end leaves, or `hangs_up` at the next packet.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.read(4096)
            writer.write(bytes.fromhex("20020000"))  # CONNACK
            subscribe = await reader.read(4096)
            writer.write(b"\x90\x03" + subscribe[2:4] + bytes([grants]))  # SUBACK
            online = await reader.read(4096)
            writer.write(b"\x40\x02" + online[-len(b"online") - 2 :][:2])  # PUBACK
            for start in range(0, len(says), 65_536):
                writer.write(says[start : start + 65_536])
                await writer.drain()
            await reader.read(4096 if hangs_up else -1)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1")
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def test_of_a_giant_message_only_the_beginning_is_kept_and_the_next_one_is_heard() -> None:
    name = b"p2k16/v1/front/down/snapshot"
    giant = b"\x30\xff\xff\xff\x1f\x00\x1c" + name  # announces 64 MB, the rest is zeros
    after = b"\x30\x23\x00\x1b" + b"p2k16/v1/front/down/command" + b"hello!"
    there_are = 64 * 1024 * 1024 - 1 - 2 - len(name)
    async with broker_that(says=giant + bytes(there_are) + after) as port:
        there = bundle(f"mqtt://127.0.0.1:{port}")
        before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        async with asyncio.timeout(20), connected(plan_route(there, STRICT), there) as session:
            taking = asyncio.ensure_future(session.take_in())
            first, second = await session.next_message(), await session.next_message()
            taking.cancel()
    assert first.leaf is Leaf.SNAPSHOT
    assert 0 < len(first.data) - PAYLOAD_BYTES_MAX[Kind.SNAPSHOT] < 1_000
    assert (second.leaf, second.data) == (Leaf.COMMAND, b"hello!")
    grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb
    assert grown_kb < 40 * 1024


async def test_the_largest_snapshot_still_fits(mosquitto: Mosquitto) -> None:
    there = bundle(f"mqtt://127.0.0.1:{mosquitto.port}")
    console = await RawMqtt.open(mosquitto.port)
    assert await console.connect(client_id="c", user="console", password=PASSWORD) == 0
    data = b"x" * (PAYLOAD_BYTES_MAX[Kind.SNAPSHOT] + 144)
    assert len(data) < PACKET_BYTES_MAX
    async with connected(plan_route(there, STRICT), there) as session:
        await console.publish("p2k16/v1/front/down/snapshot", data, qos=1)
        taking = asyncio.ensure_future(session.take_in())
        async with asyncio.timeout(10):
            received = await session.next_message()
        taking.cancel()
    assert (received.leaf, received.data) == (Leaf.SNAPSHOT, data)


def received(leaf: Leaf, data: bytes) -> Received:
    return Received(leaf, data, is_retained=False)


async def test_the_inbox_keeps_the_newest_snapshot_and_a_limited_number_of_the_rest() -> None:
    inbox = Inbox()
    for number in range(200):
        inbox.put(received(Leaf.SNAPSHOT, b"s%d" % number))
        inbox.put(received(Leaf.ACK, b"a%d" % number))
        inbox.put(received(Leaf.HELLO, b"not for us"))
    async with asyncio.timeout(1):
        taken = [(await inbox.take()).data for _ in range(SMALL_MAX + 1)]
    assert taken == [
        *(b"a%d" % number for number in range(200 - SMALL_MAX, 199)),
        b"s199",
        b"a199",
    ]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await inbox.take()


async def test_what_is_over_its_limit_is_cut_in_the_inbox() -> None:
    inbox = Inbox()
    inbox.put(received(Leaf.COMMAND, bytes(1_000_000)))
    assert len((await inbox.take()).data) < 5_000
