"""`p2k16-console serve`: constructs everything between database, broker and browsers, and runs it.

Decides what is started in which order and what happens when something isn't there yet. The pages
are up first: a database or a broker that comes later is waited for, and /healthz says so meanwhile.
"""

import asyncio
import random
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import cast

import structlog
from msgspec import Struct

from console.app import build_app
from console.controllers import queries as controllers
from console.controllers.orders import Orders
from console.controllers.watch import watch
from console.database import Database, open_database
from console.errors import ConsoleError, DatabaseUnavailable
from console.events.ingest import Ingester
from console.first_card.enrolling import FirstCards
from console.link.broker import BrokerLink
from console.link.inbound import Inbound
from console.link.outbound import Outbound
from console.preparation import prepare, prepare_patiently
from console.rights.listening import listen
from console.rights.publish import Publisher, unix_ms
from console.settings import ConsoleSettings, HttpSettings
from console.site_keys import SiteKeys, create_site_keys, load_site_keys
from console.supervision import end, keep_running, together
from console.web import times
from console.web.routing import Route
from console.web.serving import serving

log = structlog.get_logger()


class Site(Struct, frozen=True):
    """What a console is made of. `broker_url`: with the console's user and password."""

    settings: ConsoleSettings
    database: Database
    keys: SiteKeys
    broker_url: str


async def serve(settings: ConsoleSettings, *, notice: Callable[[str], None]) -> None:
    """Serves until SIGTERM or SIGINT. Raises: ConsoleError when waiting wouldn't help."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    _warn(settings.http)
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(settings))
        keys = await _keys(database, settings, notice)
        broker_url = settings.mqtt.url
        if broker_url is None:
            # Imported here: with another broker it would cost memory for nothing.
            from console.link.embedded_broker import EmbeddedBroker

            broker = EmbeddedBroker(settings.mqtt, password_lookup(database))
            broker_url = (await stack.enter_async_context(broker)).url
        site = Site(settings, database, keys, broker_url)
        address = await stack.enter_async_context(running_console(site))
        log.info("console.started", address=address)
        await stop.wait()
        log.info("console.stopping")
    log.info("console.stopped")


@asynccontextmanager
async def running_console(site: Site, *, routes: Sequence[Route] = ()) -> AsyncGenerator[str]:
    """The whole console, for as long as the context lasts; gives the address of its pages.

    `routes`: further ones. Raises: CannotListen; whatever ConsoleError waiting wouldn't help with.
    """
    database, prefix = site.database, site.settings.mqtt.prefix

    async def hear(topic: str, data: bytes, is_retained: bool) -> None:
        await inbound.hear(topic, data, is_retained)

    async def greet() -> None:
        await publisher.send_everything()

    link = BrokerLink(
        site.broker_url, prefix, on_message=hear, on_connected=greet, random=random.random
    )
    outbound = Outbound(link, prefix, site.keys)
    publisher = Publisher(database, site.keys, outbound, zone=site.settings.site.time_zone)
    orders = Orders(database, outbound, now_ms=unix_ms)
    inbound = Inbound(
        database,
        outbound,
        prefix=prefix,
        ingester=Ingester(database, site.keys, now=times.now, hears=FirstCards(database)),
        publisher=publisher,
        waiting=orders,
        now=times.now,
    )

    async def run() -> None:
        await prepare_patiently(database, site.keys, site.settings.data_dir)
        works = {
            "changes": lambda: listen(database.conninfo, publisher.hint),
            "publisher": publisher.run,
            "pruning": publisher.prune,
            "silence": lambda: watch(database),
            "link": link.run,
        }
        await together(*(keep_running(name, work) for name, work in works.items()))

    app = await build_app(
        settings=site.settings,
        database=database,
        site_salt=site.keys.site_salt,
        broker_answers=link.answers,
        orders=orders,
        broker=link,
        identity=site.keys.identity,
        routes=routes,
    )
    try:
        async with asyncio.TaskGroup() as tasks:
            background = tasks.create_task(run(), name="background")
            try:
                async with serving(app, site.settings.http) as address:
                    yield address
            finally:
                await end(background)
    except BaseExceptionGroup as group:
        raise _cause(group) from group


def password_lookup(database: Database) -> Callable[[str], Awaitable[str | None]]:
    """For the embedded broker: a controller's name → its password's hash; None: not enrolled."""

    async def password_hash_of(name: str) -> str | None:
        async with database.reading() as conn:
            return await controllers.broker_password_hash(conn, controller=name)

    return password_hash_of


async def _keys(
    database: Database, settings: ConsoleSettings, notice: Callable[[str], None]
) -> SiteKeys:
    keys = load_site_keys(settings.data_dir)
    if keys is not None:
        return keys
    now_ms = unix_ms()
    try:
        return await prepare(database, settings.data_dir, now_ms=now_ms, notice=notice)
    except DatabaseUnavailable:
        # Whether they belong to the database is found out when it comes.
        return create_site_keys(settings.data_dir, now_ms=now_ms, notice=notice)


def _warn(http: HttpSettings) -> None:
    if not http.listen.is_loopback and http.public_url is None:
        log.warning(
            "http.public_url_missing",
            listen=str(http.listen),
            remedy="set [http] public_url to what people type; until then log-ins cross the network"
            " in clear, with cookies that aren't Secure",
        )


def _cause(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What to tell: the one error in the group that says what to do, else all of it."""
    told = group.subgroup(ConsoleError) or group
    while len(told.exceptions) == 1:
        only = told.exceptions[0]
        if not isinstance(only, BaseExceptionGroup):
            return only
        told = cast("BaseExceptionGroup[BaseException]", only)
    return told
