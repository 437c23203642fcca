"""One presentation of a card is one tap, however often the reader repeats it.

The readers say nothing when a card leaves, so a card is gone once it hasn't been read for a while.
Another card is never held back by this one. One `Repeats` for each reader; the clock is the
caller's.
"""

from edge.readers.frames import Frame
from sync.credential import RANDOM_UID, Credential, CredentialType

GONE_SECONDS = 1.5
"""A card not read for so long has left; its next frame is a new tap."""

TWICE_SECONDS = 0.3
"""Readers that repeat send a card some seven times within it; a damaged frame comes once."""

CARDS_MAX = 128
"""More cards than 9600 baud can carry within GONE_SECONDS: a frame takes at least 14.58 ms. Whoever
sends more on a faster line gets a second tap for a card, and nothing else.
"""

_RANDOM = Frame(CredentialType.ISO14443A, bytes([RANDOM_UID, 0, 0, 0]))


class Repeats:
    """The cards that lie on one reader now."""

    __slots__ = ("_last_read",)

    def __init__(self) -> None:
        self._last_read: dict[Frame, float] = {}  # oldest first

    def is_tap(self, frame: Frame, now: float) -> bool:
        """Whether this frame begins a presentation. `now`: monotonic seconds."""
        last = _read(self._last_read, frame, now, forget_seconds=GONE_SECONDS)
        return last is None or now - last >= GONE_SECONDS


class Twice:
    """Lets a card pass that was read twice, as a reader that repeats does by itself."""

    __slots__ = ("_last_read",)

    def __init__(self) -> None:
        self._last_read: dict[Frame, float] = {}  # oldest first

    def is_second(self, frame: Frame, now: float) -> bool:
        """Whether the same frame was read shortly before. `now`: monotonic seconds."""
        last = _read(self._last_read, frame, now, forget_seconds=TWICE_SECONDS)
        return last is not None and now - last < TWICE_SECONDS


def _read(
    last_read: dict[Frame, float], frame: Frame, now: float, *, forget_seconds: float
) -> float | None:
    """Notes a frame, and forgets old ones. When it was read before; None: not lately.

    All random UIDs are one card: a phone makes up another whenever the reader's field comes back.
    """
    if Credential(frame.credential_type, frame.data).is_random:
        frame = _RANDOM
    last = last_read.pop(frame, None)
    while last_read:
        oldest, read_at = next(iter(last_read.items()))
        if now - read_at < forget_seconds and len(last_read) < CARDS_MAX:
            break
        del last_read[oldest]
    last_read[frame] = now
    return last
