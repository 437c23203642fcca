"""The real console on the seeded makerspace, and what walks need of it: routes, visitors, rows."""

import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any
from urllib.parse import urlsplit

import psycopg
from aiohttp import ClientResponse, ClientTimeout
from aiohttp.test_utils import TestServer
from aiohttp.web import AbstractRoute, Application
from psycopg import sql

from console.accounts.reset import RESETS
from console.controllers.enrol import new_bundle
from console.controllers.waiting_bundles import BUNDLES
from console.database import Connection, open_database
from console.link.broker_url import parse_broker_url
from console.settings import MailSettings
from console.web.keys import LIVE
from console.web.requests import DATA_PATHS
from console.web.routing import RULES
from sync.ids import ControllerId
from tests.support.console_app import IDENTITY, Broker, Client, Site, application, settings_for
from tests.support.stripe_cloud import StripeCloud, paying, stripe_cloud
from tests.support.waiting import eventually
from tests.walk.private_facts import CONTROLLER, RESET_TOKEN
from tests.walk.roles import SETTINGS, Role
from tests.walk.seed import Ids, seed
from tests.walk.snapshot import Snapshot
from tests.walk.states import fill

NAMED = {
    "/badge/badges-for-user/{id}": "account",
    "/data/circle/{id}": "circle",
    "/data/company/{id}": "company",
    "/data/company/{id}/cmd/add-employee": "company",
    "/data/company/{id}/cmd/remove-employee": "company",
}
"""What `{id}` is of, where a path doesn't say."""
QUERIES = {"/money/payments.csv": "?from=1991-01-01&until=1991-03-31"}
"""What has to stand behind a path for an answer."""
TWO_STATES = frozenset(
    {"GET /controllers/{controller}", "GET /log/taps/{event}", "GET /tools/{tool}"}
)
"""A busy controller and an idle one, a tap at a door and one at a tool, a tool with power and one
without."""
STREAM = "/live"
STATIC = "/static/{digest}/{name}"
SECONDS = ClientTimeout(total=20)
PUBLIC_URL = "http://console.example"
BUNDLE = new_bundle(
    IDENTITY,
    controller=ControllerId(CONTROLLER),
    broker=parse_broker_url("mqtt://192.0.2.1"),
    prefix="p2k16",
)
PASSWORDS_TRIED_MAX = 30
"""Each takes a fifth of a second; beyond it the answer is that it was too often."""
NOT_COMPARED = frozenset({"access.session"})
"""Tables that a mere visit may write."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    text: str
    content_type: str
    location: str = ""

    @property
    def is_page(self) -> bool:
        """Whether people read it in a browser."""
        return self.content_type == "text/html"


Rows = Mapping[str, tuple[int, int]]
"""Of each table how many rows it has, and a sum that changes with any of them."""


@dataclass(slots=True)
class Place:
    """The console and its visitors."""

    site: Site
    ids: Ids
    cloud: StripeCloud
    snapshot: Snapshot
    _visitors: dict[Role, Client] = field(default_factory=dict[Role, Client])
    _counting: sql.Composed | None = None
    _counted: Rows = field(default_factory=dict[str, tuple[int, int]])
    _counted_at: str = ""
    _at_first: Rows = field(default_factory=dict[str, tuple[int, int]])

    @property
    def app(self) -> Application:
        return self.site.app

    def routes(self, *methods: str) -> list[str]:
        """All of them as `GET /members/{account}`, or those of some methods. A GET answers HEAD."""
        wanted = methods or ("GET", "POST", "PUT", "PATCH", "DELETE")
        return sorted(
            {named(route) for route in self.app[RULES] if route.method in wanted},
            key=lambda name: (name.partition(" ")[2], name),
        )

    def paths(self, route: str) -> list[str]:
        """The route's path with each of the ids that are known."""
        path = route.partition(" ")[2]
        if path == STATIC:
            return []
        names = re.findall(r"\{(\w+)\}", path)
        choices = [self._choices(path, name) for name in names]
        return [
            path.format(**dict(zip(names, chosen, strict=True))) + QUERIES.get(path, "")
            for chosen in product(*choices)
        ]

    def _choices(self, path: str, name: str) -> Sequence[str]:
        kind = NAMED.get(path, name)
        assert kind in self.ids, f"{path}: say in tests/walk/seed.py what {{{name}}} may be"
        return self.ids[kind]

    def pages(self) -> list[str]:
        """Where a page may be: each route that is read, with the ids of which most is known.

        Of some also with the next id, where it makes another page.
        """
        return [
            *(
                path
                for name in self.routes("GET")
                for path in self.paths(name)[: 2 if name in TWO_STATES else 1]
            ),
            f"/reset-password-form?reset_token={RESET_TOKEN}",
        ]

    def route_of(self, method: str, path: str) -> str | None:
        """Which route answers there; None: none does."""
        plain = urlsplit(path).path
        for route in self.app[RULES]:
            resource = route.resource
            if resource is None or route.method != method:
                continue
            info = resource.get_info()
            pattern = info.get("pattern")
            if info.get("path") == plain or (pattern is not None and pattern.fullmatch(plain)):
                return named(route)
        return None

    def leave(self) -> None:
        """All visitors are gone: a test has ended sessions. They come again with new ones."""
        self._visitors.clear()

    async def keep(self) -> None:
        """All is to come back as it is now."""
        await self.snapshot.take()
        self._at_first = await self.rows()
        self.offer()

    async def begin_again(self) -> None:
        """All as it was at first, in the database, at Stripe and in the console's memory."""
        await self.snapshot.restore(changed(self._at_first, await self.rows()))
        self._counted, self._counted_at = self._at_first, await self._last_transaction()
        self.offer()

    def offer(self) -> None:
        """What is there outside of the database: Stripe's, and a bundle to fetch."""
        fill(self.cloud)
        self.app[BUNDLES].put(BUNDLE, account=int(self.ids["admin"][0]))

    def fetch(self) -> None:
        """The bundle is gone."""
        self.app[BUNDLES].drop(BUNDLE.controller)

    async def visitor(self, role: Role, *, is_new: bool = False) -> Client:
        """A browser of this role; the same one each time, unless a new one is asked for."""
        if is_new or role not in self._visitors:
            browser = await self.site.browser(None if role is Role.NOBODY else role)
            if is_new:
                return browser
            self._visitors[role] = browser
        return self._visitors[role]

    async def ask(
        self,
        who: Role | Client,
        method: str,
        path: str,
        *,
        is_htmx: bool = False,
        **more: Any,
    ) -> Answer:
        """One request; a redirect is not followed."""
        client = await self.visitor(who) if isinstance(who, Role) else who
        headers = {"Accept": "text/html"} | ({"HX-Request": "true"} if is_htmx else {})
        if isinstance(more.get("data"), bytes):
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        if method != "GET" and path.startswith(DATA_PATHS) and not more:
            more = {"json": {}}
        async with client.request(
            method, path, headers=headers, allow_redirects=False, timeout=SECONDS, **more
        ) as response:
            return await _answer(response)

    async def rows(self) -> Rows:
        """What the database holds. Counted again only after a transaction that may have written."""
        await self.app[RESETS].close()  # which go on after their answer
        last = await self._last_transaction()
        if last != self._counted_at:
            if self._counting is None:
                self._counting = await _counting(self.site.connection)
            cursor = await self.site.connection.execute(self._counting)
            self._counted = {
                name: (count, int(total)) for name, count, total in await cursor.fetchall()
            }
            self._counted_at = last
        return self._counted

    async def _last_transaction(self) -> str:
        cursor = await self.site.connection.execute(
            "select pg_snapshot_xmax(pg_current_snapshot())::text"
        )
        row = await cursor.fetchone()
        assert row is not None
        return row[0]


def named(route: AbstractRoute) -> str:
    """As the table of rules writes it: `GET /members/{account}`."""
    resource = route.resource
    assert resource is not None
    return f"{route.method} {resource.canonical}"


def changed(before: Rows, after: Rows) -> list[str]:
    """Tables that are not as they were."""
    return sorted(
        name for name in before.keys() | after.keys() if before.get(name) != after.get(name)
    )


@asynccontextmanager
async def opened(database_url: str) -> AsyncGenerator[Place]:
    """The seeded makerspace, served."""
    plain = settings_for(
        database_url, public_url=PUBLIC_URL, failures_per_minute=PASSWORDS_TRIED_MAX
    )
    async with AsyncExitStack() as stack:
        cloud = await stack.enter_async_context(stripe_cloud())
        settings = replace(
            paying(plain, cloud),
            roles=SETTINGS,
            mail=MailSettings(smtp_url="smtp://127.0.0.1:1"),
            mqtt=replace(plain.mqtt, legacy_label_prefix="walk/labels"),
        )
        database = await stack.enter_async_context(open_database(settings))
        connection = await stack.enter_async_context(
            await psycopg.AsyncConnection.connect(database_url, autocommit=True)
        )
        ids = await seed(connection)
        broker = Broker()
        app = await application(database, settings, broker)
        server = await stack.enter_async_context(TestServer(app))
        site = Site(stack, app, server, connection, broker)
        place = Place(site, ids, cloud, Snapshot(connection))
        await place.keep()
        await eventually(lambda: app[LIVE].is_listening)
        yield place


async def _answer(response: ClientResponse) -> Answer:
    is_stream = response.content_type == "text/event-stream"
    data = b"" if is_stream else await response.read()
    return Answer(
        status=response.status,
        text=data.decode("utf-8", "replace"),
        content_type=response.content_type,
        location=response.headers.get("Location", ""),
    )


async def _counting(connection: Connection) -> sql.Composed:
    cursor = await connection.execute(
        "select schemaname, tablename from pg_tables where schemaname in ('public', 'access')"
    )
    names = [(schema, table) for schema, table in await cursor.fetchall()]
    return sql.SQL(" union all ").join(
        sql.SQL(
            "select {}, count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) from {} t"
        ).format(sql.Literal(f"{schema}.{table}"), sql.Identifier(schema, table))
        for schema, table in sorted(names)
        if f"{schema}.{table}" not in NOT_COMPARED
    )
