"""When a reader is in trouble, and what of that is recorded: it is gone, silent, or sends rubbish,
or was not listened to.

None of it keeps anybody out: frames that are sound count, and commands go on. The clock (monotonic
seconds) is the caller's.
"""

from collections import deque
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

BAD_FRAMES = 50
"""So many within BAD_SECONDS are a fault: a loose cable, another speed, another driver."""

BAD_SECONDS = 10.0
TELL_SECONDS = 10.0
"""Between two events about the same trouble."""


class ReaderState(StrEnum):
    """What a status shows of a reader."""

    OPEN = "open"
    LOST = "lost"
    SILENT = "silent"


WORDS: Mapping[ReaderState, str] = MappingProxyType(
    {
        ReaderState.OPEN: "it is there again",
        ReaderState.LOST: "its port is missing or taken",
        ReaderState.SILENT: "it doesn't answer",
    }
)


class Trouble:
    """The troubles of one reader."""

    def __init__(self) -> None:
        self._latest = deque[float](maxlen=BAD_FRAMES)  # when the last bad frames came
        self._untold = 0
        self._bad_told_at: float | None = None  # None: not told, or told that it is over
        self._stood_still_seconds = 0.0
        self._stood_still_told_at = float("-inf")
        self._state_told = ReaderState.OPEN
        self._state_told_at = float("-inf")

    def note(self, bad_frames: int, now: float) -> None:
        """So many more frames were bad."""
        self._latest.extend([now] * min(bad_frames, BAD_FRAMES))
        self._untold += bad_frames

    def stood_still(self, seconds: float) -> None:
        """Nobody listened for so long, and what was read meanwhile is not answered."""
        self._stood_still_seconds = max(seconds, self._stood_still_seconds)

    def is_garbled(self, now: float) -> bool:
        """Whether so many frames were bad lately that it is a fault."""
        return len(self._latest) == BAD_FRAMES and now - self._latest[0] < BAD_SECONDS

    def news(self, state: ReaderState, now: float) -> list[str]:
        """What is to be recorded now, in words; each of them once."""
        return [
            *self._news_of_frames(now),
            *self._news_of_standstill(now),
            *self._news_of_state(state, now),
        ]

    def _news_of_frames(self, now: float) -> list[str]:
        told_at = self._bad_told_at
        if not self.is_garbled(now):
            if told_at is None:
                self._untold = min(self._untold, BAD_FRAMES)
                return []
            self._bad_told_at = None
            words = f"{self._untold} more bad frames, then sound again"
        elif told_at is None or now - told_at >= TELL_SECONDS:
            self._bad_told_at = now
            words = f"{self._untold} bad frames"
        else:
            return []
        self._untold = 0
        return [words]

    def _news_of_standstill(self, now: float) -> list[str]:
        seconds = self._stood_still_seconds
        if not seconds or now - self._stood_still_told_at < TELL_SECONDS:
            return []
        self._stood_still_seconds, self._stood_still_told_at = 0.0, now
        return [f"the controller stood still for {seconds:.0f} s: hold the card again"]

    def _news_of_state(self, state: ReaderState, now: float) -> list[str]:
        if state is self._state_told or now - self._state_told_at < TELL_SECONDS:
            return []
        self._state_told, self._state_told_at = state, now
        return [WORDS[state]]
