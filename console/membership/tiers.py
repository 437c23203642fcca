"""Which memberships can be bought: asked of Stripe, and remembered for a while.

Decides how long the list is believed. Only a whole list is kept, never a part of one.
"""

import asyncio
import time
from collections.abc import Callable, Sequence

from console.membership.billing import StripeUnavailable, Tier
from console.membership.stripe_gateway import StripeGateway
from console.supervision import end

FRESH_SECONDS = 10 * 60
RETRY_SECONDS = 30
"""While Stripe is down, an old list is given so long before Stripe is asked again."""


class TierList:
    """The list, the dearest first. Whoever asks while it is being fetched waits for the same."""

    def __init__(
        self, gateway: StripeGateway, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._gateway = gateway
        self._clock = clock
        self._known: Sequence[Tier] | None = None
        self._fresh_until = 0.0
        self._fetching: asyncio.Task[Sequence[Tier]] | None = None

    async def current(self) -> Sequence[Tier]:
        """At most ten minutes old, but while Stripe is down. Raises: StripeUnavailable."""
        if self._known is not None and self._clock() < self._fresh_until:
            return self._known
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.create_task(self._fetch(), name="membership tiers")
        return await asyncio.shield(self._fetching)

    async def close(self) -> None:
        """Gives up what is being fetched."""
        if self._fetching is not None:
            await end(self._fetching)

    async def _fetch(self) -> Sequence[Tier]:
        try:
            tiers = await self._gateway.tiers()
        except StripeUnavailable:
            if self._known is None:
                raise
            self._fresh_until = self._clock() + RETRY_SECONDS
            return self._known
        self._known = sorted(tiers, key=lambda tier: (-tier.price, tier.name))
        self._fresh_until = self._clock() + FRESH_SECONDS
        return self._known
