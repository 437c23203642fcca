"""What tests/prove/fuzz.py fuzzes: protocols, and frames that other code than theirs wrote."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from types import MappingProxyType
from typing import Any, cast

from edge.readers.drivers import DRIVERS, DriverName
from edge.readers.frames import Fault, Frame, Reading
from edge.readers.line import USUAL_LENGTHS, Checksum, LineFormat, LineParser
from edge.readers.pn532 import Pn532Reader, read_targets
from edge.readers.pn532_frames import Pn532Frames, Response
from edge.readers.rdm6300 import Rdm6300Parser
from sync.credential import CredentialType
from tests.support.pn532_chip import ACK, answer
from tests.support.serial_line import frame

Feed = Callable[[bytes], list[Reading]]


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes on the wire. `card` None: garbage."""

    data: bytes
    card: Frame | None


@dataclass(frozen=True, slots=True)
class Subject:
    """A protocol. `lost_frames_max`: so many sound frames may go under after garbage.

    `is_stream` False: each piece answers a question, so that they can't be joined. `forms`: type
    and length of the cards of a protocol that doesn't find one damaged byte.
    """

    name: str
    feed: Callable[[], Feed]
    pieces: Callable[[Random, int], list[Piece]]
    finds_one_damaged_byte: bool = True
    is_stream: bool = True
    lost_frames_max: int = 0
    forms: frozenset[tuple[str, int]] = frozenset()


def kept_bytes(feed: Feed) -> int:
    """How many bytes the object behind `feed` keeps, in all its parts."""
    return _kept(getattr(feed, "__self__", feed))


def _kept(thing: Any) -> int:
    if isinstance(thing, bytes | bytearray | str):
        return len(thing)
    if not type(thing).__module__.startswith(("edge.readers", "tests.prove")):
        return 0
    slots = cast("tuple[str, ...]", getattr(thing, "__slots__", ()))
    parts = {**getattr(thing, "__dict__", {}), **{slot: getattr(thing, slot) for slot in slots}}
    return sum(_kept(part) for name, part in parts.items() if name != "_format")


def _numbers(chance: Random, count: int, size: int) -> list[bytes]:
    whole = chance.randbytes(count * size)
    return [whole[start : start + size] for start in range(0, len(whole), size)]


def rdm6300(chance: Random, count: int) -> list[Piece]:
    """Half of them as an ID-12LA would send them."""
    return [
        Piece(
            frame(number.hex(), "id12la" if number[0] % 2 else "rdm6300"),
            Frame(CredentialType.EM4100, number),
        )
        for number in _numbers(chance, count, 5)
    ]


def _line(number: bytes) -> Frame:
    return Frame(CredentialType.LINE, number)


def _inditag(chance: Random, count: int) -> list[Piece]:
    return [
        Piece(b":%b%02X\r\n" % (n.hex().upper().encode(), -sum(n) % 256), _line(n))
        for n in _numbers(chance, count, 5)
    ]


def _xor(chance: Random, count: int) -> list[Piece]:
    return [
        Piece(b"%b%02x\r" % (n.hex().encode(), n[0] ^ n[1] ^ n[2] ^ n[3]), _line(n[::-1]))
        for n in _numbers(chance, count, 4)
    ]


def _twn4(chance: Random, count: int) -> list[Piece]:
    lengths = sorted(USUAL_LENGTHS)
    numbers = [n[: lengths[n[0] % len(lengths)]] for n in _numbers(chance, count, 10)]
    return [Piece(n.hex().upper().encode() + b"\r", _line(n)) for n in numbers]


def _wiegand(number: bytes) -> int:
    card = int.from_bytes(number, "big")
    bits = f"{card:024b}"
    even, odd = bits[:12].count("1") % 2, 1 - bits[12:].count("1") % 2
    return even << 25 | card << 1 | odd


def _twn3(chance: Random, count: int) -> list[Piece]:
    return [
        Piece(b"1A%08X\r" % (_wiegand(n) << 6), Frame(CredentialType.W26, n))
        for n in _numbers(chance, count, 3)
    ]


def _w26(chance: Random, count: int) -> list[Piece]:
    shapes = (b"W26:%06X\r\n", b"26,%06X\n", b"W26:%07X\r\n")
    return [
        Piece(
            shapes[at] % (_wiegand(n) if at == 2 else int.from_bytes(n, "big")),
            Frame(CredentialType.W26, n),
        )
        for n in _numbers(chance, count, 3)
        for at in [n[0] % 3]
    ]


def _pn532(chance: Random, count: int) -> list[Piece]:
    """Answers with one card of 4, 7 or 10 bytes; the second has an ATS, too."""
    ats = bytes.fromhex("06 75 77 81 02 80")
    kinds = ((0x08, 4, b""), (0x20, 7, ats), (0x00, 10, b""))
    found: list[Piece] = []
    for number in _numbers(chance, count, 10):
        sak, length, rest = kinds[number[9] % 3]
        uid = bytes([number[0] & 0x77]) + number[1:length]  # none begins with the cascade tag
        data = answer(0x4B, 1, 1, 0, 4, sak, length, *uid, *rest)
        found.append(Piece(data, Frame(CredentialType.ISO14443A, uid)))
    return found


class _Frames:
    """The frames alone, without the conversation: each response is taken as a list of cards."""

    def __init__(self) -> None:
        self.frames = Pn532Frames()

    def feed(self, data: bytes) -> list[Reading]:
        found: list[Reading] = []
        for heard in self.frames.feed(data):
            if isinstance(heard, Response):
                found += read_targets(heard.data)
            elif isinstance(heard, Fault):
                found.append(heard)
        return found


_REPLIES = {
    bytes.fromhex("55 55" + "00" * 14 + "FF 03 FD D4 14 01 17 00"): ACK + answer(0x15),
    bytes.fromhex("00 00 FF 02 FE D4 02 2A 00"): ACK + answer(0x03, 0x32, 1, 6, 7),
    bytes.fromhex("00 00 FF 06 FA D4 32 05 FF 01 00 F5 00"): ACK + answer(0x33),
    bytes.fromhex("00 00 FF 04 FC D4 32 01 00 F9 00"): ACK + answer(0x33),
}
_POLL = bytes.fromhex("00 00 FF 04 FC D4 4A 01 00 E1 00")
_STEPS_MAX = 64


class _Conversation:
    """A PN532 that answers all that it is asked, and each poll with the bytes that are fed."""

    def __init__(self) -> None:
        self.reader = Pn532Reader()
        self._now = 0.0
        self.reader.begin(self._now)

    def feed(self, data: bytes) -> list[Reading]:
        for _ in range(_STEPS_MAX):
            said = self.reader.outgoing()
            if said == _POLL:
                return self.reader.feed(data, self._now)
            if said:
                self.reader.feed(_REPLIES[said], self._now)
                continue
            due = self.reader.due_at()
            assert due is not None
            self._now = max(due, self._now)
            self.reader.tick(self._now)
        raise AssertionError("it doesn't ask for cards any more")


def _acknowledged(chance: Random, count: int) -> list[Piece]:
    return [Piece(ACK + piece.data, piece.card) for piece in _pn532(chance, count)]


def _lines(name: DriverName) -> Callable[[], Feed]:
    def feed() -> Feed:
        line_format = DRIVERS[name].line
        assert line_format is not None
        return LineParser(line_format).feed

    return feed


XOR_LINES = LineFormat(checksum=Checksum.XOR, lengths=frozenset({4}), is_reversed=True)

SUBJECTS: Mapping[str, Subject] = MappingProxyType(
    {
        subject.name: subject
        for subject in (
            Subject("rdm6300", lambda: Rdm6300Parser().feed, rdm6300),
            Subject("inditag", _lines(DriverName.INDITAG), _inditag, lost_frames_max=1),
            Subject("line xor", lambda: LineParser(XOR_LINES).feed, _xor, lost_frames_max=1),
            Subject(
                "twn4",
                _lines(DriverName.TWN4),
                _twn4,
                finds_one_damaged_byte=False,
                lost_frames_max=1,
                forms=frozenset(("line", length) for length in USUAL_LENGTHS),
            ),
            Subject(
                "twn3",
                _lines(DriverName.TWN3),
                _twn3,
                finds_one_damaged_byte=False,
                lost_frames_max=1,
                forms=frozenset({("w26", 3)}),
            ),
            Subject(
                "w26",
                _lines(DriverName.W26),
                _w26,
                finds_one_damaged_byte=False,
                lost_frames_max=1,
                forms=frozenset({("w26", 3)}),
            ),
            # Garbage may announce the longest frame, and so swallow some short ones.
            Subject("pn532 frames", lambda: _Frames().feed, _pn532, lost_frames_max=14),
            Subject("pn532", lambda: _Conversation().feed, _acknowledged, is_stream=False),
        )
    }
)
