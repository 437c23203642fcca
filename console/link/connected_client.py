"""A client that the broker let in: its limits, and how messages are handed to it.

Decides how much one client may ask of the broker and how much may be under way to it. One that
takes more is dropped or slowed down; nobody else waits for it.
"""

# pyright: reportMissingTypeStubs=false
# amqtt is annotated but doesn't say so (no py.typed).

import asyncio
from dataclasses import dataclass, field

from amqtt.mqtt.publish import PublishPacket
from amqtt.session import Session

from console.link.amqtt_wire import Wire
from console.link.broker_access import Client, TheConsole

MAX_CONTROLLER_BYTES = 256 * 1024
"""A packet from a controller: four times a full batch of events (64 KB)."""
MAX_CONSOLE_BYTES = 4 * 1024 * 1024 + 512 * 1024
"""A packet from the console: a snapshot of 4 MiB with its envelope and topic."""
MAX_UNACKNOWLEDGED = 1024
"""QoS 1 messages under way to one client."""
PACKETS_PER_SECOND = 100.0
PACKETS_AT_ONCE = 400
"""A controller may send so many at once, then 100 a second: ten times what a busy door needs."""
SHORTEST_SILENCE_SECONDS = 10.0
LONGEST_SILENCE_SECONDS = 3600.0
"""For a client that asked for no keep-alive."""


class Pace:
    """How long a sender has to wait, so that it keeps to a rate after a first burst."""

    def __init__(self, per_second: float, burst: int) -> None:
        """Packets per second, and how many may come at once."""
        self._spacing = 1 / per_second
        self._burst_seconds = burst / per_second
        self._due = 0.0

    def wait_seconds(self, now: float) -> float:
        """Counts one packet at `now` (seconds, monotonic); 0 for one within the rate."""
        self._due = max(self._due, now) + self._spacing
        return max(0.0, self._due - now - self._burst_seconds)


@dataclass(eq=False, slots=True)
class ConnectedClient:
    """One connection of an admitted client."""

    id: str
    """MQTT's client id."""
    who: Client
    session: Session
    wire: Wire
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when it has left all tables."""
    pace: Pace = field(default_factory=lambda: Pace(PACKETS_PER_SECOND, PACKETS_AT_ONCE))
    _unacknowledged: set[int] = field(default_factory=set[int])
    _packet_id: int = 0

    @property
    def limit_bytes(self) -> int:
        """The largest packet that it may send."""
        return MAX_CONSOLE_BYTES if isinstance(self.who, TheConsole) else MAX_CONTROLLER_BYTES

    @property
    def silence_seconds(self) -> float:
        """How long it may say nothing. Source: MQTT 3.1.1 §3.1.2.10, 1.5 times the keep-alive."""
        if self.session.keep_alive <= 0:
            return LONGEST_SILENCE_SECONDS
        return max(SHORTEST_SILENCE_SECONDS, 1.5 * self.session.keep_alive)

    def wait_seconds(self, now: float) -> float:
        """How long to wait before its next packet is read; the console is never slowed down."""
        return 0.0 if isinstance(self.who, TheConsole) else self.pace.wait_seconds(now)

    def deliver(self, name: str, data: bytes, *, qos: int, retain: bool) -> None:
        """Sends a message and doesn't wait for its PUBACK.

        With clean sessions nothing is ever sent again (MQTT 3.1.1 §4.4), so the PUBACK only
        frees the packet id. A client that leaves too many unacknowledged is dropped.
        """
        packet_id = None
        if qos:
            if len(self._unacknowledged) >= MAX_UNACKNOWLEDGED:
                self.wire.abort()
                return
            packet_id = self._free_packet_id()
            self._unacknowledged.add(packet_id)
        packet = PublishPacket.build(name, data, packet_id, False, qos, retain)
        self.wire.write(packet.to_bytes())

    def acknowledged(self, packet_id: int) -> None:
        """It has received this message; an unknown id is ignored."""
        self._unacknowledged.discard(packet_id)

    def _free_packet_id(self) -> int:
        while True:
            self._packet_id = self._packet_id % 0xFFFF + 1
            if self._packet_id not in self._unacknowledged:
                return self._packet_id
