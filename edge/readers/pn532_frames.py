"""The frames between a host and a PN532: a byte stream to answers, and commands to bytes.

    00 00 FF | LEN LCS | TFI code data… | DCS 00     LEN + LCS = 0 and TFI + … + DCS = 0, modulo 256
    00 00 FF | 00 FF | 00                            acknowledgement; FF 00: it asks for a repeat
    00 00 FF | FF FF | LENM LENL LCS | …             extended, for more than 255 bytes

Source: PN532 user manual (UM0701-02), "Frames structure". What is said in them is decided in
edge/readers/pn532.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from edge.readers.frames import Fault, FaultKind, noise_faults

START = b"\x00\xff"
TO_CHIP, FROM_CHIP = 0xD4, 0xD5
FRAME_BYTES_MAX = 265
"""TFI, code and data of the longest frame. Source: UM0701-02, "Extended information frame"."""

_HEADER_BYTES, _EXTENDED_HEADER_BYTES = 4, 7  # from the start code on


class Signal(StrEnum):
    """A frame without content."""

    ACK = "ack"
    NACK = "nack"
    ERROR = "error"
    """The chip didn't understand the command."""


@dataclass(frozen=True, slots=True)
class Response:
    """What the chip answers to a command: its code is the command's plus one."""

    code: int
    data: bytes = field(repr=False)


Answer = Signal | Response | Fault


class Pn532Frames:
    """Finds frames in a byte stream. Keeps at most 272 bytes."""

    __slots__ = ("_kept", "_noise")

    def __init__(self) -> None:
        self._kept = b""
        self._noise = 0  # bytes since the last frame; zeros are filling

    def feed(self, data: bytes) -> Iterator[Answer]:
        """The frames and faults that `data` completes, in order. Never raises.

        To be used up. A reset in between forgets nothing of what is still to come.
        """
        stream, position = self._kept + data, 0
        while (start := stream.find(START, position)) >= 0:
            if start > position:
                yield from self._skip(stream[position:start])
                position = start
            body = _body_of(stream, start)
            if body is None or body[1] > len(stream):
                break
            first, end = body
            if first == end:  # no header, so the start code was none
                yield from self._skip(START)
                position = start + len(START)
                continue
            self._noise, position = 0, end
            yield _judge(stream[start + 2 : start + 4], stream[first:end])
        else:
            end = len(stream) - stream.endswith(START[:1], position)
            yield from self._skip(stream[position:end])
            position = end
        self._kept = stream[position:]

    def reset(self) -> None:
        """Forgets an unfinished frame."""
        self._kept = b""
        self._noise = 0

    def _skip(self, noise: bytes) -> list[Answer]:
        told = noise_faults(self._noise)
        self._noise += len(noise) - noise.count(0)
        return [Fault(FaultKind.NOISE)] * (noise_faults(self._noise) - told)


def command(code: int, data: bytes = b"") -> bytes:
    """A command to the chip, with at most 253 bytes of data."""
    body = bytes([TO_CHIP, code]) + data
    length = len(body)
    return bytes([0, 0, 0xFF, length, -length & 0xFF]) + body + bytes([-sum(body) & 0xFF, 0])


def _body_of(stream: bytes, start: int) -> tuple[int, int] | None:
    """From where to where TFI to DCS stand, perhaps beyond the end; of an ACK or NACK its header.

    None: the header isn't there yet. An empty stretch: this is no header.
    """
    header = stream[start + 2 : start + _EXTENDED_HEADER_BYTES]
    if len(header) < 2:
        return None
    nothing = (start, start)
    match header[0], header[1]:
        case (0x00, 0xFF) | (0xFF, 0x00):
            return start, start + _HEADER_BYTES
        case (0xFF, 0xFF):
            if len(header) < 5:
                return None
            first, length = start + _EXTENDED_HEADER_BYTES, header[2] << 8 | header[3]
            is_sound = sum(header[2:5]) % 256 == 0
        case _:
            first, length = start + _HEADER_BYTES, header[0]
            is_sound = sum(header[:2]) % 256 == 0
    if not is_sound or not 0 < length <= FRAME_BYTES_MAX:
        return nothing
    return first, first + length + 1


def _judge(header: bytes, body: bytes) -> Answer:
    """`body`: TFI, code, data, DCS; of a frame without them its header."""
    if header == b"\x00\xff":
        return Signal.ACK
    if header == b"\xff\x00":
        return Signal.NACK
    if sum(body) % 256:
        return Fault(FaultKind.CHECKSUM)
    if len(body) == 2:
        return Signal.ERROR if body[0] == 0x7F else Fault(FaultKind.LENGTH)
    if body[0] != FROM_CHIP:
        return Fault(FaultKind.UNASKED)
    return Response(body[1], body[2:-1])
