"""Asks the old door controller to unlock a door: the only file that speaks HTTP to it.

Decides how long it may take and what is tried again: a connection that failed, silence, a fault of
the controller's own. Trying twice may unlock twice, which only lasts longer.
Source: the contract of the old API, §7.
"""

import asyncio
import base64
import time
from collections.abc import Callable

import aiohttp
from msgspec import Struct
from yarl import URL

from console.settings import LegacySettings
from console.words import Text
from sync.ids import PointKey

TRY_SECONDS = 3.0
BUDGET_SECONDS = 10.0
"""All tries together."""
PAUSE_SECONDS = 0.1


class Failure(Struct, frozen=True):
    """Why a door did not open, as far as is known. `words` end a sentence that begins with it.

    `is_late`: it was asked and gave no answer, so it may have opened.
    """

    words: str
    is_late: bool = False


class _Tried(Struct, frozen=True):
    failure: Failure | None
    is_worth_another_try: bool = False


class Dlock:
    """The old door controller. Its connections are made when they are needed first."""

    def __init__(
        self,
        settings: LegacySettings,
        *,
        try_seconds: float = TRY_SECONDS,
        budget_seconds: float = BUDGET_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock`: monotonic seconds."""
        self._base = settings.dlock_url
        self._authorization = _basic(settings.dlock_username, settings.dlock_password)
        self._tries = 1 + settings.dlock_retries
        self._try_seconds = try_seconds
        self._budget_seconds = budget_seconds
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None

    async def unlock(self, door: PointKey, *, seconds: int) -> Failure | None:
        """Unlocks a door for so long; None: done. Takes at most 10 s."""
        if self._base is None:
            return Failure(Text("isn't configured: [legacy] dlock_url is missing in the settings"))
        path = f"doors/{door}/unlock"
        url = URL(f"{self._base.rstrip('/')}/{path}").with_user(None).with_query(duration=seconds)
        deadline = self._clock() + self._budget_seconds
        tried = await self._try(url, self._try_seconds)
        late = _late(tried)
        for _ in range(self._tries - 1):
            left = deadline - self._clock() - PAUSE_SECONDS
            if not tried.is_worth_another_try or left <= 0:
                break
            await asyncio.sleep(PAUSE_SECONDS)
            tried = await self._try(url, min(self._try_seconds, left))
            late = late or _late(tried)
        # What may have opened it is told, whatever became of the tries after it.
        return None if tried.failure is None else late or tried.failure

    async def close(self) -> None:
        """Ends its connections."""
        if self._session is not None:
            await self._session.close()

    async def _try(self, url: URL, seconds: float) -> _Tried:
        """Once. The words say nothing of what aiohttp says: that may quote the URL."""
        try:
            async with self._connections().post(
                url,
                headers={"Authorization": self._authorization},
                timeout=aiohttp.ClientTimeout(total=seconds),
                allow_redirects=False,
            ) as response:
                status = response.status
        except TimeoutError:
            words = Text(
                "did not answer within {seconds} s, so the door may have opened",
                seconds=round(seconds),
            )
            return _Tried(Failure(words, is_late=True), True)
        except aiohttp.ClientConnectorError:
            return _Tried(Failure(Text("can't be reached")), True)
        except (aiohttp.ClientConnectionError, OSError):
            return _Tried(Failure(Text("hung up, so the door may have opened"), is_late=True), True)
        except (aiohttp.ClientError, ValueError) as error:
            return _Tried(
                Failure(Text("did not answer as HTTP does ({error})", error=type(error).__name__)),
                True,
            )
        if 200 <= status < 300:
            return _Tried(None)
        return _Tried(Failure(Text("answered {status}", status=status)), status >= 500)

    def _connections(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                # A kept connection that it has closed meanwhile would look like a failure. How many
                # there are is for the caller: those of a slow door must not hold up another's.
                connector=aiohttp.TCPConnector(limit=0, force_close=True),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session


def _late(tried: _Tried) -> Failure | None:
    return tried.failure if tried.failure is not None and tried.failure.is_late else None


def _basic(username: str, password: str) -> str:
    pair = f"{username}:{password}".encode()
    return f"Basic {base64.b64encode(pair).decode()}"
