"""The inbound queue: bounded, and shared out fairly among the controllers.

Decides whose message is next and whose is dropped: senders take turns, and one that talks faster
than it is heard fills only its own lane. A dropped message is no loss: what matters is
acknowledged end to end and sent again.
"""

import asyncio
from collections import OrderedDict, deque

from msgspec import Struct

LANE_LENGTH = 64
"""Messages of one sender that may wait: 4 MB of full event batches (64 KB each)."""
MAX_MESSAGE_BYTES = 256 * 1024
"""A larger message is dropped: four times a full batch, and one lane stays below 16 MB. Another
broker than ours may pass on what no controller has reason to send."""
MAX_WAITING = 4096
"""Messages of all senders together."""


class Arrived(Struct, frozen=True):
    """A message from the broker. `retained`: it was kept by the broker, so it may be old."""

    topic: str
    payload: bytes
    retained: bool


class FairInbox:
    """Messages that wait to be read, one lane for each sender."""

    def __init__(self, *, lane_length: int = LANE_LENGTH, max_waiting: int = MAX_WAITING) -> None:
        """Limits in messages."""
        self._lane_length = lane_length
        self._max_waiting = max_waiting
        self._lanes: OrderedDict[str, deque[Arrived]] = OrderedDict()
        self._waiting = 0
        self._something = asyncio.Event()

    def __len__(self) -> int:
        return self._waiting

    def put(self, message: Arrived) -> bool:
        """Adds a message at the end of its sender's lane. False: no room or too large, dropped."""
        if len(message.payload) > MAX_MESSAGE_BYTES:
            return False
        sender = _sender(message.topic)
        lane = self._lanes.get(sender)
        if self._waiting >= self._max_waiting or (
            lane is not None and len(lane) >= self._lane_length
        ):
            return False
        if lane is None:
            lane = self._lanes[sender] = deque()
        lane.append(message)
        self._waiting += 1
        self._something.set()
        return True

    async def take(self) -> Arrived:
        """The next message: the oldest of the sender whose turn it is. Waits for one."""
        await self._something.wait()
        sender, lane = self._lanes.popitem(last=False)
        message = lane.popleft()
        if lane:
            self._lanes[sender] = lane
        self._waiting -= 1
        if not self._waiting:
            self._something.clear()
        return message


def _sender(name: str) -> str:
    """Prefix, version and controller of a topic."""
    return "/".join(name.split("/", 3)[:3])
