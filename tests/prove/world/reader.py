"""A card reader on its serial line: frames in pieces, repeats, garbage, and a plug.

What the bytes mean is found out a second time here, with a regular expression, so that the world
knows which cards were really read.
"""

import re
from collections import deque
from collections.abc import Callable
from random import Random

from edge.listening import Hears
from edge.port import PortState
from tests.prove.world.loop import VirtualLoop
from tests.prove.world.timeline import NS, Timeline

BYTE_SECONDS = 10 / 9600
REPEAT_SECONDS = 0.065
"""As long as a card lies on an RDM6300, it is sent again so often."""

RETRY_SECONDS_MAX = 8.0
FRAME = re.compile(rb"\x02([0-9A-F]{10})([0-9A-F]{2})(?:\r\n)?\x03")


def frame(card: str, *, has_line_end: bool = False) -> bytes:
    """What a reader sends for a card of ten hex digits."""
    checksum = 0
    for byte in bytes.fromhex(card):
        checksum ^= byte
    return b"\x02" + f"{card}{checksum:02X}".encode() + b"\r\n" * has_line_end + b"\x03"


class VirtualPort:
    """What edge/port.py is to the daemon; it belongs to one start of it."""

    def __init__(self, reader: "CardReader", loop: VirtualLoop, hears: Hears) -> None:
        self._reader = reader
        self._loop = loop
        self._hears = hears
        self._backoff = 0.25
        self._unread = deque[bytes]()
        self.state = PortState.CLOSED

    def open(self) -> None:
        if self.state is PortState.CLOSED:
            self._try()

    def close(self) -> None:
        self.state = PortState.CLOSED
        self._reader.closed(self)

    def write(self, data: bytes) -> None:
        """These readers don't listen."""

    def take(self, data: bytes) -> None:
        """Bytes have come."""
        if not self._loop.is_dead:
            self._unread.append(data)
            self._loop.call_soon(self._hand_over)

    def discard(self) -> None:
        self._unread.clear()

    def hang_up(self) -> None:
        if not self._loop.is_dead:
            self._loop.call_soon(self._hung_up)

    def _hung_up(self) -> None:
        if self.state is PortState.OPEN:
            self._lose()

    def _hand_over(self) -> None:
        data = self._unread.popleft() if self._unread else b""
        if data and self.state is PortState.OPEN:
            self._backoff = 0.25
            self._hears.hear(data)

    def _try(self) -> None:
        if self._reader.opened(self):
            self.state = PortState.OPEN
            self._hears.begin()
        else:
            self._lose()

    def _lose(self) -> None:
        was, self.state = self.state, PortState.LOST
        self._loop.call_later(self._backoff, self._retry)
        self._backoff = min(2 * self._backoff, RETRY_SECONDS_MAX)
        if was is not PortState.LOST:
            self._hears.lose()

    def _retry(self) -> None:
        if self.state is PortState.LOST and not self._loop.is_dead:
            self._try()


class CardReader:
    """One reader of one point. It outlives the controller's starts."""

    def __init__(self, timeline: Timeline, random: Random, read: Callable[[str], None]) -> None:
        """`read` is called with a card's number when the last byte of a whole frame has come."""
        self._timeline = timeline
        self._random = random
        self._read = read
        self._port: VirtualPort | None = None
        self._line = b""
        self._free_ns = 0
        self._is_plugged = True

    # What a port asks.

    def opened(self, port: VirtualPort) -> bool:
        if self._is_plugged:
            self._port = port
            self._line = b""
        return self._is_plugged

    def closed(self, port: VirtualPort) -> None:
        if self._port is port:
            self._port = None

    def abandon(self) -> None:
        """Whoever had it open is gone."""
        self._port = None

    @property
    def is_open(self) -> bool:
        return self._port is not None and self._port.state is PortState.OPEN

    # What befalls it.

    def send(self, data: bytes) -> None:
        """Puts bytes on the line, in pieces, at 9600 baud, after what is on it already."""
        start = 0
        when = max(self._timeline.now_ns, self._free_ns)
        while start < len(data):
            size = self._random.choice([1, 3, len(data), len(data)])
            piece = data[start : start + size]
            start += size
            when += int(len(piece) * BYTE_SECONDS * NS)
            self._timeline.at(when, lambda piece=piece: self._arrive(piece))
        self._free_ns = when

    def hold(self, card: str, seconds: float) -> None:
        """A card lies on the reader for so long, and is sent again and again."""
        end_ns = self._timeline.now_ns + int(seconds * NS)

        def again() -> None:
            self.send(frame(card))
            if self._timeline.now_ns + REPEAT_SECONDS * NS <= end_ns:
                self._timeline.after(REPEAT_SECONDS, again)

        again()

    def unplug(self) -> None:
        self._is_plugged = False
        port, self._port = self._port, None
        if port is not None:
            port.hang_up()

    def plug_in(self) -> None:
        self._is_plugged = True

    def _arrive(self, piece: bytes) -> None:
        port = self._port
        if port is None or not self._is_plugged or port.state is not PortState.OPEN:
            return
        port.take(piece)
        self._line += piece
        while found := FRAME.search(self._line):
            self._line = self._line[found.end() :]
            card, checksum = found.group(1).decode(), int(found.group(2), 16)
            for byte in bytes.fromhex(card):
                checksum ^= byte
            if checksum == 0:
                self._read(card)
        self._line = self._line[-32:]
