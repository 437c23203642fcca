"""Readers that send one line of text for each card: how their lines are cut, checked and read.

A line is prefix, body, suffix, and all of it has to be as the settings say: nothing is searched for
within it, so that a reader's greeting or half a line is never a card. A line that lost its end
costs itself and the next one.

How sure a card is depends on the format. With a checksum and one fixed length, no single damaged
byte makes another card. Without a checksum only what breaks the form is found, and the parity of a
Wiegand card finds one wrong bit. docs/operating.md says which settings make which format.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from edge.readers.frames import Fault, FaultKind, Frame, Reading
from edge.readers.line_pattern import LINE_BYTES_MAX
from edge.readers.wiegand import BITS, card_of_bits
from sync.credential import CredentialType

CR, LF = b"\r", b"\n"
HEX_DIGITS = b"0123456789ABCDEFabcdef"
DECIMAL_BYTES = 8
"""A decimal number is a card of 8 bytes, however many zeros were sent in front of it."""

USUAL_LENGTHS = frozenset({4, 5, 7, 8, 10})
"""UIDs of 4, 7 and 10 bytes, EM4100's 5, ISO 15693's 8."""


class Checksum(StrEnum):
    """What the last byte of a hexadecimal line is."""

    NONE = "none"
    XOR = "xor"
    SUM2C = "sum2c"
    """With it, the sum of all bytes is 0 modulo 256."""


class Content(StrEnum):
    """What the id in a line is."""

    HEX = "hex"
    DECIMAL = "decimal"
    W26 = "w26"
    """24 bits as 6 hex digits, or 26 with their parity: 7 hex digits, or 26 times 0 or 1."""

    COUNTED = "counted"
    """A byte with the number of bits, then the bits, filled up at the end to whole bytes."""


@dataclass(frozen=True, slots=True)
class LineFormat:
    """How a reader writes a card. `suffix` None: CR or LF, or both; empty lines mean nothing.

    `pattern` fits what stands between prefix and suffix; its group `id`, else its first group, else
    all of it is the id. None: all of it. `lengths`: bytes of a hexadecimal id, without a checksum.
    """

    prefix: bytes = b""
    suffix: bytes | None = None
    pattern: re.Pattern[str] | None = None
    content: Content = Content.HEX
    is_reversed: bool = False
    checksum: Checksum = Checksum.NONE
    lengths: frozenset[int] = USUAL_LENGTHS


class LineParser:
    """Finds lines in a byte stream. Keeps at most 72 bytes."""

    __slots__ = ("_format", "_kept", "_length", "_suffix")

    def __init__(self, line_format: LineFormat) -> None:
        self._format = line_format
        self._suffix = line_format.suffix or CR
        self._kept = b""
        self._length = 0  # of the unfinished line, with what was not kept of it

    def feed(self, data: bytes) -> list[Reading]:
        """The cards and faults that `data` completes, in order. Never raises."""
        if self._format.suffix is None:
            data = data.replace(LF, CR)
        found: list[Reading] = []
        stream, start, suffix = self._kept + data, 0, self._suffix
        unkept = self._length - len(self._kept)
        while (end := stream.find(suffix, start)) >= 0:
            length = unkept + end + len(suffix) - start
            found.extend(self._overlong(length))
            if length <= self._length_max:
                found.extend(self._judge(stream[start:end]))
            start, unkept, self._length = end + len(suffix), 0, 0
        found.extend(self._overlong(unkept + len(stream) - start))
        self._length = unkept + len(stream) - start
        is_lost = self._length > self._length_max
        self._kept = stream[max(start, len(stream) - len(suffix) + 1) if is_lost else start :]
        return found

    def reset(self) -> None:
        """Forgets an unfinished line."""
        self._kept = b""
        self._length = 0

    @property
    def _length_max(self) -> int:
        return LINE_BYTES_MAX + len(self._suffix)

    def _overlong(self, length: int) -> list[Reading]:
        """What is new to tell about a line that has become so long: a fault for each 64 bytes."""
        times = [-(-max(0, n - self._length_max) // LINE_BYTES_MAX) for n in (self._length, length)]
        return [Fault(FaultKind.LENGTH)] * (times[1] - times[0])

    def _judge(self, line: bytes) -> list[Reading]:
        """What a whole line says."""
        shape = self._format
        if not line and shape.suffix is None:
            return []
        if not line.startswith(shape.prefix) or not line.isascii():
            return [Fault(FaultKind.FORM)]
        body = line[len(shape.prefix) :]
        if shape.pattern is not None:
            match = shape.pattern.fullmatch(body.decode("ascii"))
            if match is None:
                return [Fault(FaultKind.FORM)]
            body = _id_in(match).encode("ascii")
        return [_READ[shape.content](body, shape)]


def _id_in(match: re.Match[str]) -> str:
    if "id" in match.re.groupindex:
        return match["id"] or ""
    return (match[1] or "") if match.re.groups else match[0]


def _hex(digits: bytes, shape: LineFormat) -> Reading:
    data = _bytes(digits)
    if isinstance(data, Fault):
        return data
    if shape.checksum is not Checksum.NONE:
        if _remainder(data, shape.checksum):
            return Fault(FaultKind.CHECKSUM)
        data = data[:-1]
    if len(data) not in shape.lengths:
        return Fault(FaultKind.LENGTH)
    return Frame(CredentialType.LINE, data[::-1] if shape.is_reversed else data)


def _decimal(digits: bytes, shape: LineFormat) -> Reading:
    del shape
    if not digits.isdigit():
        return Fault(FaultKind.CHARSET)
    number = int(digits)
    if number >> (8 * DECIMAL_BYTES):
        return Fault(FaultKind.LENGTH)
    return Frame(CredentialType.LINE, number.to_bytes(DECIMAL_BYTES, "big"))


def _w26(digits: bytes, shape: LineFormat) -> Reading:
    del shape
    if len(digits) == BITS:
        if digits.translate(None, b"01"):
            return Fault(FaultKind.CHARSET)
        return _card(int(digits, 2))
    if digits.translate(None, HEX_DIGITS):
        return Fault(FaultKind.CHARSET)
    match len(digits):
        case 6:
            return Frame(CredentialType.W26, bytes.fromhex(digits.decode("ascii")))
        case 7:
            return _card(int(digits, 16))
        case _:
            return Fault(FaultKind.LENGTH)


def _counted(digits: bytes, shape: LineFormat) -> Reading:
    """26 bits are a Wiegand card, whole bytes a number; other counts are refused."""
    data = _bytes(digits)
    if isinstance(data, Fault):
        return data
    bits, data = data[0], data[1:]
    if bits != BITS and (bits % 8 or bits // 8 not in shape.lengths):
        return Fault(FaultKind.LENGTH)
    if len(data) != -(-bits // 8):
        return Fault(FaultKind.LENGTH)
    if bits != BITS:
        return Frame(CredentialType.LINE, data)
    padded, filling = int.from_bytes(data, "big"), 8 * len(data) - BITS
    if padded & ((1 << filling) - 1):
        return Fault(FaultKind.CHECKSUM)
    return _card(padded >> filling)


_READ: Mapping[Content, Callable[[bytes, LineFormat], Reading]] = MappingProxyType(
    {
        Content.HEX: _hex,
        Content.DECIMAL: _decimal,
        Content.W26: _w26,
        Content.COUNTED: _counted,
    }
)


def _card(bits: int) -> Reading:
    card = card_of_bits(bits)
    return Fault(FaultKind.CHECKSUM) if card is None else Frame(CredentialType.W26, card)


def _bytes(digits: bytes) -> bytes | Fault:
    """At least one byte."""
    if digits.translate(None, HEX_DIGITS):
        return Fault(FaultKind.CHARSET)
    if not digits or len(digits) % 2:
        return Fault(FaultKind.LENGTH)
    return bytes.fromhex(digits.decode("ascii"))


def _remainder(data: bytes, checksum: Checksum) -> int:
    """0 if the last byte is the checksum of those before it."""
    if checksum is Checksum.SUM2C:
        return sum(data) % 256
    remainder = 0
    for byte in data:
        remainder ^= byte
    return remainder
