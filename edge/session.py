"""One connection to the broker while it is up, whoever makes it: edge/link.py, or a proof."""

from typing import Protocol

from edge.inbox import Received
from sync.topics import Leaf


class Session(Protocol):
    """A connection that is subscribed to everything for this controller."""

    async def publish(self, leaf: Leaf, data: bytes) -> None:
        """Returns when the broker has taken the message over. Raises: LinkLost."""
        ...

    async def next_message(self) -> Received:
        """The oldest message that nobody has read; waits for one."""
        ...

    async def take_in(self) -> None:
        """Takes messages in until the connection breaks. Raises: LinkLost."""
        ...
