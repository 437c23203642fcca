"""One presentation of a card is one tap, however often the reader repeats it.

The readers say nothing when a card leaves, so a card is gone once it hasn't been read for a while.
Another card is never held back by this one. One `Repeats` for each reader; the clock is the
caller's.
"""

from edge.readers.frames import Frame

GONE_SECONDS = 1.5
"""A card not read for so long has left; its next frame is a new tap."""

CARDS_MAX = 128
"""More cards than 9600 baud can carry within GONE_SECONDS: a frame takes at least 14.58 ms."""


class Repeats:
    """The cards that lie on one reader now."""

    __slots__ = ("_last_read",)

    def __init__(self) -> None:
        self._last_read: dict[Frame, float] = {}  # oldest first

    def is_tap(self, frame: Frame, now: float) -> bool:
        """Whether this frame begins a presentation. `now`: monotonic seconds."""
        last = self._last_read.pop(frame, None)
        while self._last_read:
            oldest, read_at = next(iter(self._last_read.items()))
            if now - read_at < GONE_SECONDS and len(self._last_read) < CARDS_MAX:
                break
            del self._last_read[oldest]
        self._last_read[frame] = now
        return last is None or now - last >= GONE_SECONDS
