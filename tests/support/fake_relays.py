"""Does at once what a guard does, for tests of what leases relays."""

from collections.abc import Callable
from dataclasses import dataclass

from edge.lease import GrantId
from sync.ids import PointKey


@dataclass
class FakeRelays:
    """`changed` hears whether the relay is on, as from a guard. `on` None: the guard is gone."""

    on: bool | None = False
    until: float = 0.0
    grant: str | None = None
    changed: Callable[[bool], None] = lambda _is_on: None

    def is_on(self, point: PointKey) -> bool | None:
        del point
        return self.on

    def lease(self, point: PointKey, grant_id: GrantId, until: float) -> bool:
        del point
        if self.on is None:
            return False
        self.until, self.grant = until, grant_id
        self._turn(True)
        return True

    def release(self, point: PointKey, grant_id: GrantId) -> bool:
        del point
        if grant_id == self.grant and self.on is not None:
            self._turn(False)
        return self.on is not None

    async def run(self) -> None:
        pass

    @property
    def ready(self) -> bool:
        return self.on is not None

    async def answers(self, seconds: float) -> bool:
        del seconds
        return self.ready

    async def until_ready(self) -> None:
        pass

    def _turn(self, on: bool) -> None:
        is_changed, self.on = self.on is not on, on
        if is_changed:
            self.changed(on)
