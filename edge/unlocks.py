"""Unlocks in progress: renews the lease of each relay until the unlock time is over.

Whether anybody may in is decided elsewhere, before. A relay goes off at the deadline even if this
process stands still, since the last lease ends exactly there.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from edge.lease import GrantId
from sync.ids import PointKey

RENEWAL_SECONDS = 0.175
"""Two renewals may be late or lost before a lease of 0.5 s ends."""

LEASE_SECONDS = 0.5
LAPSE_SECONDS = 0.05
"""A renewal that comes so shortly before the end of a lease may reach the guard too late."""


class Leasing(Protocol):
    """What edge/relays.py offers."""

    def lease(self, point: PointKey, grant_id: GrantId, until: float) -> bool:
        """Asks for the relay to be on until then. False: nobody could be asked."""
        ...

    def release(self, point: PointKey, grant_id: GrantId) -> bool:
        """Asks for the relay to be off, if it is on for this grant."""
        ...


class HoldsRelays(Leasing, Protocol):
    """The whole of it: the way to the guard."""

    def is_on(self, point: PointKey) -> bool | None:
        """What the guard said last; None: there is no guard."""
        ...

    async def until_ready(self) -> None:
        """Returns when a guard is there and has said of every relay how it is."""
        ...

    @property
    def ready(self) -> bool:
        """Whether a guard is there and has said of every relay how it is."""
        ...

    async def answers(self, seconds: float) -> bool:
        """Whether the guard does what it is told, within so many seconds."""
        ...

    async def run(self) -> None:
        """Keeps a guard running until cancelled; then all relays are off."""
        ...


@dataclass(slots=True)
class Unlock:
    """One point's unlock. Seconds of the loop's clock: `until` for all of it, `leased_until` for
    its last lease. `failures`: whom to tell if the relay never comes on.
    """

    grant_id: GrantId
    until: float
    leased_until: float = float("inf")
    failures: tuple[Callable[[], None], ...] = ()
    timer: asyncio.TimerHandle | None = None


class Unlocks:
    """At most one unlock for each point; a second grant replaces the first and its time."""

    def __init__(
        self,
        relays: Leasing,
        *,
        ended: Callable[[PointKey, GrantId], object],
        lapsed: Callable[[PointKey, GrantId], object] | None = None,
    ) -> None:
        """`ended` is called when an unlock's time is over, not when it is replaced or ended.

        `lapsed`: instead of going on after a standstill in which the relay went off, the unlock
        ends, and this is called. None: it goes on.
        """
        self._relays = relays
        self._ended = ended
        self._lapsed = lapsed
        self._unlocks: dict[PointKey, Unlock] = {}

    def grant_of(self, point: PointKey) -> GrantId | None:
        """What the point is unlocked for; None: it is not."""
        unlock = self._unlocks.get(point)
        return unlock.grant_id if unlock else None

    def begin(
        self,
        point: PointKey,
        grant_id: GrantId,
        seconds: float,
        *,
        failed: Callable[[], None] | None = None,
    ) -> bool:
        """Unlocks from now on for so long. The first lease is out when this returns.

        False: the guard couldn't be asked yet; it will be, again and again, until the time is over.
        True: `failed` is called when the unlock ends, if the relay was not on before then.
        """
        replaced = self._cancel(point)
        until = asyncio.get_running_loop().time() + seconds
        earlier = replaced.failures if replaced else ()
        failures = earlier if failed is None else (*earlier, failed)
        unlock = self._unlocks[point] = Unlock(grant_id, until, failures=failures)
        is_leased = self._renew(point)
        if not is_leased:
            unlock.failures = earlier
        return is_leased

    def confirm(self, point: PointKey) -> None:
        """The point's relay is on."""
        unlock = self._unlocks.get(point)
        if unlock is not None:
            unlock.failures = ()

    def shorten(self, point: PointKey, seconds: float) -> None:
        """Lets the point's unlock last so long from now on at most."""
        unlock = self._unlocks.get(point)
        if unlock is not None:
            until = min(unlock.until, asyncio.get_running_loop().time() + seconds)
            self._cancel(point)
            self._unlocks[point] = Unlock(unlock.grant_id, until, failures=unlock.failures)
            self._renew(point)

    def end(self, point: PointKey) -> None:
        """Ends the point's unlock now, if there is one."""
        unlock = self._cancel(point)
        if unlock is not None:
            self._relays.release(point, unlock.grant_id)
            for failed in unlock.failures:
                failed()

    def end_all(self) -> None:
        """Ends every unlock now."""
        for point in list(self._unlocks):
            self.end(point)

    def _renew(self, point: PointKey) -> bool:
        unlock = self._unlocks[point]
        loop = asyncio.get_running_loop()
        now = loop.time()
        if now >= unlock.until:
            self.end(point)
            self._ended(point, unlock.grant_id)
            return False
        if self._lapsed is not None and now > _lapse(unlock):
            self.end(point)
            self._lapsed(point, unlock.grant_id)
            return False
        unlock.leased_until = min(now + LEASE_SECONDS, unlock.until)
        unlock.timer = loop.call_at(min(now + RENEWAL_SECONDS, unlock.until), self._renew, point)
        return self._relays.lease(point, unlock.grant_id, unlock.leased_until)

    def _cancel(self, point: PointKey) -> Unlock | None:
        unlock = self._unlocks.pop(point, None)
        if unlock is not None and unlock.timer is not None:
            unlock.timer.cancel()
        return unlock


def _lapse(unlock: Unlock) -> float:
    """From when on the relay may have gone off in between; the last lease lasts until the end."""
    is_last = unlock.leased_until >= unlock.until
    return unlock.until if is_last else unlock.leased_until - LAPSE_SECONDS
