"""Messages that wait to be read: few, and never more than a few megabytes.

A broker that floods must not fill the memory of a controller. Of snapshots and keysets only the
newest counts, so only that is kept; of the small ones a limited number. One over the limit of its
kind is cut, so that whoever reads it refuses it as too large.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field

from sync.envelope import HEADER_BYTES_MAX, PAYLOAD_BYTES_MAX, Kind
from sync.signing import SIGNATURE_BYTES
from sync.topics import Leaf

SMALL_MAX = 64
"""Beacons, acknowledgements and commands that wait; the oldest gives way."""

KINDS = {
    Leaf.KEYS: Kind.KEYSET,
    Leaf.SNAPSHOT: Kind.SNAPSHOT,
    Leaf.BEACON: Kind.BEACON,
    Leaf.ACK: Kind.ACK,
    Leaf.COMMAND: Kind.COMMAND,
}
"""What goes down, and where."""

_NEWEST_ONLY = frozenset({Leaf.KEYS, Leaf.SNAPSHOT})


@dataclass(frozen=True, slots=True)
class Received:
    """A message as it came, not verified. `is_retained`: the broker had kept it."""

    leaf: Leaf
    data: bytes = field(repr=False)
    is_retained: bool


class Inbox:
    """Takes in without waiting, hands out in order."""

    def __init__(self) -> None:
        self._waiting = deque[Received]()
        self._filled = asyncio.Event()

    def put(self, received: Received) -> None:
        """Takes a message in; one that is of no use here is dropped."""
        kind = KINDS.get(received.leaf)
        if kind is None:
            return
        most = HEADER_BYTES_MAX + PAYLOAD_BYTES_MAX[kind] + SIGNATURE_BYTES
        if len(received.data) > most:
            received = Received(received.leaf, received.data[: most + 1], received.is_retained)
        if received.leaf in _NEWEST_ONLY:
            self._drop([other for other in self._waiting if other.leaf is received.leaf])
        else:
            small = [other for other in self._waiting if other.leaf not in _NEWEST_ONLY]
            self._drop(small[: max(0, len(small) + 1 - SMALL_MAX)])
        self._waiting.append(received)
        self._filled.set()

    async def take(self) -> Received:
        """The oldest message; waits for one."""
        await self._filled.wait()
        received = self._waiting.popleft()
        if not self._waiting:
            self._filled.clear()
        return received

    def _drop(self, some: list[Received]) -> None:
        for received in some:
            self._waiting.remove(received)
