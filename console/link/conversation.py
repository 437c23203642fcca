"""What the broker says to a client that it let in: one packet, one answer.

Decides which packets are served and in which order the answers go out. Each packet is dealt with
before the next one is read, so that whatever a client sent before its DISCONNECT still counts, and
one that sends faster than it is served is slowed down by TCP instead of filling memory.
"""

# pyright: reportMissingTypeStubs=false
# amqtt is annotated but doesn't say so (no py.typed).

import asyncio
from typing import Protocol

from amqtt.mqtt import packet as packets
from amqtt.mqtt.pingresp import PingRespPacket
from amqtt.mqtt.puback import PubackPacket
from amqtt.mqtt.publish import PublishPacket
from amqtt.mqtt.suback import SubackPacket
from amqtt.mqtt.subscribe import SubscribePacket
from amqtt.mqtt.unsuback import UnsubackPacket
from amqtt.mqtt.unsubscribe import UnsubscribePacket

from console.link.amqtt_wire import RawPacket, Violation
from console.link.connected_client import ConnectedClient
from console.link.refusals import Refusals

MAX_FILTERS = 64
"""In one SUBSCRIBE or UNSUBSCRIBE; a controller has five topics."""
REFUSED = 0x80
"""Source: MQTT 3.1.1 §3.9.3, SUBACK's return code for a failure."""
SUBSCRIBE_FLAGS = 0b0010
"""Source: MQTT 3.1.1 §3.8.1 and §3.10.1; with any other the connection must be closed."""


class Tables(Protocol):
    """What a conversation needs of the broker: its subscriptions and retained messages."""

    async def publish(
        self, client: ConnectedClient, name: str, data: bytes, *, qos: int, retain: bool
    ) -> bool:
        """Hands a client's message to its subscribers. False: it may not publish there."""
        ...

    async def subscribe(self, client: ConnectedClient, name_filter: str, qos: int) -> int:
        """Returns SUBACK's code: the granted QoS, or `REFUSED`."""
        ...

    def unsubscribe(self, client: ConnectedClient, name_filter: str) -> None:
        """Does nothing for a filter that it hasn't."""
        ...

    def replay(self, client: ConnectedClient, name_filter: str, qos: int) -> None:
        """Hands over what is retained for a filter that was just granted."""
        ...


async def converse(client: ConnectedClient, tables: Tables, refusals: Refusals) -> None:
    """Answers packets until the client says goodbye.

    Raises: Hangup, Violation, and amqtt's errors for packets that can't be decoded.
    """
    clock = asyncio.get_running_loop().time
    while True:
        packet = await client.wire.read_packet(
            limit=client.limit_bytes, seconds=client.silence_seconds
        )
        match packet.kind:
            case packets.PUBLISH:
                await _publish(client, packet, tables, refusals)
            case packets.PUBACK:
                # An answer, so it isn't slowed down like what a client begins by itself.
                client.acknowledged(int.from_bytes(packet.body[:2], "big"))
                await asyncio.sleep(0)
                continue
            case packets.SUBSCRIBE:
                await _subscribe(client, packet, tables, refusals)
            case packets.UNSUBSCRIBE:
                await _unsubscribe(client, packet, tables)
            case packets.PINGREQ:
                client.wire.write(PingRespPacket.build().to_bytes())
            case packets.DISCONNECT:
                return
            case _:
                raise Violation(f"a packet of kind {packet.kind}")
        # At least a turn for the others: what is buffered would be read without a pause.
        await asyncio.sleep(client.wait_seconds(clock()))


async def _publish(
    client: ConnectedClient, packet: RawPacket, tables: Tables, refusals: Refusals
) -> None:
    message = await PublishPacket.from_stream(packet.reader(), packet.header())
    name, data, qos = message.topic_name or "", message.data or b"", message.qos or 0
    packet_id = message.packet_id
    if qos > 1 or packet_id == 0:
        raise Violation("QoS 2 or a packet id of 0")
    if not await tables.publish(client, name, data, qos=qos, retain=message.retain_flag):
        refusals.note(client.wire, "published to a topic that isn't its own", client.id)
    # MQTT 3.1.1 has no way to refuse a message: it is acknowledged all the same (§3.3.5).
    if packet_id is not None:
        client.wire.write(PubackPacket.build(packet_id).to_bytes())


async def _subscribe(
    client: ConnectedClient, packet: RawPacket, tables: Tables, refusals: Refusals
) -> None:
    subscribe = await SubscribePacket.from_stream(packet.reader(), packet.header())
    filters = subscribe.payload.topics if subscribe.payload else []
    packet_id = _packet_id(packet, len(filters))
    codes = [await tables.subscribe(client, name, qos) for name, qos in filters]
    client.wire.write(SubackPacket.build(packet_id, codes).to_bytes())
    for (name, _), code in zip(filters, codes, strict=True):
        if code == REFUSED:
            refusals.note(client.wire, "subscribed to what isn't its own", client.id)
        else:
            tables.replay(client, name, code)


async def _unsubscribe(client: ConnectedClient, packet: RawPacket, tables: Tables) -> None:
    unsubscribe = await UnsubscribePacket.from_stream(packet.reader(), packet.header())
    filters = unsubscribe.payload.topics if unsubscribe.payload else []
    packet_id = _packet_id(packet, len(filters))
    for name in filters:
        tables.unsubscribe(client, name)
    client.wire.write(UnsubackPacket.build(packet_id).to_bytes())


def _packet_id(packet: RawPacket, filters: int) -> int:
    """The packet id of a SUBSCRIBE or UNSUBSCRIBE with so many filters. Raises: Violation."""
    packet_id = int.from_bytes(packet.body[:2], "big")
    if packet.flags != SUBSCRIBE_FLAGS or packet_id == 0 or not 0 < filters <= MAX_FILTERS:
        raise Violation(f"a malformed SUBSCRIBE or UNSUBSCRIBE with {filters} filters")
    return packet_id
