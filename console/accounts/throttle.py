"""How often somebody may try a password in vain: per account and per network address.

Decides by counting the failures of the last minute, or another time; who tries, and what time it
is, is told to it. An attempt counts as failed from its beginning, so that a thousand at once are
not all let through before the first has failed.

Strangers who try keep nobody out who has been let in before: an address from which an account was
logged in has a count of its own for that account, and so has whoever is logged in.
"""

from collections import OrderedDict, deque

from msgspec import Struct

from console.web.requests import network_of

WINDOW_SECONDS = 60.0
KEYS_MAX = 20_000
"""Accounts and addresses remembered at a time; beyond it those longest untouched are forgotten."""


Key = tuple[str, ...]


class Attempt(Struct, frozen=True):
    """One that was let through, until `succeeded` says that it was no failure."""

    keys: tuple[Key, ...]
    at: float
    home: Key
    """The account and where it is tried from."""


class Wait(Struct, frozen=True):
    """Not now. `seconds`: how long until the next attempt is let through, at least."""

    seconds: float


class Throttle:
    """Failures by account and by address; `now` is any clock that never goes backwards, in s."""

    def __init__(self, *, failures_per_minute: int, window_seconds: float = WINDOW_SECONDS) -> None:
        """`window_seconds`: what is called a minute here."""
        self._limit = failures_per_minute
        self._window = window_seconds
        self._failures: OrderedDict[Key, deque[float]] = OrderedDict()
        self._homes: OrderedDict[Key, None] = OrderedDict()

    def attempt(
        self, *, account: str, address: str, now: float, is_own: bool = False
    ) -> Attempt | Wait:
        """Lets an attempt through, counted as a failure for now; or says how long to wait.

        `is_own`: whoever tries is logged in with that account.
        """
        name, network = _folded(account), network_of(address)
        home = ("home", name, network)
        keys: tuple[Key, ...] = (
            home if home in self._homes else ("account", name),
            ("address", network),
        )
        if is_own:
            keys = (("own", name),)
        wait = max(self._wait(key, now) for key in keys)
        if wait > 0:
            return Wait(wait)
        for key in keys:
            self._failures.setdefault(key, deque()).append(now)
            self._failures.move_to_end(key)
        while len(self._failures) > KEYS_MAX:
            self._failures.popitem(last=False)
        return Attempt(keys, now, home)

    def succeeded(self, attempt: Attempt) -> None:
        """Takes an attempt out of the count again, and remembers where it came from."""
        self.forgive(attempt)
        self._homes[attempt.home] = None
        self._homes.move_to_end(attempt.home)
        if len(self._homes) > KEYS_MAX:
            self._homes.popitem(last=False)

    def forgive(self, attempt: Attempt) -> None:
        """Takes an attempt out of the count again."""
        for key in attempt.keys:
            failures = self._failures.get(key)
            if failures is not None and attempt.at in failures:
                failures.remove(attempt.at)
                if not failures:
                    del self._failures[key]

    def _wait(self, key: Key, now: float) -> float:
        failures = self._failures.get(key)
        if failures is None:
            return 0.0
        while failures and failures[0] <= now - self._window:
            failures.popleft()
        if not failures:
            del self._failures[key]
            return 0.0
        if len(failures) < self._limit:
            return 0.0
        return failures[-self._limit] + self._window - now


def _folded(account: str) -> str:
    """One spelling for all that PostgreSQL's lower() finds the account by.

    The two differ in one letter: U+0130 is i there, and i with a combining dot here.
    """
    return account.lower().replace("i\u0307", "i")
