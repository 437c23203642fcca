"""The controller's connection to its broker: the only import of aiomqtt.

MQTT 3.1.1 with a clean session: what the broker kept for an absent controller would be refused
anyhow. The broker is trusted with nothing; TLS is a second fence. What is said over the connection
is decided in edge/uplink.py and edge/downlink.py, when to try again in edge/conversation.py.
"""

# Limits and hanging up have no public place in aiomqtt and paho: see _limit and connected.
# pyright: reportPrivateUsage=false

import asyncio
import logging
import ssl
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from aiomqtt import Client, MqttError, ProtocolVersion, Will
from paho.mqtt.enums import MQTTErrorCode

from edge.broker_url import read_broker_url
from edge.errors import EdgeError, LinkLost
from edge.inbox import Inbox, Received
from edge.settings import MqttSettings
from edge.together import look_at
from sync.bundle import Bundle
from sync.envelope import MESSAGE_BYTES_MAX
from sync.settings_values import Address
from sync.topics import Leaf, everything_down, parse, topic

T = TypeVar("T")

KEEP_ALIVE_SECONDS = 20
ANSWER_SECONDS = 10.0
"""How long the broker may take to answer anything that it is sent."""

GOODBYE_SECONDS = 1.0
"""For each of the last two words; a broker that hangs must not hold up the end."""

PACKET_BYTES_MAX = MESSAGE_BYTES_MAX + 1024
"""A snapshot of 4 MiB with its envelope, topic and header. paho would keep 256 MB."""

UNREAD_MAX = 8
"""Messages inside aiomqtt; they move on to the inbox at once."""

ONLINE, OFFLINE = b"online", b"offline"


@dataclass(frozen=True, slots=True)
class Route:
    """The way to the broker. `ca_file` None: the system's certificate authorities."""

    address: Address
    is_encrypted: bool
    ca_file: Path | None


def plan_route(bundle: Bundle, settings: MqttSettings) -> Route:
    """Raises: EdgeError when the way would be neither encrypted, local, nor allowed."""
    try:
        scheme, host, port = read_broker_url(bundle.broker_url)
    except ValueError as error:
        raise EdgeError(str(error)) from error
    address = Address(f"[{host}]" if ":" in host else host, port)
    is_encrypted = scheme == "mqtts"
    if not (is_encrypted or address.is_loopback or settings.allow_plaintext):
        raise EdgeError(
            f"no connection to {bundle.broker_url}: it is not encrypted. Enrol with an mqtts:// "
            "URL, or set [mqtt] allow_plaintext = true if that network is trusted"
        )
    return Route(address, is_encrypted, settings.ca_file)


class MqttSession:
    """One connection that is up, or was."""

    def __init__(self, client: Client, bundle: Bundle) -> None:
        self._client = client
        self._bundle = bundle
        self._inbox = Inbox()

    async def publish(self, leaf: Leaf, data: bytes) -> None:
        """Returns when the broker has taken the message over. Raises: LinkLost."""
        name = topic(self._bundle.prefix, self._bundle.controller, leaf)
        try:
            await _apart(self._client.publish(name, data, qos=1, retain=leaf is Leaf.PRESENCE))
        except MqttError as error:
            raise LinkLost(f"the broker took no message: {error}") from error

    async def next_message(self) -> Received:
        """The oldest message that nobody has read; waits for one."""
        return await self._inbox.take()

    async def take_in(self) -> None:
        """Fills the inbox until the connection breaks. Raises: LinkLost."""
        try:
            async for message in self._client.messages:
                name = parse(self._bundle.prefix, message.topic.value)
                if name is not None and name.controller == self._bundle.controller:
                    data = bytes(message.payload)
                    self._inbox.put(Received(name.leaf, data, bool(message.retain)))
        except MqttError as error:
            raise LinkLost(f"the connection broke: {error.__cause__ or error}") from error


@asynccontextmanager
async def connected(route: Route, bundle: Bundle) -> AsyncGenerator[MqttSession]:
    """Connects, subscribes, and says online; says offline when left. Raises: LinkLost."""
    client = await _client(route, bundle)
    session = MqttSession(client, bundle)
    subscription = everything_down(bundle.prefix, bundle.controller)
    try:
        await _apart(client.__aenter__())
        try:
            codes = await _apart(client.subscribe(subscription, qos=1))
            if any((code if isinstance(code, int) else code.value) >= 0x80 for code in codes):
                raise LinkLost(f"the broker refuses the subscription {subscription}: see its ACL")
            await session.publish(Leaf.PRESENCE, ONLINE)
            yield session
        finally:
            with suppress(LinkLost, MqttError, TimeoutError):
                async with asyncio.timeout(GOODBYE_SECONDS):
                    await session.publish(Leaf.PRESENCE, OFFLINE)
            with suppress(MqttError, TimeoutError):
                async with asyncio.timeout(GOODBYE_SECONDS):
                    await _apart(client.__aexit__(None, None, None))
    except (MqttError, OSError, ValueError) as error:
        # ValueError: a host name that can't be looked up (UnicodeError is one).
        raise LinkLost(f"{route.address}: {error}") from error
    finally:
        # aiomqtt leaves the socket open, and watched, when it can't say goodbye or can't read a
        # packet: each such connection would keep the processor busy while the broker likes.
        _hang_up(client)
        # Nor does it look at how the connection ended, if that came while it was left: asyncio
        # would complain of that on standard error.
        client._disconnected.add_done_callback(look_at)


async def _apart(work: Coroutine[Any, Any, T]) -> T:
    """Awaits what aiomqtt does, as a task of its own.

    aiomqtt waits with asyncio.wait_for, which in Python 3.11 loses a cancellation that comes just
    when the wait is over: the caller would go on for ever. Source: python/cpython issue 86296.
    """
    task = asyncio.ensure_future(work)
    task.add_done_callback(look_at)
    try:
        await asyncio.wait({task})
    finally:
        task.cancel()
    return task.result()


async def _client(route: Route, bundle: Bundle) -> Client:
    tls: ssl.SSLContext | None = None
    if route.is_encrypted:
        try:
            # Reads files: not on the event loop.
            tls = await asyncio.to_thread(ssl.create_default_context, cafile=route.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise LinkLost(f"{route.ca_file} holds no certificates: {error}") from error
    presence = topic(bundle.prefix, bundle.controller, Leaf.PRESENCE)
    client = Client(
        route.address.host.strip("[]"),
        route.address.port,
        username=bundle.broker_username,
        password=bundle.broker_password,
        identifier=bundle.controller,
        protocol=ProtocolVersion.V311,
        clean_session=True,
        will=Will(presence, OFFLINE, qos=1, retain=True),
        keepalive=KEEP_ALIVE_SECONDS,
        timeout=ANSWER_SECONDS,
        tls_context=tls,
        max_queued_incoming_messages=UNREAD_MAX,
        # An unregistered logger: what aiomqtt and paho say by it, the caller says better.
        logger=logging.Logger("aiomqtt", level=logging.CRITICAL),
    )
    _limit(client)
    return client


class Beginning(bytearray):
    """A packet of which no more is kept than is needed to find it too large."""

    def __iadd__(self, data: bytes, /) -> "Beginning":  # pyright: ignore[reportIncompatibleMethodOverride]
        self.extend(memoryview(data)[: max(0, PACKET_BYTES_MAX - len(self))])
        return self


def _limit(client: Client) -> None:
    """Keeps only the beginning of a packet over the limit: its message is then refused by its name.

    Hanging up instead would let one retained message keep the controller from its broker for ever.
    It hangs up on a broker that sends by QoS 2, which nobody subscribed to: paho keeps such
    messages until they are released.

    Neither library has a limit, or a public place for one. paho gathers a packet in `_in_packet`,
    which it makes anew for each.
    """
    paho = client._client
    read = paho._packet_read

    def packet_read() -> MQTTErrorCode:
        packet = paho._in_packet["packet"]
        if not isinstance(packet, Beginning):
            paho._in_packet["packet"] = Beginning(packet)
        result = read()
        if paho._in_messages:
            _hang_up(client)
        return result

    paho._packet_read = packet_read


def _hang_up(client: Client) -> None:
    """Closes the socket if it is open, without a word: a broker that hangs would hold that up."""
    paho = client._client
    if paho.socket() is not None:
        paho._loop_rc_handle(MQTTErrorCode.MQTT_ERR_PROTOCOL)
