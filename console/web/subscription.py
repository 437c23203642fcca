"""One open page at the hub of what is live: what it has not got yet, and whether it is to end."""

import asyncio
from collections.abc import Mapping

from console.web.routing import Who
from console.words import Language


class Subscription:
    """One open page, and what it has not got yet: of each place the newest."""

    def __init__(
        self, audience: Who, language: Language, account_id: int, browser: bytes | None
    ) -> None:
        self.audience = audience
        self.language = language
        self.account_id = account_id
        self.browser = browser
        self.is_dropped = False
        self.is_paused = False
        """Whether it was dropped for newer pages of its browser."""
        self.is_doubtful = False
        """Whether its session may have ended."""
        self._news: dict[str, bytes] = {}
        self._has_news = asyncio.Event()

    async def next(self, *, seconds: float) -> bytes | None:
        """What is new, ready to be written; None: nothing in `seconds`, or the page was dropped."""
        try:
            async with asyncio.timeout(seconds):
                await self._has_news.wait()
        except TimeoutError:
            return None
        self._has_news.clear()
        news, self._news = self._news, {}
        return None if self.is_dropped else b"".join(news.values())

    def offer(self, news: Mapping[str, bytes]) -> None:
        """Events by the names of their places. One that was not taken yet makes room."""
        self._news.update(news)
        self._has_news.set()

    def doubt(self) -> None:
        """A session of its account has ended: perhaps this one."""
        self.is_doubtful = True
        self._has_news.set()

    def drop(self, *, is_paused: bool = False) -> None:
        """The page is to connect again; one that is paused, when it is looked at."""
        self.is_dropped = True
        self.is_paused = is_paused
        self._has_news.set()
