"""An MQTT 3.1.1 client that does as it is told, also what no decent client would do."""

import asyncio
import contextlib
import ssl
import struct
import weakref
from dataclasses import dataclass

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK = 1, 2, 3, 4, 8, 9
PINGREQ, PINGRESP, DISCONNECT = 12, 13, 14
ANSWER_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Heard:
    topic: str
    payload: bytes
    retained: bool


@dataclass(frozen=True, slots=True)
class Will:
    topic: str
    payload: bytes = b"will"
    retain: bool = False


class Closed(Exception):
    """The broker hung up."""


class RawMqtt:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        # Tests drop their clients without ceremony; the socket goes with the object.
        weakref.finalize(self, _abort, writer)
        self._packet_id = 0
        self.heard: list[Heard] = []
        self.acknowledges = True

    @classmethod
    async def open(cls, port: int, *, tls: ssl.SSLContext | None = None) -> "RawMqtt":
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=tls, server_hostname="localhost" if tls else None
        )
        return cls(reader, writer)

    async def connect(
        self,
        *,
        client_id: str,
        user: str | None = None,
        password: str | None = None,
        will: Will | None = None,
        level: int = 4,
    ) -> int:
        """Returns CONNACK's code; 0 is welcome."""
        self.send_connect(client_id=client_id, user=user, password=password, will=will, level=level)
        return (await self.answer(CONNACK))[1]

    def send_connect(
        self,
        *,
        client_id: str,
        user: str | None = None,
        password: str | None = None,
        will: Will | None = None,
        level: int = 4,
    ) -> None:
        flags = 0x02 | (0x80 if user is not None else 0) | (0x40 if password is not None else 0)
        fields = [client_id.encode()]
        if will is not None:
            flags |= 0x04 | (0x20 if will.retain else 0)
            fields += [will.topic.encode(), will.payload]
        fields += [text.encode() for text in (user, password) if text is not None]
        head = text_field(b"MQTT") + bytes([level, flags]) + struct.pack("!H", 60)
        self.send(CONNECT, 0, head + b"".join(text_field(field) for field in fields))

    async def subscribe(self, *filters: str, qos: int = 1) -> list[int]:
        """Returns SUBACK's codes; 0x80 is refused."""
        body = b"".join(text_field(name.encode()) + bytes([qos]) for name in filters)
        self.send(SUBSCRIBE, 2, struct.pack("!H", self._next_id()) + body)
        return list((await self.answer(SUBACK))[2:])

    async def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, qos: int = 1
    ) -> None:
        self.send_publish(topic, payload, retain=retain, qos=qos)
        if qos:
            await self.answer(PUBACK)

    def send_publish(
        self, topic: str, payload: bytes, *, retain: bool = False, qos: int = 1
    ) -> None:
        packet_id = struct.pack("!H", self._next_id()) if qos else b""
        flags = qos << 1 | int(retain)
        self.send(PUBLISH, flags, text_field(topic.encode()) + packet_id + payload)

    async def ping(self) -> None:
        """When it returns, all that the broker sent before its answer is in `heard`."""
        self.send(PINGREQ, 0, b"")
        await self.answer(PINGRESP)

    async def is_alive(self) -> bool:
        try:
            await self.ping()
        except Closed:
            return False
        return True

    async def wait_closed(self, *, seconds: float = ANSWER_SECONDS) -> bool:
        """Whether the broker hangs up in time."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    await self._read()
        except Closed:
            return True
        except TimeoutError:
            return False

    def send(self, kind: int, flags: int, body: bytes) -> None:
        self.send_bytes(bytes([kind << 4 | flags]) + length_field(len(body)) + body)

    def send_bytes(self, data: bytes) -> None:
        self._writer.write(data)

    async def answer(self, kind: int) -> bytes:
        async with asyncio.timeout(ANSWER_SECONDS):
            while True:
                found, body = await self._read()
                if found == kind:
                    return body

    def goodbye(self) -> None:
        self.send(DISCONNECT, 0, b"")

    def drop_when_sent(self) -> None:
        self._writer.close()

    def drop(self) -> None:
        """As if the cable had been cut, but noticed at once."""
        self._writer.transport.abort()

    async def _read(self) -> tuple[int, bytes]:
        try:
            first = (await self._reader.readexactly(1))[0]
            length = shift = 0
            while True:
                byte = (await self._reader.readexactly(1))[0]
                length |= (byte & 0x7F) << shift
                shift += 7
                if byte < 0x80:
                    break
            body = await self._reader.readexactly(length)
        except (asyncio.IncompleteReadError, OSError) as error:
            raise Closed from error
        if first >> 4 == PUBLISH:
            self._hear(first & 0x0F, body)
        return first >> 4, body

    def _hear(self, flags: int, body: bytes) -> None:
        end = 2 + int.from_bytes(body[:2], "big")
        topic, rest = body[2:end].decode(), body[end:]
        if flags & 0x06:
            packet_id, rest = rest[:2], rest[2:]
            if self.acknowledges:
                self.send(PUBACK, 0, packet_id)
        self.heard.append(Heard(topic, rest, bool(flags & 1)))

    def _next_id(self) -> int:
        self._packet_id += 1
        return self._packet_id


def _abort(writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(RuntimeError):  # the event loop is closed already
        writer.transport.abort()


def text_field(data: bytes) -> bytes:
    return struct.pack("!H", len(data)) + data


def length_field(length: int) -> bytes:
    out = bytearray()
    while True:
        length, byte = divmod(length, 128)
        out.append(byte | (0x80 if length else 0))
        if not length:
            return bytes(out)
