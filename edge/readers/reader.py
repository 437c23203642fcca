"""What edge/listening.py asks of a reader, whichever it is, and the bridge for one that only talks.

A reader is a conversation: bytes in, readings and bytes out, and a time at which it wants to go on
by itself. It is pure: the serial port belongs to edge/port.py, and the clock (monotonic seconds)
comes in with each call. What lights or a buzzer in the reader are to do leaves it by `outgoing`, as
everything else that the device is to hear; what a tamper switch tells is one more kind of reading.
"""

from typing import Protocol

from edge.readers.frames import Reading


class Parser(Protocol):
    """The protocol of a reader that only talks. Bounded memory, linear time, never raises."""

    def feed(self, data: bytes) -> list[Reading]:
        """What the bytes complete, in order; the same for any chunking of the same bytes."""
        ...

    def reset(self) -> None:
        """Forgets an unfinished frame: after the port was lost, what follows is another frame."""
        ...


class Reader(Protocol):
    """One reader. Bounded memory, linear time, and whatever it gets it never raises.

    After each call of `begin`, `feed` and `tick` the caller sends `outgoing()` and asks `due_at()`
    again.
    """

    def begin(self, now: float) -> None:
        """The port was opened, perhaps anew: nothing of what was said before counts any more."""
        ...

    def feed(self, data: bytes, now: float) -> list[Reading]:
        """What the bytes complete, in order. How they are cut into chunks makes no difference."""
        ...

    def tick(self, now: float) -> list[Reading]:
        """It is time to go on; too early a call does nothing."""
        ...

    def outgoing(self) -> bytes:
        """What is to be sent to the reader now; each byte is handed out once."""
        ...

    def due_at(self) -> float | None:
        """When `tick` is to be called; None: there is nothing to wait for."""
        ...

    @property
    def is_answering(self) -> bool | None:
        """Whether it is there and works. None: not known yet, or this reader can't be asked."""
        ...


class OneWay:
    """A reader that only talks: nothing to say to it, nothing to wait for, nobody to ask."""

    __slots__ = ("_parser",)

    def __init__(self, parser: Parser) -> None:
        self._parser = parser

    def begin(self, now: float) -> None:
        """Forgets an unfinished frame."""
        del now
        self._parser.reset()

    def feed(self, data: bytes, now: float) -> list[Reading]:
        """What the bytes complete, in order."""
        del now
        return self._parser.feed(data)

    def tick(self, now: float) -> list[Reading]:
        """Nothing ever happens by itself."""
        del now
        return []

    def outgoing(self) -> bytes:
        """Nothing."""
        return b""

    def due_at(self) -> float | None:
        """Never."""
        return None

    @property
    def is_answering(self) -> bool | None:
        """Nobody knows: it says nothing until a card comes."""
        return None
