"""Passes what changes in the database on to every page that is open.

One connection listens to PostgreSQL; each hint is turned into page fragments once for each kind of
audience in each language, and handed to the open pages through bounded queues. A page that can't
keep up is dropped: it connects again and gets everything as it is then. While nobody listens to
PostgreSQL no stream is open, so that no page claims to be live when it isn't. What a fragment shows
is for the features.
"""

import asyncio
import random
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import psycopg
import structlog
from psycopg import sql

from console.errors import Busy, DatabaseUnavailable
from console.supervision import end
from console.web.routing import Who
from console.web.template_sets import TemplateSets
from console.words import Language, Text

log = structlog.get_logger()

QUEUE_MESSAGES_MAX = 50
STREAMS_MAX = 400
STREAMS_PER_ACCOUNT_MAX = 12
HINTS_MAX = 200
"""More different hints at once than this are taken as "everything may have changed"."""
COALESCE_SECONDS = 0.05
CHECK_SECONDS = 30
"""How often a silent listening connection is asked whether it still lives."""
CHECK_ANSWER_SECONDS = 5
BACK_OFF_SECONDS_MAX = 10


@dataclass(frozen=True, slots=True)
class LiveFragment:
    """A template with its context, for the places of a page that wait for `name`."""

    name: str
    template: str
    context: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class LiveMessage:
    """A fragment for the places of a page that wait for `name` (`sse-swap="name"`)."""

    name: str
    html: str


class LiveSource(Protocol):
    """What a feature shows live."""

    @property
    def channels(self) -> frozenset[str]:
        """The NOTIFY channels that it depends on."""
        ...

    async def fragments(
        self, audience: Who, changed: frozenset[str] | None
    ) -> Sequence[LiveFragment]:
        """The fragments that changed, as `audience` (MEMBER or ADMIN) may see them.

        `changed`: payloads of the notifications; None means everything, as it is now.
        Raises: DatabaseUnavailable.
        """
        ...


@dataclass(eq=False, slots=True)
class Subscription:
    """One open page."""

    audience: Who
    language: Language
    account_id: int
    queue: asyncio.Queue[LiveMessage] = field(
        default_factory=lambda: asyncio.Queue(QUEUE_MESSAGES_MAX)
    )
    dropped: asyncio.Event = field(default_factory=asyncio.Event)

    async def next(self, *, seconds: float) -> LiveMessage | None:
        """The next message; None when none came in `seconds`, or when the page was dropped."""
        getting = asyncio.ensure_future(self.queue.get())
        dropping = asyncio.ensure_future(self.dropped.wait())
        try:
            await asyncio.wait(
                {getting, dropping}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
            )
            return getting.result() if getting.done() and not self.dropped.is_set() else None
        finally:
            getting.cancel()
            dropping.cancel()

    def offer(self, message: LiveMessage) -> None:
        """Queues a message, or drops the page when its queue is full."""
        try:
            self.queue.put_nowait(message)
        except asyncio.QueueFull:
            self.dropped.set()


class LiveHub:
    """The open pages and what feeds them. `run` must be running for pages to be live."""

    def __init__(
        self, conninfo: str, sources: Sequence[LiveSource], templates: TemplateSets
    ) -> None:
        self._conninfo = conninfo
        self._templates = templates
        self._sources = tuple(sources)
        self._subscriptions: set[Subscription] = set()
        self._is_listening = False
        self._pending: dict[int, set[str] | None] = {}
        self._has_pending = asyncio.Event()

    @property
    def is_listening(self) -> bool:
        """Whether pages can be live now."""
        return self._is_listening

    @property
    def streams(self) -> int:
        """How many pages are open."""
        return len(self._subscriptions)

    @contextmanager
    def subscribe(
        self, audience: Who, language: Language, account_id: int
    ) -> Generator[Subscription]:
        """An open page, for as long as the context lasts.

        Raises: Busy with too many of them; DatabaseUnavailable while nothing can be live.
        """
        if not self._is_listening:
            raise DatabaseUnavailable(Text("Live updates are off while PostgreSQL doesn't answer."))
        own = sum(1 for each in self._subscriptions if each.account_id == account_id)
        if len(self._subscriptions) >= STREAMS_MAX or own >= STREAMS_PER_ACCOUNT_MAX:
            raise Busy(Text("Too many pages are open for live updates."))
        subscription = Subscription(audience, language, account_id)
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    async def current(self, audience: Who, language: Language) -> list[LiveMessage]:
        """Everything as it is now: what a page gets first. Raises: DatabaseUnavailable."""
        return [
            self._said(fragment, language)
            for source in self._sources
            for fragment in await source.fragments(audience, None)
        ]

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
        for subscription in self._subscriptions:
            subscription.dropped.set()

    async def _connect(self) -> psycopg.AsyncConnection:
        conn = await psycopg.AsyncConnection.connect(
            self._conninfo, autocommit=True, connect_timeout=CHECK_ANSWER_SECONDS
        )
        for channel in sorted(set[str]().union(*(source.channels for source in self._sources))):
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
        while True:
            await self._has_pending.wait()
            await asyncio.sleep(COALESCE_SECONDS)
            pending, self._pending = self._pending, {}
            self._has_pending.clear()
            try:
                await self._fan_out(pending)
            except DatabaseUnavailable:
                self.close()  # pages connect again and get everything then
                self._is_listening = True
            except Exception:
                log.exception("live.failed")

    async def _fan_out(self, pending: dict[int, set[str] | None]) -> None:
        for audience in {each.audience for each in self._subscriptions}:
            for index, hints in pending.items():
                changed = None if hints is None else frozenset(hints)
                for fragment in await self._sources[index].fragments(audience, changed):
                    self._offer(fragment, audience)

    def _offer(self, fragment: LiveFragment, audience: Who) -> None:
        said: dict[Language, LiveMessage] = {}
        for subscription in self._subscriptions:
            if subscription.audience is audience:
                language = subscription.language
                if language not in said:
                    said[language] = self._said(fragment, language)
                subscription.offer(said[language])

    def _said(self, fragment: LiveFragment, language: Language) -> LiveMessage:
        text = self._templates.text(language, fragment.template, fragment.context)
        return LiveMessage(fragment.name, text)
