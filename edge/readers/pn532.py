"""The conversation with a PN532 on a serial line: wake it, set it up, ask for cards for ever.

    wake up, SAMConfiguration → GetFirmwareVersion → MaxRetries → (rest → InListPassiveTarget)…

It is asked eight times a second, so each of its answers shows that it is there; every 5 s it has to
say that it is a PN532, too. A card that stays gives a frame each time: after each finding the field
is turned off, because a card that was selected answers no further request while it has power. One
command is under way at a time, and only its own acknowledged answer counts.

Source: PN532 user manual (UM0701-02), "Commands supported". With MaxRetries set, each of these is
acknowledged within 30 ms and answered within another 100.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from edge.readers.frames import Fault, FaultKind, Frame, Reading
from edge.readers.pn532_frames import Answer, Pn532Frames, Response, Signal, command
from sync.credential import LENGTHS, CredentialType

POLL_SECONDS = 0.125
PING_SECONDS = 5.0
ACK_SECONDS = 0.03
WAKE_SECONDS = 0.2
RESPONSE_SECONDS = 0.1
FAILURES_MAX = 3
BACKOFF_SECONDS_MIN = 0.25
BACKOFF_SECONDS_MAX = 8.0

PN532 = 0x32
TARGETS_MAX = 2
CASCADE_TAG = 0x88
"""Stands in front of the first three bytes of a longer UID. Source: ISO/IEC 14443-3, §6.5.4."""

SAK_UID_INCOMPLETE, SAK_HAS_ATS = 0x04, 0x20


class Exchange(StrEnum):
    """A command and its answer."""

    WAKE = "wake"
    VERSION = "version"
    RETRIES = "retries"
    POLL = "poll"
    FIELD_OFF = "field_off"


@dataclass(frozen=True, slots=True)
class Plan:
    """How an exchange goes. `is_answer`: whether the data of a response are what was asked for."""

    sent: bytes
    response: int
    is_answer: Callable[[bytes], bool]
    ack_seconds: float = ACK_SECONDS


def _is_empty(data: bytes) -> bool:
    return not data


def _is_pn532(data: bytes) -> bool:
    return len(data) == 4 and data[0] == PN532


def _is_any(data: bytes) -> bool:
    return len(data) > 0


WAKE_UP = b"\x55\x55" + bytes(12)
"""Wakes it out of any power-down; the zeros give it time. Source: UM0701-02, "HSU wake up"."""

PLANS: Mapping[Exchange, Plan] = MappingProxyType(
    {
        # SAMConfiguration, normal mode: the chip leaves "low battery".
        Exchange.WAKE: Plan(WAKE_UP + command(0x14, b"\x01"), 0x15, _is_empty, WAKE_SECONDS),
        Exchange.VERSION: Plan(command(0x02), 0x03, _is_pn532),
        # RFConfiguration, MaxRetries: without it the chip waits for a card for ever, silently.
        Exchange.RETRIES: Plan(command(0x32, b"\x05\xff\x01\x00"), 0x33, _is_empty),
        # InListPassiveTarget: one card of 106 kbit/s type A.
        Exchange.POLL: Plan(command(0x4A, b"\x01\x00"), 0x4B, _is_any),
        # RFConfiguration, RF field off; the next InListPassiveTarget turns it on again.
        Exchange.FIELD_OFF: Plan(command(0x32, b"\x01\x00"), 0x33, _is_empty),
    }
)


class Pn532Reader:
    """One PN532."""

    def __init__(self) -> None:
        self._frames = Pn532Frames()
        self._asked: Exchange | None = None  # None: at rest until _due
        self._is_acknowledged = False
        self._due: float | None = None
        self._outgoing = b""
        self._is_ready = False
        self._is_answering: bool | None = None
        self._failures = 0
        self._backoff = BACKOFF_SECONDS_MIN
        self._polled_at = float("-inf")
        self._said_version_at = float("-inf")

    @property
    def is_answering(self) -> bool | None:
        """Whether it works. None: it was not asked long enough to know."""
        return self._is_answering

    def begin(self, now: float) -> None:
        """Begins with waking it up."""
        self._is_answering = None
        self._failures = 0
        self._backoff = BACKOFF_SECONDS_MIN
        self._outgoing = b""
        self._ask(Exchange.WAKE, now)

    def feed(self, data: bytes, now: float) -> list[Reading]:
        """The cards that it found, and what was no sound answer."""
        return [
            reading for answer in self._frames.feed(data) for reading in self._hear(answer, now)
        ]

    def tick(self, now: float) -> list[Reading]:
        """Asks the next thing, or gives up waiting."""
        if self._due is None or now < self._due:
            return []
        if self._asked is not None:
            self._fail(now)
        elif not self._is_ready:
            self._ask(Exchange.WAKE, now)
        elif now - self._said_version_at >= PING_SECONDS:
            self._ask(Exchange.VERSION, now)
        else:
            self._polled_at = now
            self._ask(Exchange.POLL, now)
        return []

    def outgoing(self) -> bytes:
        """At most one command."""
        outgoing, self._outgoing = self._outgoing, b""
        return outgoing

    def due_at(self) -> float | None:
        """When it has to have answered, or is asked again. None: before the first beginning."""
        return self._due

    def _ask(self, exchange: Exchange, now: float) -> None:
        """What was on its way until now answers another question: it is forgotten."""
        self._frames.reset()
        self._asked, self._is_acknowledged = exchange, False
        if exchange is Exchange.WAKE:
            self._is_ready = False
        self._outgoing = PLANS[exchange].sent
        self._due = now + PLANS[exchange].ack_seconds

    def _rest(self, until: float) -> None:
        self._asked, self._due = None, until

    def _hear(self, answer: Answer, now: float) -> list[Reading]:
        match answer:
            case Fault():
                return [answer]
            case Signal.ACK if self._asked is not None and not self._is_acknowledged:
                self._is_acknowledged = True
                self._due = now + RESPONSE_SECONDS
                return []
            case Signal():
                if answer is not Signal.ACK and self._asked is not None:
                    self._fail(now)
                return [Fault(FaultKind.UNASKED)]
            case Response():
                return self._respond(answer, now)

    def _respond(self, response: Response, now: float) -> list[Reading]:
        asked = self._asked
        if asked is None or not self._is_acknowledged or response.code != PLANS[asked].response:
            return [Fault(FaultKind.UNASKED)]
        if not PLANS[asked].is_answer(response.data):
            self._fail(now)
            return [Fault(FaultKind.LENGTH)]
        self._failures = 0 if self._is_ready else self._failures
        readings: list[Reading] = []
        match asked:
            case Exchange.WAKE:
                self._ask(Exchange.VERSION, now)
            case Exchange.VERSION:
                self._said_version_at = now
                if self._is_ready:
                    self._rest(now)
                else:
                    self._ask(Exchange.RETRIES, now)
            case Exchange.RETRIES:
                self._is_ready = self._is_answering = True
                self._failures = 0
                self._backoff = BACKOFF_SECONDS_MIN
                self._rest(now)
            case Exchange.POLL:
                readings = read_targets(response.data)
                if readings:
                    self._ask(Exchange.FIELD_OFF, now)
                else:
                    self._rest(self._polled_at + POLL_SECONDS)
            case Exchange.FIELD_OFF:
                self._rest(self._polled_at + POLL_SECONDS)
        return readings

    def _fail(self, now: float) -> None:
        """It didn't answer, or not as it should: asked again, woken again, given time."""
        self._failures += 1
        if self._failures > FAILURES_MAX:
            self._is_answering = False
        if self._is_ready and self._failures < FAILURES_MAX:
            self._rest(now + POLL_SECONDS)
        elif self._is_ready:
            self._ask(Exchange.WAKE, now)
        else:
            self._rest(now + self._backoff)
            self._backoff = min(2 * self._backoff, BACKOFF_SECONDS_MAX)


def read_targets(data: bytes) -> list[Reading]:
    """The cards in the data of an InListPassiveTarget response; if it is unsound, one fault.

    Number of targets, and for each: its number, SENS_RES (2 bytes), SEL_RES, length of the UID,
    UID, and if SEL_RES says so its ATS, whose first byte is its own length.
    Source: UM0701-02, "InListPassiveTarget"; lengths of a UID: ISO/IEC 14443-3, §6.5.4.
    """
    if not data or data[0] > TARGETS_MAX:
        return [Fault(FaultKind.LENGTH)]
    cards: list[Reading] = []
    position = 1
    for number in range(1, data[0] + 1):
        head = data[position : position + 5]
        if len(head) < 5 or head[0] != number:
            return [Fault(FaultKind.LENGTH)]
        sak, length = head[3], head[4]
        uid = data[position + 5 : position + 5 + length]
        position += 5 + length
        if length not in LENGTHS[CredentialType.ISO14443A] or len(uid) < length:
            return [Fault(FaultKind.LENGTH)]
        if sak & SAK_UID_INCOMPLETE or uid[0] == CASCADE_TAG:
            return [Fault(FaultKind.FORM)]
        if sak & SAK_HAS_ATS and position < len(data):
            position += max(1, data[position])
        cards.append(Frame(CredentialType.ISO14443A, uid))
    return cards if position == len(data) else [Fault(FaultKind.LENGTH)]
