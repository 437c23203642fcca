"""What the broker tells about clients that it refused, without letting them fill the log."""

import asyncio

import structlog

from console.link.amqtt_wire import Wire
from sync.ids import NAME

QUIET_SECONDS = 10.0
"""Between two lines; what happens in between is counted."""

log = structlog.get_logger()


class Refusals:
    """Lets one line through in a while and counts the others."""

    def __init__(self) -> None:
        self._next = 0.0
        self._held_back = 0

    def note(self, wire: Wire, reason: str, user: str | None = None) -> None:
        """Tells of a refusal. A user name is told only if it could be a controller's."""
        now = asyncio.get_running_loop().time()
        if now < self._next:
            self._held_back += 1
            return
        self._next = now + QUIET_SECONDS
        not_logged, self._held_back = self._held_back, 0
        peer = wire.get_peer_info()
        log.warning(
            "client.refused",
            reason=reason,
            client=user if user is not None and NAME.fullmatch(user) else None,
            address=peer[0] if peer else None,
            not_logged=not_logged,
        )
