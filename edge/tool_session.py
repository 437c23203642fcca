"""Who has a tool, and what ends her session by the passing of time. What then happens is decided in
edge/workbench.py.
"""

import asyncio
from collections.abc import Callable

from edge.post import Grant
from edge.tool import ToolInput
from edge.tool_rules import Mode, ToolRules
from sync.credential import Credential
from sync.ids import MemberRef

GONE_SECONDS = 3.0
"""A card that was not read for so long was taken away."""


class ToolSession:
    """At most one at a time."""

    def __init__(
        self,
        rules: ToolRules,
        *,
        happen: Callable[[ToolInput], object],
        card_gone: Callable[[], None],
    ) -> None:
        """`happen` gets what has expired; `card_gone` is called when the user's card was taken
        away.
        """
        self._rules = rules
        self._happen = happen
        self._card_gone = card_gone
        self._grant: Grant | None = None
        self._seen_at = 0.0
        self._wait: asyncio.TimerHandle | None = None
        self._look: asyncio.TimerHandle | None = None
        self.ending: str | None = None
        """Why it ends when the motor stops; None: it doesn't."""

    @property
    def grant(self) -> Grant | None:
        """What it began with; None: nobody has the tool."""
        return self._grant

    @property
    def member(self) -> MemberRef | None:
        """Whose it is."""
        return self._grant.member if self._grant else None

    def begin(self, grant: Grant, *, ending: str | None = None) -> None:
        """From now on, or anew. `ending`: why it ends as soon as the motor stops."""
        loop = asyncio.get_running_loop()
        self._grant, self._seen_at, self.ending = grant, loop.time(), ending
        if self._rules.mode is Mode.CARD_PRESENT and self._look is None:
            self._look = loop.call_later(GONE_SECONDS, self._look_for_card)

    def seen(self, credential: Credential) -> None:
        """A card lies on the reader."""
        if self._grant is not None and self._grant.credential == credential:
            self._seen_at = asyncio.get_running_loop().time()

    def await_start(self) -> None:
        """The motor should start soon; without a sensor nobody can tell whether it has."""
        if self._rules.has_current:
            self._await(self._rules.start_seconds, ToolInput.START_EXPIRED)

    def await_idle(self) -> None:
        """The motor has stopped."""
        self._await(self._rules.idle_seconds, ToolInput.IDLE_EXPIRED)

    def await_nothing(self) -> None:
        """The motor runs."""
        if self._wait is not None:
            self._wait.cancel()
            self._wait = None

    def end(self) -> Grant | None:
        """It is over. What it began with; None: there was none."""
        self.await_nothing()
        if self._look is not None:
            self._look.cancel()
            self._look = None
        ended, self._grant, self.ending = self._grant, None, None
        return ended

    def _await(self, seconds: float, happened: ToolInput) -> None:
        self.await_nothing()
        self._wait = asyncio.get_running_loop().call_later(seconds, self._happen, happened)

    def _look_for_card(self) -> None:
        """Comes back at the moment when the card would have been away for too long."""
        loop = asyncio.get_running_loop()
        gone_at = self._seen_at + GONE_SECONDS
        if loop.time() < gone_at:
            self._look = loop.call_at(gone_at, self._look_for_card)
            return
        self._look = None
        self._card_gone()
