"""Passes what changes in the database on to every page that is open.

One connection listens to PostgreSQL; each hint is turned into page fragments once for each kind of
audience in each language. Those that differ from what was sent before are handed to the open pages.
A page that can't keep up misses what was replaced meanwhile, and gets what is true then. While
nobody listens to PostgreSQL no stream is open, so that no page claims to be live when it isn't.
What a fragment shows is for the features.
"""

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

import psycopg
import structlog
from msgspec import Struct
from psycopg import sql

from console.errors import Busy, DatabaseUnavailable
from console.supervision import end
from console.web.routing import Who
from console.web.server_sent import LiveMessage, encode
from console.web.subscription import Subscription
from console.web.template_sets import TemplateSets
from console.words import Language, Text

log = structlog.get_logger()

SESSION_CHANNEL = "access_session"
"""Whose session has ended, or who has left a circle, by account id: V002.026, V002.034."""
STREAMS_MAX = 1_000
STREAMS_PER_ACCOUNT_MAX = 12
STREAMS_PER_BROWSER_MAX = 3
"""A browser has six connections to a server that speaks HTTP/1.1, and needs some for its pages. The
page that has been open longest waits until it is looked at."""
STALE_SECONDS = 10
"""A page may show what was so some seconds before it was asked for, such as the alarms."""
HINTS_MAX = 200
"""More different hints at once than this are taken as "everything may have changed"."""
COALESCE_SECONDS = 0.05
"""Hints are gathered for so long, and for as long as the last sending took: at most half of the
time is spent on it, however many events come."""
CHECK_SECONDS = 30
"""How often a silent listening connection is asked whether it still lives."""
CHECK_ANSWER_SECONDS = 5
BACK_OFF_SECONDS_MAX = 10
PAUSE_SECONDS_MAX = 1


class LiveFragment(Struct, frozen=True):
    """A template with its context, for the places of a page that wait for `name`."""

    name: str
    template: str
    context: Mapping[str, object]


class LiveSource(Protocol):
    """What a feature shows live."""

    @property
    def channels(self) -> frozenset[str]:
        """The NOTIFY channels that it depends on."""
        ...

    async def fragments(
        self, audience: Who, changed: frozenset[str] | None
    ) -> Sequence[LiveFragment]:
        """The fragments that changed, as `audience` (MEMBER, FRONT_DESK or ADMIN) may see them.

        `changed`: payloads of the notifications; None means everything, as it is now.
        Raises: DatabaseUnavailable.
        """
        ...


class LiveHub:
    """The open pages and what feeds them. `run` must be running for pages to be live."""

    def __init__(
        self, conninfo: str, sources: Sequence[LiveSource], templates: TemplateSets
    ) -> None:
        self._conninfo = conninfo
        self._templates = templates
        self._sources = tuple(sources)
        self._subscriptions: dict[Subscription, None] = {}  # the oldest first
        self._is_listening = False
        self._pending: dict[int, set[str] | None] = {}
        self._has_pending = asyncio.Event()
        self._sent: dict[tuple[Who, Language, str], str] = {}
        self._turn = 0
        self._hinted_ms = self.now_ms
        self._looking = defaultdict[tuple[Who, Language], asyncio.Lock](asyncio.Lock)
        self._seen: dict[tuple[Who, Language], tuple[int, bytes]] = {}

    @property
    def is_listening(self) -> bool:
        """Whether pages can be live now."""
        return self._is_listening

    @property
    def streams(self) -> int:
        """How many pages are open."""
        return len(self._subscriptions)

    @property
    def now_ms(self) -> int:
        """By which a page says since when it is open."""
        return time.monotonic_ns() // 1_000_000

    def has_changed(self, *, since_ms: int) -> bool:
        """Whether a page that was asked for at that time may show what isn't so any more."""
        # A time to come is from before the machine was started anew.
        return not self._hinted_ms + 1_000 * STALE_SECONDS <= since_ms <= self.now_ms

    @contextmanager
    def subscribe(
        self, audience: Who, language: Language, account_id: int, browser: bytes | None = None
    ) -> Generator[Subscription]:
        """An open page, for as long as the context lasts. `browser`: whose it is, if that is known.

        Raises: Busy with too many of them; DatabaseUnavailable while nothing can be live.
        """
        if not self._is_listening:
            raise DatabaseUnavailable(Text("Live updates are off while PostgreSQL doesn't answer."))
        others = [each for each in self._subscriptions if browser and each.browser == browser]
        for other in others[: 1 - STREAMS_PER_BROWSER_MAX]:
            other.drop(is_paused=True)
            del self._subscriptions[other]
        own = sum(1 for each in self._subscriptions if each.account_id == account_id)
        if len(self._subscriptions) >= STREAMS_MAX or own >= STREAMS_PER_ACCOUNT_MAX:
            raise Busy(Text("Too many pages are open for live updates."))
        subscription = Subscription(audience, language, account_id, browser)
        self._subscriptions[subscription] = None
        try:
            yield subscription
        finally:
            self._subscriptions.pop(subscription, None)

    async def current(self, audience: Who, language: Language) -> bytes:
        """Everything as it is now: what a page gets first. Raises: DatabaseUnavailable.

        Of many pages that come at once, as after a restart, all but the first share one look.
        """
        self._turn += 1
        called, group = self._turn, (audience, language)
        async with self._looking[group]:
            began, chunk = self._seen.get(group, (0, b""))
            # What was read before this page was there may be older than its news.
            if began < called:
                self._turn += 1
                began = self._turn
                chunk = await self._everything(audience, language)
                self._seen[group] = (began, chunk)
            return chunk

    async def _everything(self, audience: Who, language: Language) -> bytes:
        messages = [
            self._said(fragment, language)
            for source in self._sources
            for fragment in await source.fragments(audience, None)
        ]
        for message in messages:
            # Not all pages have the same any more: the next one is sent, whatever it says.
            place = (audience, language, message.name)
            if self._sent.get(place) != message.html:
                self._sent.pop(place, None)
        return b"".join(map(encode, messages))

    async def run(self) -> None:
        """Listens until cancelled; connects again after a pause when the connection is lost."""
        failures = 0
        while True:
            try:
                async with await self._connect() as conn:
                    failures = 0
                    log.info("live.connected")
                    await self._listen(conn)
            except (psycopg.OperationalError, TimeoutError) as error:
                failures += 1
                log.warning("live.lost", error=type(error).__name__, failures=failures)
            finally:
                self.close()
            ceiling = min(BACK_OFF_SECONDS_MAX, 0.25 * 2 ** min(failures, 8))
            await asyncio.sleep(random.uniform(0.1, ceiling))  # noqa: S311 jitter, not a secret

    def close(self) -> None:
        """Drops every page; they connect again by themselves."""
        self._is_listening = False
        self._hinted_ms = self.now_ms
        self._sent.clear()
        for subscription in self._subscriptions:
            subscription.drop()

    async def _connect(self) -> psycopg.AsyncConnection:
        conn = await psycopg.AsyncConnection.connect(
            self._conninfo, autocommit=True, connect_timeout=CHECK_ANSWER_SECONDS
        )
        shown = set[str]().union(*(source.channels for source in self._sources))
        for channel in sorted({*shown, SESSION_CHANNEL}):
            await conn.execute(sql.SQL("listen {}").format(sql.Identifier(channel)))
        return conn

    async def _listen(self, conn: psycopg.AsyncConnection) -> None:
        publisher = asyncio.create_task(self._publish(), name="live publisher")
        self._is_listening = True
        try:
            while True:
                async for notification in conn.notifies(timeout=CHECK_SECONDS):
                    self._hint(notification.channel, notification.payload)
                async with asyncio.timeout(CHECK_ANSWER_SECONDS):
                    await conn.execute("select 1")
        finally:
            await end(publisher)

    def _hint(self, channel: str, payload: str) -> None:
        if channel == SESSION_CHANNEL:
            for subscription in self._subscriptions:
                if str(subscription.account_id) == payload:
                    subscription.doubt()
            return
        self._hinted_ms = self.now_ms
        for index, source in enumerate(self._sources):
            if channel not in source.channels:
                continue
            hints = self._pending.setdefault(index, set())
            if hints is not None:
                hints.add(payload)
                if len(hints) > HINTS_MAX:
                    self._pending[index] = None
        self._has_pending.set()

    async def _publish(self) -> None:
        clock, took_seconds = asyncio.get_running_loop().time, 0.0
        while True:
            await self._has_pending.wait()
            await asyncio.sleep(max(COALESCE_SECONDS, took_seconds))
            pending, self._pending = self._pending, {}
            self._has_pending.clear()
            began = clock()
            try:
                await self._fan_out(pending)
            except DatabaseUnavailable:
                self.close()  # pages connect again and get everything then
                self._is_listening = True
            except Exception:
                log.exception("live.failed")
            took_seconds = min(PAUSE_SECONDS_MAX, clock() - began)

    async def _fan_out(self, pending: dict[int, set[str] | None]) -> None:
        # Who comes later gets the next one, whatever was sent to those who are gone.
        groups = {(each.audience, each.language) for each in self._subscriptions}
        self._sent = {place: html for place, html in self._sent.items() if place[:2] in groups}
        for audience in {each.audience for each in self._subscriptions}:
            fragments: list[LiveFragment] = []
            for index, hints in pending.items():
                changed = None if hints is None else frozenset(hints)
                fragments += await self._sources[index].fragments(audience, changed)
            news: dict[Language, dict[str, bytes]] = {}
            for subscription in self._subscriptions:
                if subscription.audience is audience:
                    language = subscription.language
                    if language not in news:
                        news[language] = self._news(fragments, audience, language)
                    if news[language]:
                        subscription.offer(news[language])

    def _news(
        self, fragments: Sequence[LiveFragment], audience: Who, language: Language
    ) -> dict[str, bytes]:
        """Those that say something else than before, by the names of their places."""
        news: dict[str, bytes] = {}
        for fragment in fragments:
            message = self._said(fragment, language)
            place = (audience, language, message.name)
            if self._sent.get(place) != message.html:
                self._sent[place] = message.html
                news[message.name] = encode(message)
        return news

    def _said(self, fragment: LiveFragment, language: Language) -> LiveMessage:
        text = self._templates.text(language, fragment.template, fragment.context)
        return LiveMessage(fragment.name, text)
