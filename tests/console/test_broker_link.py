"""The console's link stays connected, whichever broker it is, and says at once when it isn't."""

import asyncio
import os
import random
import signal
import socket
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import cast

import pytest
from structlog.testing import capture_logs

from console.errors import BrokerUnavailable
from console.link.broker import LONGEST_WAIT_SECONDS, BrokerLink, wait_seconds
from console.link.broker_url import BrokerUrlError
from console.link.embedded_broker import EmbeddedBroker
from tests.support.brokers import PASSWORD, PREFIX, Mosquitto, RestartableBroker, free_port
from tests.support.raw_mqtt import RawMqtt
from tests.support.waiting import eventually

FRONT = "p2k16/v1/front"


@pytest.fixture(params=["embedded_broker", "mosquitto"])
def broker(request: pytest.FixtureRequest) -> RestartableBroker:
    return cast("RestartableBroker", request.getfixturevalue(request.param))


class Desk:
    """Keeps what a link handed over."""

    def __init__(self) -> None:
        self.arrived: list[tuple[str, bytes, bool]] = []

    async def take(self, topic: str, payload: bytes, retained: bool) -> None:
        self.arrived.append((topic, payload, retained))


@asynccontextmanager
async def running(
    url: str,
    desk: Desk,
    *,
    prefix: str = PREFIX,
    on_connected: Callable[[], Awaitable[None]] | None = None,
    random: Callable[[], float] = lambda: 0.1,
) -> AsyncGenerator[BrokerLink]:
    link = BrokerLink(url, prefix, on_message=desk.take, on_connected=on_connected, random=random)
    task = asyncio.create_task(link.run())
    try:
        yield link
    finally:
        task.cancel()
        await asyncio.wait((task,), timeout=5)
        assert task.cancelled()


async def up(link: BrokerLink) -> None:
    await eventually(lambda: link.is_up)


async def down(link: BrokerLink) -> None:
    await eventually(lambda: not link.is_up)


async def controller(broker: RestartableBroker) -> RawMqtt:
    front = await RawMqtt.open(broker.port)
    assert await front.connect(client_id="front", user="front", password=PASSWORD) == 0
    return front


async def test_what_a_controller_says_arrives_and_what_is_published_reaches_it(
    broker: RestartableBroker,
) -> None:
    desk = Desk()
    async with running(broker.url, desk) as link:
        await up(link)
        front = await controller(broker)
        await front.subscribe(f"{FRONT}/down/#")
        await front.publish(f"{FRONT}/up/events", b"\x00a batch\xff")
        await eventually(lambda: desk.arrived)
        assert desk.arrived == [(f"{FRONT}/up/events", b"\x00a batch\xff", False)]
        await link.publish(f"{FRONT}/down/ack", b"\x00seen\xff")
        await front.ping()
        assert [(m.topic, m.payload) for m in front.heard] == [
            (f"{FRONT}/down/ack", b"\x00seen\xff")
        ]


async def test_retained_messages_are_marked_both_ways(broker: RestartableBroker) -> None:
    desk = Desk()
    front = await controller(broker)
    await front.publish(f"{FRONT}/up/presence", b"online", retain=True)
    async with running(broker.url, desk) as link:
        await eventually(lambda: desk.arrived)
        assert desk.arrived == [(f"{FRONT}/up/presence", b"online", True)]
        await link.publish(f"{FRONT}/down/snapshot", b"rights", retain=True)
    await front.subscribe(f"{FRONT}/down/#")
    await eventually(lambda: _heard(front))
    assert [(m.payload, m.retained) for m in front.heard] == [(b"rights", True)]


async def _heard(client: RawMqtt) -> bool:
    await client.ping()
    return bool(client.heard)


async def test_a_snapshot_of_four_mebibytes_gets_through(broker: RestartableBroker) -> None:
    async with running(broker.url, Desk()) as link:
        await up(link)
        front = await controller(broker)
        await front.subscribe(f"{FRONT}/down/#")
        await link.publish(f"{FRONT}/down/snapshot", b"x" * 4 * 1024 * 1024, retain=True)
        await eventually(lambda: _heard(front))
        assert len(front.heard[0].payload) == 4 * 1024 * 1024


async def test_it_comes_back_when_the_broker_does_and_says_each_change_once(
    broker: RestartableBroker,
) -> None:
    desk = Desk()
    with capture_logs() as logs:
        async with running(broker.url, desk) as link:
            await up(link)
            await broker.stop()
            await down(link)
            with pytest.raises(BrokerUnavailable):
                await link.publish(f"{FRONT}/down/ack", b"x")
            await broker.start()
            await up(link)
            front = await controller(broker)
            await front.publish(f"{FRONT}/up/events", b"a batch")
            await eventually(lambda: desk.arrived)
    events = [line["event"] for line in logs if str(line["event"]).startswith("link.")]
    # At most two reasons on the way down: the connection breaks, then nobody answers.
    assert events[0] == events[-1] == "link.connected"
    assert set(events[1:-1]) == {"link.lost"}
    assert len(events) <= 4
    assert PASSWORD not in str(logs)
    assert "p2k16_console" not in str(logs)


async def test_a_broker_that_is_absent_at_the_start_is_waited_for(
    broker: RestartableBroker,
) -> None:
    await broker.stop()
    with capture_logs() as logs:
        async with running(broker.url, Desk()) as link:
            await eventually(lambda: logs)
            assert not link.is_up
            with pytest.raises(BrokerUnavailable, match="refused"):
                await link.publish(f"{FRONT}/down/ack", b"x")
            await broker.start()
            await up(link)
    assert [line["event"] for line in logs if line["event"] == "link.lost"] == ["link.lost"]


async def test_a_publish_under_way_fails_as_soon_as_the_connection_breaks(
    broker: RestartableBroker,
) -> None:
    async with running(broker.url, Desk()) as link:
        await up(link)
        # More than fits into the buffers, so that some are surely unanswered.
        many = [
            asyncio.create_task(link.publish(f"{FRONT}/down/snapshot", b"x" * 1_000_000))
            for _ in range(30)
        ]
        await asyncio.sleep(0)
        async with asyncio.timeout(5):
            await broker.stop()
            results = await asyncio.gather(*many, return_exceptions=True)
    failed = [result for result in results if result is not None]
    assert failed
    assert all(isinstance(result, BrokerUnavailable) for result in failed)


async def test_after_every_connect_the_greeting_runs(broker: RestartableBroker) -> None:
    greeted = 0

    async def greet() -> None:
        nonlocal greeted
        await link.publish(f"{FRONT}/down/keys", b"keyset", retain=True)
        greeted += 1

    async with running(broker.url, Desk(), on_connected=greet) as link:
        await eventually(lambda: greeted == 1)
        await broker.stop()
        await down(link)
        await broker.start()
        await eventually(lambda: greeted == 2)


async def test_a_greeting_that_takes_long_is_cut_short_when_the_connection_goes(
    broker: RestartableBroker,
) -> None:
    begun, cut_short = asyncio.Event(), asyncio.Event()

    async def greet() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cut_short.set()
            raise

    async with running(broker.url, Desk(), on_connected=greet):
        await begun.wait()
        await broker.stop()
        async with asyncio.timeout(5):
            await cut_short.wait()


async def test_a_message_or_greeting_that_cant_be_dealt_with_ends_nothing(
    broker: RestartableBroker,
) -> None:
    seen: list[bytes] = []

    async def fall(topic: str, payload: bytes, retained: bool) -> None:
        seen.append(payload)
        raise RuntimeError("a mistake of ours")

    async def stumble() -> None:
        raise RuntimeError("another one")

    link = BrokerLink(
        broker.url, PREFIX, on_message=fall, on_connected=stumble, random=random.random
    )
    with capture_logs() as logs:
        task = asyncio.create_task(link.run())
        await up(link)
        front = await controller(broker)
        await front.publish(f"{FRONT}/up/events", b"1")
        await front.publish(f"{FRONT}/up/events", b"2")
        await eventually(lambda: len(seen) == 2)
        assert link.is_up
        task.cancel()
        await asyncio.wait((task,))
    assert {"message.failed", "link.greeting_failed"} <= {line["event"] for line in logs}


async def test_a_wrong_password_is_told_and_tried_again(broker: RestartableBroker) -> None:
    url = broker.url.replace("//", "//nobody:", 1).replace("nobody:", "x", 1)
    with capture_logs() as logs:
        async with running(url, Desk()) as link:
            await eventually(lambda: [line for line in logs if line["event"] == "link.lost"])
            assert not link.is_up
    assert "uthor" in str(logs[-1])


async def test_a_refused_subscription_isnt_taken_for_a_connection(
    embedded_broker: EmbeddedBroker,  # Mosquitto grants each, and filters what it delivers
) -> None:
    with capture_logs() as logs:
        async with running(embedded_broker.url, Desk(), prefix="other") as link:
            await eventually(lambda: [line for line in logs if line["event"] == "link.lost"])
            assert not link.is_up
    assert "refuses the subscription" in str(logs)


async def test_a_broker_answers_while_it_runs(broker: RestartableBroker) -> None:
    async with running(broker.url, Desk()) as link:
        assert not await link.answers()
        await up(link)
        assert await link.answers()
        await broker.stop()
        await down(link)
        assert not await link.answers()


async def test_a_broker_that_hangs_does_not_answer_though_the_connection_stands(
    mosquitto: Mosquitto,
) -> None:
    async with running(mosquitto.url, Desk()) as link:
        await up(link)
        os.kill(mosquitto.pid, signal.SIGSTOP)
        try:
            began = time.monotonic()
            assert not await link.answers()
            assert time.monotonic() - began < 4
            assert link.is_up
        finally:
            os.kill(mosquitto.pid, signal.SIGCONT)
        await eventually(link.answers)


async def test_stopping_leaves_no_task_and_no_connection(broker: RestartableBroker) -> None:
    before = asyncio.all_tasks()
    async with running(broker.url, Desk()) as link:
        await up(link)
    assert not link.is_up
    await eventually(lambda: asyncio.all_tasks() <= before | _broker_tasks())


def _broker_tasks() -> set[asyncio.Task[object]]:
    return {task for task in asyncio.all_tasks() if "stream_connected" in repr(task)}


async def test_a_broker_that_lets_in_and_hangs_up_is_called_less_and_less_often() -> None:
    calls: list[float] = []

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        calls.append(time.monotonic())
        await reader.read(1000)
        writer.write(b"\x20\x02\x00\x00")  # CONNACK
        subscribe = await reader.read(1000)
        writer.write(b"\x90\x03" + subscribe[2:4] + b"\x01")  # SUBACK
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with running(f"mqtt://u:p@127.0.0.1:{port}", Desk(), random=lambda: 0.02):
        await eventually(lambda: len(calls) >= 5)
    server.close()
    # 0.02 of 1, 2, 4 and 8 seconds; with a wait that begins anew each time it would be 0.04.
    assert calls[4] - calls[0] >= 0.3


CONNACK, SUBACK = b"\x20\x02\x00\x00", b"\x90\x03\x00\x01\x01"


@pytest.mark.parametrize("answers", [[CONNACK], [CONNACK, SUBACK]])
@pytest.mark.parametrize("turns", range(12))
async def test_it_ends_when_told_to_at_whatever_moment_the_broker_answers(
    answers: list[bytes], turns: int
) -> None:
    answered = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for packet in answers:
            await reader.read(1000)
            writer.write(packet)
        answered.set()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    link = BrokerLink(
        f"mqtt://u:p@127.0.0.1:{port}", PREFIX, on_message=Desk().take, random=lambda: 0.1
    )
    task = asyncio.create_task(link.run())
    await answered.wait()
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    done, _ = await asyncio.wait((task,), timeout=2)
    server.close()
    assert done


def test_the_wait_doubles_up_to_half_a_minute_and_is_spread_evenly() -> None:
    assert [wait_seconds(n, 1.0) for n in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert wait_seconds(10_000, 0.999) < LONGEST_WAIT_SECONDS
    assert wait_seconds(3, 0.0) == 0
    assert wait_seconds(3, 0.25) == 1


async def test_a_host_that_cant_be_looked_up_is_waited_for_like_any_other() -> None:
    for host in ("nobody.invalid", "x" * 80 + ".invalid"):
        with capture_logs() as logs:
            async with running(f"mqtt://u:p@{host}:1883", Desk()) as link:
                await eventually(lambda: logs)
                assert not link.is_up


async def test_nobody_listening_isnt_an_error_at_all() -> None:
    with socket.create_server(("127.0.0.1", 0)):
        async with running(f"mqtt://u:p@127.0.0.1:{free_port()}", Desk()) as link:
            assert not link.is_up


def test_a_url_that_isnt_one_is_refused_at_once() -> None:
    with pytest.raises(BrokerUrlError):
        BrokerLink("http://broker", PREFIX, on_message=Desk().take, random=random.random)
