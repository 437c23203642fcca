"""Slows down whoever tries one card number after the other. Pure; one `Throttle` for each reader.

Five denials within 10 s shut the reader for 2 s, and each further denial for twice as long as
before, up to a minute. While it is shut every card is denied: one that was let through would tell
the guesser that it is a good one. A quiet minute forgets everything.
"""

from collections import deque

DENIALS_MAX = 5
WITHIN_SECONDS = 10.0
SHUT_SECONDS_MIN = 2.0
SHUT_SECONDS_MAX = 60.0
FORGET_SECONDS = 60.0


class Throttle:
    """Counts denials. The clock is the caller's, in monotonic seconds."""

    __slots__ = ("_denied_at", "_shut_seconds", "_shut_until")

    def __init__(self) -> None:
        self._denied_at = deque[float](maxlen=DENIALS_MAX)
        self._shut_seconds = 0.0
        self._shut_until = float("-inf")

    def is_shut(self, now: float) -> bool:
        """Whether every card is denied now."""
        return now < self._shut_until

    def denied(self, now: float) -> None:
        """A card was denied by the rule: unknown, or without a right."""
        if now - self._shut_until > FORGET_SECONDS:
            self._shut_seconds = 0.0
        self._denied_at.append(now)
        is_many = len(self._denied_at) == DENIALS_MAX
        if self._shut_seconds or (is_many and now - self._denied_at[0] <= WITHIN_SECONDS):
            self._shut_seconds = min(
                max(SHUT_SECONDS_MIN, 2 * self._shut_seconds), SHUT_SECONDS_MAX
            )
            self._shut_until = now + self._shut_seconds
            self._denied_at.clear()

    def granted(self) -> None:
        """A good card: whoever it was is no guesser."""
        self._denied_at.clear()
        self._shut_seconds = 0.0
