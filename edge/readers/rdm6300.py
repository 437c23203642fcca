"""The frames of RDM6300 and of ID-12LA and ID-20LA, which differ in one line end.

STX | 10 hex digits: version and number of an EM4100 card | 2 hex digits: XOR of the 5 bytes |
CR LF from the ID-xxLA only | ETX. 9600 baud, 8N1, no way to talk back.
Source: ID-12LA/ID-20LA datasheet, "Output data format - ASCII"; the RDM6300's is the same without
CR LF.

The XOR is weak, so everything else is strict. Only upper-case digits count: both readers send no
others, a lower-case letter is an upper-case one with a damaged bit 5, and with 22 characters
instead of 16 two damaged bytes would pass (22/16)² = 1.9 times as often. A reader that does send
lower case shows up as `charset` faults and never as a tap.

STX always begins a frame, so a whole frame is recognised after any garbage whatever.
"""

from edge.readers.frames import Fault, FaultKind, Frame, Reading, noise_faults
from sync.credential import CredentialType

STX = 0x02
ETX = 0x03
LINE_END = b"\r\n"
DIGITS = b"0123456789ABCDEF"
BODY_BYTES = 12
BODY_BYTES_MAX = BODY_BYTES + len(LINE_END)
FRAME_BYTES_MAX = BODY_BYTES_MAX + 2
"""16: STX, 12 digits, CR LF, ETX."""


class Rdm6300Parser:
    """Finds frames in a byte stream. Keeps at most 14 bytes."""

    __slots__ = ("_body", "_noise")

    def __init__(self) -> None:
        self._body: bytes | None = None  # what followed the last STX; None: no frame is open
        self._noise = 0  # bytes since the last frame ended

    def feed(self, data: bytes) -> list[Reading]:
        """The frames and faults that `data` completes, in order. Never raises."""
        found: list[Reading] = []
        position = 0
        while position < len(data):
            if self._body is None:
                position = self._skip_noise(data, position, found)
            else:
                position = self._read_body(self._body, data, position, found)
        return found

    def reset(self) -> None:
        """Forgets an unfinished frame."""
        self._body = None
        self._noise = 0

    def _skip_noise(self, data: bytes, position: int, found: list[Reading]) -> int:
        start = data.find(STX, position)
        end = len(data) if start < 0 else start
        told = noise_faults(self._noise)
        self._noise += end - position
        found.extend([Fault(FaultKind.NOISE)] * (noise_faults(self._noise) - told))
        if start < 0:
            return end
        self._body = b""
        return start + 1

    def _read_body(self, body: bytes, data: bytes, position: int, found: list[Reading]) -> int:
        piece = data[position : position + BODY_BYTES_MAX + 1 - len(body)]
        for index, byte in enumerate(piece):
            if byte == ETX:
                found.append(_judge(body + piece[:index]))
                self.reset()
                return position + index + 1
            if byte == STX:
                found.append(Fault(FaultKind.LENGTH))
                self._body = b""
                self._noise = 0
                return position + index + 1
        self._body = body + piece
        if len(self._body) > BODY_BYTES_MAX:
            found.append(Fault(FaultKind.LENGTH))
            self.reset()
        return position + len(piece)


def _judge(body: bytes) -> Reading:
    """What stood between STX and ETX."""
    digits = body.removesuffix(LINE_END)
    if len(digits) != BODY_BYTES:
        return Fault(FaultKind.LENGTH)
    if digits.translate(None, DIGITS):
        return Fault(FaultKind.CHARSET)
    *data, checksum = bytes.fromhex(digits.decode("ascii"))
    for byte in data:
        checksum ^= byte
    if checksum:
        return Fault(FaultKind.CHECKSUM)
    return Frame(CredentialType.EM4100, bytes(data))
