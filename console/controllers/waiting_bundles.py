"""Bundles that were made on a page, until whoever made them fetches them: once, and soon.

They are kept in memory only. One that nobody fetched is lost, and new keys are the remedy.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

from sync.bundle import Bundle
from sync.ids import ControllerId

KEPT_SECONDS = 15 * 60.0
KEPT_MAX = 20


@dataclass(frozen=True, slots=True)
class _Kept:
    bundle: Bundle = field(repr=False)
    account: int
    until: float


class WaitingBundles:
    """The newest bundle of each controller. Only whoever made it gets it."""

    def __init__(self, *, now: Callable[[], float]) -> None:
        """`now`: seconds of a clock that doesn't jump."""
        self._now = now
        self._kept: dict[ControllerId, _Kept] = {}

    def put(self, bundle: Bundle, *, account: int) -> None:
        """Keeps it; the oldest one gives way where there are too many."""
        self._kept.pop(bundle.controller, None)
        self._kept[bundle.controller] = _Kept(bundle, account, self._now() + KEPT_SECONDS)
        self._forget()
        while len(self._kept) > KEPT_MAX:
            del self._kept[next(iter(self._kept))]

    def drop(self, controller: ControllerId) -> None:
        """It is worth nothing any more."""
        self._kept.pop(controller, None)

    def waiting(self, controller: ControllerId, *, account: int) -> Bundle | None:
        """The one that she may fetch; None: there is none, or it was fetched."""
        self._forget()
        kept = self._kept.get(controller)
        return None if kept is None or kept.account != account else kept.bundle

    def take(self, controller: ControllerId, *, account: int) -> Bundle | None:
        """The same, for the last time."""
        bundle = self.waiting(controller, account=account)
        if bundle is not None:
            self.drop(controller)
        return bundle

    def _forget(self) -> None:
        now = self._now()
        for controller in [name for name, kept in self._kept.items() if kept.until <= now]:
            del self._kept[controller]


BUNDLES = web.AppKey("bundles", WaitingBundles)
