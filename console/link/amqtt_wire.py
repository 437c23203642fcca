"""One client's bytes, both ways, between the socket and amqtt's packet classes.

Decides what a packet may cost: how large it may be, how long it may take, how much may wait unread
at the other end. What packets mean is for `fenced_broker.py`. amqtt reads straight from the socket
without any limit (a length field of 268 MB is believed, a peer that sends nothing or reads nothing
is waited for without end) and goes on in the middle of a packet that it couldn't decode; here a
packet is cut out whole first, and a client that breaks a limit is dropped.
"""

# pyright: reportMissingTypeStubs=false
# amqtt is annotated but doesn't say so (no py.typed).

import asyncio
import ssl

from amqtt.adapters import BufferReader, WriterAdapter
from amqtt.mqtt.packet import MQTTFixedHeader
from msgspec import Struct

MAX_UNSENT_BYTES = 16 * 1024 * 1024
"""What may wait in the socket's buffer: three snapshots of the largest kind and more."""
END_SECONDS = 2.0
"""How long a connection that is being closed may take to send its last bytes."""


class Hangup(Exception):
    """The connection is over, whoever ended it."""


class Violation(Exception):
    """The client broke a rule of MQTT or a limit of ours; the message says which."""


class RawPacket(Struct, frozen=True):
    """A whole packet, not decoded. Source of the fields: MQTT 3.1.1 §2.2."""

    kind: int
    flags: int
    body: bytes

    def header(self) -> MQTTFixedHeader:
        """The fixed header as amqtt's decoders want it."""
        return MQTTFixedHeader(self.kind, self.flags, len(self.body))

    def reader(self) -> BufferReader:
        """The body for amqtt's decoders; it ends where the packet ends."""
        return BufferReader(self.body)

    def whole(self) -> BufferReader:
        """Header and body."""
        return BufferReader(self.header().to_bytes() + self.body)


class Wire(WriterAdapter):
    """Reads whole packets and writes without ever waiting. (amqtt wants its adapter class.)"""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Takes the connection over."""
        self._reader = reader
        self._writer = writer
        self._aborted = False

    async def read_packet(self, *, limit: int, seconds: float) -> RawPacket:
        """The next packet, its body at most `limit` bytes, complete within `seconds`.

        Raises: Hangup, Violation.
        """
        try:
            async with asyncio.timeout(seconds):
                if self._aborted:
                    raise Hangup("dropped")
                first = (await self._reader.readexactly(1))[0]
                length = await self._length()
                if length > limit:
                    raise Violation(f"a packet of {length} bytes; the limit is {limit}")
                body = await self._reader.readexactly(length)
        except TimeoutError as error:
            raise Hangup("silent for too long") from error
        except (asyncio.IncompleteReadError, OSError) as error:
            raise Hangup("connection closed") from error
        return RawPacket(kind=first >> 4, flags=first & 0x0F, body=body)

    async def _length(self) -> int:
        """Source: MQTT 3.1.1 §2.2.3, at most four bytes of seven bits, least significant first."""
        length = 0
        for shift in (0, 7, 14, 21):
            byte = (await self._reader.readexactly(1))[0]
            length |= (byte & 0x7F) << shift
            if byte < 0x80:
                return length
        raise Violation("a length field of more than four bytes")

    def write(self, data: bytes) -> None:
        """Sends, or drops a client that has left too much unread. Never waits, never raises."""
        if self._aborted or self._writer.is_closing():
            return
        if self._writer.transport.get_write_buffer_size() + len(data) > MAX_UNSENT_BYTES:
            self.abort()
            return
        self._writer.write(data)

    async def drain(self) -> None:
        """Nothing to wait for: `write` has a limit of its own."""

    def get_peer_info(self) -> tuple[str, int] | None:
        """Address and port of the other end; None when it is gone already."""
        peer = self._writer.get_extra_info("peername")
        return (str(peer[0]), int(peer[1])) if peer else None

    def get_ssl_info(self) -> ssl.SSLObject | None:
        """The TLS session, if any."""
        return self._writer.get_extra_info("ssl_object")

    async def close(self) -> None:
        """Begins to close; `end` waits for it."""
        self._writer.close()

    def abort(self) -> None:
        """Drops the connection now; the next `read_packet` raises Hangup."""
        self._aborted = True
        self._writer.transport.abort()

    async def end(self) -> None:
        """Closes: sends what waits, but not for longer than two seconds. Never raises."""
        self._writer.close()
        try:
            async with asyncio.timeout(END_SECONDS):
                await self._writer.wait_closed()
        except (TimeoutError, OSError):
            self.abort()
