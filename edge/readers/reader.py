"""What the entrance asks of a reader's protocol, whichever reader it is.

A protocol is pure: the serial port belongs to edge/port.py, the clock to nobody here.
"""

from typing import Protocol

from edge.readers.frames import Reading


class Reader(Protocol):
    """One reader's protocol. Bounded memory, time linear in the bytes, and it never raises."""

    def feed(self, data: bytes) -> list[Reading]:
        """What the bytes complete, in order; the same for any chunking of the same bytes."""
        ...

    def reset(self) -> None:
        """Forgets an unfinished frame: after the port was lost, what follows is another frame."""
        ...
