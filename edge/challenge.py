"""The nonces of this boot: what proves that a beacon or a command was made a moment ago.

A new one is drawn every 10 s and after each command; each is good for 20 s of monotonic time. Only
the first beacon that echoes a nonce tells the time: the console answers every report, so that more
of them are nothing strange, but a replayed one must not be believed again. Commands spend nothing
here: two openings in one second carry the same nonce, and their counters keep each from being
executed twice (edge/accept.py). Drawing nonces is left to edge/uplink.py.
"""

from sync.errors import Stale
from sync.ids import Nonce

RENEW_MS = 10_000
VALID_MS = 20_000
NONCES_MAX = 64
"""More than are drawn within VALID_MS, unless commands come faster than three in a second."""


class Challenges:
    """The recent nonces. All times are monotonic milliseconds."""

    def __init__(self, first: Nonce, mono_ms: int) -> None:
        """`first` is the nonce of the hello."""
        self._issued: dict[Nonce, int] = {first: mono_ms}  # oldest first
        self._echoed: set[Nonce] = set()
        self._current = first

    @property
    def current(self) -> Nonce:
        """The nonce to report."""
        return self._current

    def renew(self, nonce: Nonce, mono_ms: int) -> None:
        """Goes over to a fresh nonce; the earlier ones stay good for as long as they are."""
        while self._issued:
            oldest, issued_ms = next(iter(self._issued.items()))
            if mono_ms - issued_ms <= VALID_MS and len(self._issued) < NONCES_MAX:
                break
            del self._issued[oldest]
            self._echoed.discard(oldest)
        self._issued[nonce] = mono_ms
        self._current = nonce

    def next_renewal_ms(self) -> int:
        """When the current nonce is due to be replaced."""
        return self._issued[self._current] + RENEW_MS

    def asked_ms(self, nonce: Nonce) -> int | None:
        """When the nonce was drawn; None: not by this controller, or too long ago."""
        return self._issued.get(nonce)

    def is_fresh(self, nonce: Nonce, mono_ms: int) -> bool:
        """Whether this controller drew the nonce, and not too long ago."""
        issued_ms = self._issued.get(nonce)
        return issued_ms is not None and mono_ms - issued_ms <= VALID_MS

    def spend_on_beacon(self, nonce: Nonce, mono_ms: int) -> bool:
        """Whether this is the first beacon that echoes the nonce. Raises: Stale."""
        if not self.is_fresh(nonce, mono_ms):
            raise Stale("the beacon echoes no recent nonce of this controller")
        is_first = nonce not in self._echoed
        self._echoed.add(nonce)
        return is_first
