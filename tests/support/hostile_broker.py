"""A broker that speaks just enough MQTT 3.1.1 to be believed, and then sends whatever it likes."""

import asyncio
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from sync.envelope import CONSOLE, Kind, open_
from sync.messages import decode_hello
from sync.signing import public_key
from sync.topics import Leaf, parse, topic
from tests.support.console_stand_in import PREFIX
from tests.support.raw_mqtt import CONNECT, PINGREQ, PUBLISH, SUBSCRIBE
from tests.support.signer import Signer
from tests.support.waiting import eventually

CONNACK, PUBACK, SUBACK, PINGRESP = 0x20, 0x40, 0x90, 0xD0


@dataclass
class Line:
    """One connection of the controller."""

    writer: asyncio.StreamWriter
    is_greeted: bool = False
    is_over: bool = False
    """The controller hung up."""

    def send(self, first: int, body: bytes) -> None:
        """One packet, as it is given."""
        self.writer.write(bytes([first]) + _length(len(body)) + body)

    def publish(self, name: bytes, payload: bytes, *, qos: int = 1, packet_id: int = 1) -> None:
        head = struct.pack("!H", len(name)) + name
        head += struct.pack("!H", packet_id) if qos else b""
        self.send(0x30 | qos << 1, head + payload)


@dataclass
class HostileBroker:
    """Gives keys, one snapshot and the time to a controller that says hello; keeps its lines."""

    signer: Signer
    port: int = 0
    lines: list[Line] = field(default_factory=list[Line])

    @property
    def line(self) -> Line | None:
        """The newest line whose controller has said hello and is still there."""
        return next((n for n in reversed(self.lines) if n.is_greeted and not n.is_over), None)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = Line(writer)
        self.lines.append(line)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                first, body = await _packet(reader)
                self._answer(line, first, body)
        line.is_over = True
        writer.close()

    def _answer(self, line: Line, first: int, body: bytes) -> None:
        match first >> 4:
            case kind if kind == CONNECT:
                line.send(CONNACK, b"\0\0")
            case kind if kind == SUBSCRIBE:
                line.send(SUBACK, body[:2] + b"\1")
            case kind if kind == PINGREQ:
                line.send(PINGRESP, b"")
            case kind if kind == PUBLISH:
                (length,) = struct.unpack_from("!H", body)
                line.send(PUBACK, body[2 + length : 4 + length])
                name = parse(PREFIX, body[2 : 2 + length].decode())
                if name is not None and name.leaf is Leaf.HELLO:
                    self._greet(line, body[4 + length :])
            case _:
                pass

    def _greet(self, line: Line, hello: bytes) -> None:
        key = public_key(self.signer.controller_seed)
        nonce = decode_hello(open_(hello, Kind.HELLO, CONSOLE, public_key=key)).nonce
        for leaf, data in (
            (Leaf.KEYS, self.signer.keyset()),
            (Leaf.SNAPSHOT, self.signer.snapshot(1)),
            (Leaf.BEACON, self.signer.beacon(nonce, serial=1)),
        ):
            line.publish(topic(PREFIX, self.signer.controller, leaf).encode(), data)
        line.is_greeted = True


@asynccontextmanager
async def hostile_broker(signer: Signer) -> AsyncGenerator[HostileBroker]:
    """Listens on a free port."""
    broker = HostileBroker(signer)
    server = await asyncio.start_server(broker.serve, "127.0.0.1", 0)
    broker.port = server.sockets[0].getsockname()[1]
    try:
        yield broker
    finally:
        server.close()
        for line in broker.lines:
            line.writer.close()
        await eventually(lambda: all(line.is_over for line in broker.lines))


async def _packet(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    first = (await reader.readexactly(1))[0]
    length, shift = 0, 0
    while True:
        byte = (await reader.readexactly(1))[0]
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return first, await reader.readexactly(length)


def _length(number: int) -> bytes:
    digits = b""
    while True:
        number, digit = divmod(number, 128)
        digits += bytes([digit | (0x80 if number else 0)])
        if not number:
            return digits
