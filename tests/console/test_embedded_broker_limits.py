"""A limit on everything: the embedded broker outlives whoever is slow, large, silent or many."""

import asyncio
import random
import socket
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from console.errors import DatabaseUnavailable
from console.link.amqtt_plugins import LOOKUPS_AT_ONCE
from console.link.amqtt_wire import Hangup, Violation, Wire
from console.link.connected_client import MAX_CONTROLLER_BYTES, MAX_UNACKNOWLEDGED, Pace
from console.link.embedded_broker import EmbeddedBroker
from console.link.fenced_broker import MAX_SILENT
from tests.support.broker_site import FRONT, BrokerSite, our_site
from tests.support.brokers import PASSWORD, PASSWORD_HASH, mqtt_settings
from tests.support.raw_mqtt import (
    CONNECT,
    PUBLISH,
    SUBSCRIBE,
    Closed,
    length_field,
    text_field,
)

SNAPSHOT = b"x" * 4 * 1024 * 1024


async def test_a_packet_that_claims_to_be_huge_ends_the_connection_at_once(
    either_broker: BrokerSite,
) -> None:
    front = await either_broker.controller("front")
    front.send_bytes(bytes([PUBLISH << 4]) + length_field(200_000_000) + b"x" * 1000)
    either_broker.must_not(not await front.wait_closed(seconds=1))


async def test_a_huge_first_packet_ends_the_connection_at_once(either_broker: BrokerSite) -> None:
    stranger = await either_broker.stranger()
    stranger.send_bytes(bytes([CONNECT << 4]) + length_field(200_000_000) + text_field(b"MQTT"))
    either_broker.must_not(not await stranger.wait_closed(seconds=1))


async def test_the_largest_snapshot_passes(broker_site: BrokerSite) -> None:
    front = await broker_site.controller("front")
    await front.subscribe(f"{FRONT}/down/#")
    await (await broker_site.console()).publish(f"{FRONT}/down/snapshot", SNAPSHOT, retain=True)
    await front.ping()
    assert [len(m.payload) for m in front.heard] == [len(SNAPSHOT)]


async def test_a_controller_may_not_send_what_only_the_console_sends(
    broker_site: BrokerSite,
) -> None:
    front = await broker_site.controller("front")
    front.send_publish(f"{FRONT}/up/events", b"x" * MAX_CONTROLLER_BYTES)
    assert await front.wait_closed()


@pytest.mark.parametrize(
    "packet",
    [
        bytes([SUBSCRIBE << 4 | 2, 2, 0, 1]),  # no filter at all
        bytes([SUBSCRIBE << 4 | 2, 6, 0, 0, 0, 1, ord("a"), 0]),  # packet id 0
        bytes([SUBSCRIBE << 4, 6, 0, 1, 0, 1, ord("a"), 0]),  # wrong flags
        bytes([SUBSCRIBE << 4 | 2, 5, 0, 1, 0, 200, ord("a")]),  # a filter longer than the packet
        bytes([PUBLISH << 4, 4, 0, 2, ord("a"), ord("#")]),  # a wildcard
        bytes([PUBLISH << 4 | 4, 5, 0, 1, ord("a"), 0, 1]),  # QoS 2
        bytes([PUBLISH << 4 | 6, 5, 0, 1, ord("a"), 0, 1]),  # QoS 3
        bytes([PUBLISH << 4, 1, 0]),  # cut off
        bytes([CONNECT << 4, 0]),  # a second CONNECT
        bytes([0, 0]),  # a reserved kind
        bytes([0xF0, 0]),
        b"\x30\xff\xff\xff\xff\x7f",  # five length bytes
    ],
)
async def test_a_malformed_packet_ends_the_connection(
    broker_site: BrokerSite, packet: bytes
) -> None:
    front = await broker_site.controller("front")
    with capture_logs() as logs:
        front.send_bytes(packet)
        assert await front.wait_closed()
    assert "client.failed" not in {line["event"] for line in logs}


async def test_another_version_of_the_protocol_is_refused(broker_site: BrokerSite) -> None:
    client = await broker_site.stranger()
    assert await client.connect(client_id="front", user="front", password=PASSWORD, level=5) == 1
    assert await client.wait_closed()


async def test_noise_ends_connections_and_nothing_else(broker_site: BrokerSite) -> None:
    front = await broker_site.controller("front")
    noise = random.Random(20160)
    with capture_logs() as logs:
        for _ in range(200):
            client = await broker_site.stranger()
            if noise.random() < 0.5:
                client.send_connect(client_id="back", user="back", password=PASSWORD)
            kind = noise.choice([1, 2, 3, 4, 8, 10, 12, 14])
            body = noise.randbytes(noise.randrange(0, 40))
            client.send(kind, noise.randrange(16), body)
            client.send_bytes(noise.randbytes(noise.randrange(0, 200)))
            client.drop_when_sent()
    assert await front.is_alive()
    assert "client.failed" not in {line["event"] for line in logs}


async def test_a_crowd_that_says_nothing_doesnt_keep_a_controller_out(
    broker_site: BrokerSite,
) -> None:
    crowd = [await broker_site.stranger() for _ in range(MAX_SILENT + 50)]
    front = await broker_site.controller("front")
    assert await front.is_alive()
    assert await crowd[0].wait_closed()
    assert not await crowd[-1].wait_closed(seconds=0.05)
    for stranger in crowd:
        stranger.drop()


async def test_a_client_that_never_acknowledges_is_dropped(broker_site: BrokerSite) -> None:
    front, console = await broker_site.controller("front"), await broker_site.console()
    front.acknowledges = False
    await front.subscribe(f"{FRONT}/down/#")
    for _ in range(MAX_UNACKNOWLEDGED + 1):
        console.send_publish(f"{FRONT}/down/beacon", b"tick", qos=1)
    assert await front.wait_closed()
    assert len(front.heard) <= MAX_UNACKNOWLEDGED
    assert await console.is_alive()


async def test_a_client_that_reads_nothing_is_dropped_and_nobody_waits_for_it(
    broker_site: BrokerSite,
) -> None:
    slow, back, console = (
        await broker_site.controller("front"),
        await broker_site.controller("back"),
        await broker_site.console(),
    )
    await slow.subscribe(f"{FRONT}/down/#")
    await back.subscribe("p2k16/v1/back/down/#")
    for _ in range(8):
        await console.publish(f"{FRONT}/down/snapshot", SNAPSHOT)
        await console.publish("p2k16/v1/back/down/beacon", b"tick")
    await back.ping()
    assert len(back.heard) == 8
    with pytest.raises(Closed):
        # What the system has buffered can still be read, then comes the end.
        await slow.ping()


async def test_hundreds_of_retained_messages_of_one_controller_are_three_at_most(
    broker_site: BrokerSite,
) -> None:
    front, console = await broker_site.controller("front"), await broker_site.console()
    for number in range(100):
        await front.publish(f"{FRONT}/up/presence/{number}", b"x", retain=True)
        await front.publish(f"p2k16/v1/front{number}/up/presence", b"x", retain=True)
    await console.subscribe("p2k16/v1/+/up/#")
    await console.ping()
    assert console.heard == []


def test_a_sender_within_its_rate_never_waits_and_a_faster_one_is_held_to_it() -> None:
    pace = Pace(per_second=10, burst=5)
    assert [pace.wait_seconds(0.0) for _ in range(5)] == [0.0] * 5
    assert pace.wait_seconds(0.0) == pytest.approx(0.1)
    assert pace.wait_seconds(0.1) == pytest.approx(0.1)
    steady = Pace(per_second=10, burst=1)
    assert [steady.wait_seconds(n / 10) for n in range(100)] == pytest.approx([0.0] * 100)


@pytest.fixture
async def wire_and_peer() -> AsyncIterator[tuple[Wire, socket.socket]]:
    ours, theirs = socket.socketpair()
    wire = Wire(*await asyncio.open_connection(sock=ours))
    yield wire, theirs
    theirs.close()
    await wire.end()


async def test_a_client_that_stops_in_the_middle_of_a_packet_is_given_up(
    wire_and_peer: tuple[Wire, socket.socket],
) -> None:
    wire, peer = wire_and_peer
    peer.sendall(b"\x30\x10half")
    with pytest.raises(Hangup, match="silent"):
        await wire.read_packet(limit=100, seconds=0.05)


async def test_a_packet_at_the_limit_passes_and_one_byte_more_does_not(
    wire_and_peer: tuple[Wire, socket.socket],
) -> None:
    wire, peer = wire_and_peer
    peer.sendall(b"\x30" + length_field(200) + b"x" * 200 + b"\x30" + length_field(201))
    assert len((await wire.read_packet(limit=200, seconds=1)).body) == 200
    with pytest.raises(Violation, match="201"):
        await wire.read_packet(limit=200, seconds=1)


async def test_nothing_is_read_from_a_connection_that_was_dropped(
    wire_and_peer: tuple[Wire, socket.socket],
) -> None:
    wire, peer = wire_and_peer
    peer.sendall(b"\xc0\x00\xc0\x00")
    await wire.read_packet(limit=10, seconds=1)
    wire.abort()
    with pytest.raises(Hangup):
        await wire.read_packet(limit=10, seconds=1)


async def test_while_the_database_is_down_controllers_are_refused_and_not_the_console() -> None:
    async def no_database(name: str) -> str | None:
        raise DatabaseUnavailable("no answer")

    async with EmbeddedBroker(mqtt_settings(), no_database) as broker:
        broker_site = our_site(broker)
        client = await broker_site.stranger()
        assert await client.connect(client_id="front", user="front", password=PASSWORD) != 0
        assert await (await broker_site.console()).is_alive()


async def test_hundreds_that_connect_at_once_all_get_in() -> None:
    async def slow_lookup(name: str) -> str | None:
        await asyncio.sleep(0.001)
        return PASSWORD_HASH

    async with EmbeddedBroker(mqtt_settings(), slow_lookup) as broker:
        broker_site = our_site(broker)
        clients = await asyncio.gather(
            *(broker_site.controller(f"c{n}") for n in range(MAX_SILENT + 50))
        )
        assert all([await client.is_alive() for client in clients])


async def test_a_crowd_of_names_asks_the_database_a_few_at_a_time() -> None:
    asking = most = 0

    async def slow_lookup(name: str) -> str | None:
        nonlocal asking, most
        asking += 1
        most = max(most, asking)
        await asyncio.sleep(0.01)
        asking -= 1
        return PASSWORD_HASH

    async with EmbeddedBroker(mqtt_settings(), slow_lookup) as broker:
        broker_site = our_site(broker)
        await asyncio.gather(*(broker_site.controller(f"c{number}") for number in range(40)))
    assert most == LOOKUPS_AT_ONCE
