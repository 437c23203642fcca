"""A PN532 behind a pseudo-terminal, as the chip behaves and not as its driver would like it to.

It sleeps until it is woken. Unless told otherwise it waits for a card for ever. A card that was
selected doesn't answer again until the field was off. It has its own idea of frames, written from
the manual and not from edge/readers/pn532_frames.py. Source: PN532 user manual (UM0701-02).
"""

import threading
import time
from dataclasses import dataclass

from tests.support.serial_line import SerialLine

ACK = bytes.fromhex("00 00 FF 00 FF 00")
SYNTAX_ERROR = bytes.fromhex("00 00 FF 01 FF 7F 81 00")


@dataclass(frozen=True)
class Card:
    """A card of ISO/IEC 14443 type A."""

    uid: bytes
    sens_res: bytes = bytes.fromhex("00 04")
    sel_res: int = 0x08
    ats: bytes = b""


CLASSIC = Card(bytes.fromhex("DE AD BE EF"))
DESFIRE = Card(
    bytes.fromhex("04 11 22 33 44 55 80"), b"\x03\x44", 0x20, bytes.fromhex("06 75 77 81 02 80")
)
TRIPLE = Card(bytes(range(0x10, 0x1A)), b"\x00\x84", 0x00)


def answer(*data: int) -> bytes:
    """An information frame from the chip: its length and its content each add up to 0."""
    body = bytes([0xD5, *data])
    length_check = (256 - len(body)) % 256
    data_check = (256 - sum(body) % 256) % 256
    return b"\x00\x00\xff" + bytes([len(body), length_check, *body, data_check]) + b"\x00"


class Pn532Chip:
    """Plugged in at `line.path`, powered, asleep."""

    def __init__(self) -> None:
        self.line = SerialLine()
        self.cards: list[Card] = []
        self.is_mute = False
        self.asked: list[int] = []  # codes of the commands that it understood
        self.power_up()
        self._ends = threading.Event()
        self._lock = threading.Lock()  # held while the line is used: it may be unplugged
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._thread.start()

    def power_up(self) -> None:
        """As after a loss of power: everything that it was told is forgotten."""
        self._is_awake = False
        self._retries_for_ever = True
        self._selected: list[Card] = []
        self._waits_for = 0  # cards to find before it answers; 0: it doesn't wait
        self._heard = b""

    def hold(self, *cards: Card) -> None:
        """These cards lie on it from now on, and no others."""
        self.cards = list(cards)

    def unplug(self) -> None:
        with self._lock:
            self.line.unplug()
            self.power_up()

    def plug_in(self) -> None:
        with self._lock:
            self.line.plug_in()

    def close(self) -> None:
        self._ends.set()
        self._thread.join()
        self.line.close()

    def _live(self) -> None:
        while not self._ends.is_set():
            with self._lock:
                if self.line.is_plugged_in:
                    self._heard += self.line.receive(seconds=0.005)
                    self._obey()
            time.sleep(0.001)

    def _obey(self) -> None:
        if not self._is_awake:
            woken = self._heard.find(b"\x55\x55")
            if woken < 0:
                self._heard = b""
                return
            self._is_awake = True
        self._selected = [card for card in self._selected if card in self.cards]
        if self._waits_for:
            self._list_targets(self._waits_for)
        while (start := self._heard.find(b"\x00\xff")) >= 0 and len(self._heard) >= start + 4:
            length, length_check = self._heard[start + 2], self._heard[start + 3]
            if (length, length_check) == (0, 0xFF):  # the host's ACK ends what is under way
                self._waits_for = 0
                self._heard = self._heard[start + 4 :]
                continue
            if (length + length_check) % 256 or not length:
                self._heard = self._heard[start + 1 :]
                continue
            if len(self._heard) < start + 4 + length + 1:
                return
            body = self._heard[start + 4 : start + 5 + length]
            self._heard = self._heard[start + 5 + length :]
            if sum(body) % 256 == 0 and body[0] == 0xD4:
                self._do(body[1], body[2:-1])

    def _do(self, code: int, data: bytes) -> None:
        self._waits_for = 0  # a new command ends the one before
        self.asked.append(code)
        if self.is_mute:
            return
        match code, data[:1]:
            case 0x14, b"\x01":
                self._send(ACK, answer(0x15))
            case 0x02, b"":
                self._send(ACK, answer(0x03, 0x32, 0x01, 0x06, 0x07))
            case 0x32, b"\x05":
                self._retries_for_ever = data[3] == 0xFF
                self._send(ACK, answer(0x33))
            case 0x32, b"\x01":
                if not data[1] & 1:
                    self._selected = []
                self._send(ACK, answer(0x33))
            case 0x4A, _:
                self._send(ACK)
                self._list_targets(data[0])
            case _:
                self._send(ACK, SYNTAX_ERROR)

    def _list_targets(self, most: int) -> None:
        found = [card for card in self.cards if card not in self._selected][:most]
        if not found and self._retries_for_ever:
            self._waits_for = most
            return
        self._waits_for = 0
        self._selected += found
        rows = b"".join(
            bytes([number, *card.sens_res, card.sel_res, len(card.uid)]) + card.uid + card.ats
            for number, card in enumerate(found, start=1)
        )
        self._send(answer(0x4B, len(found), *rows))

    def _send(self, *frames: bytes) -> None:
        self.line.send(b"".join(frames))
