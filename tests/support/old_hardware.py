"""What the old web app drove: a door controller that speaks HTTP, and a broker with listeners."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestServer

from console.app import build_app
from console.controllers.orders import Orders
from console.database import Connection, Database
from console.doors.dlock import Dlock
from console.link.broker import BrokerLink
from console.link.broker_access import old_prefixes
from console.link.mosquitto import write_broker_config
from console.settings import LegacySettings
from console.web.keys import Publishes
from tests.support.brokers import PASSWORD as BROKER_PASSWORD
from tests.support.brokers import (
    PASSWORD_HASH,
    PREFIX,
    Mosquitto,
    mqtt_settings,
    require_program,
)
from tests.support.console_app import SALT, Broker, Site, settings_for
from tests.support.raw_mqtt import RawMqtt
from tests.support.waiting import eventually

USER, PASSWORD = "the-old-app", "a very secret word"


@dataclass
class DoorController:
    """Answers with `statuses`, then 200; -1: not at all, -2: hangs up. Of `silent` doors: never."""

    statuses: list[int] = field(default_factory=list[int])
    asked: list[tuple[str, str, str, bytes]] = field(
        default_factory=list[tuple[str, str, str, bytes]]
    )
    url: str = ""
    silent: Collection[str] = ()
    on_asked: Callable[[], None] = lambda: None

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.on_asked()
        authorization = request.headers.get("Authorization", "")
        self.asked.append((request.method, request.path_qs, authorization, await request.read()))
        status = self.statuses.pop(0) if self.statuses else 200
        if status == -1 or any(f"/{door}/" in request.path for door in self.silent):
            await asyncio.sleep(60)
        if status == -2:
            assert request.transport is not None
            request.transport.abort()
        return web.Response(status=abs(status), headers={"Location": "/elsewhere"})

    @property
    def legacy(self) -> LegacySettings:
        return LegacySettings(
            dlock_url=self.url, dlock_username=USER, dlock_password=PASSWORD, dlock_retries=1
        )


@asynccontextmanager
async def door_controller() -> AsyncGenerator[DoorController]:
    """It listens on a free port."""
    controller = DoorController()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", controller.answer)
    async with TestServer(app) as server:
        controller.url = str(server.make_url("/"))
        yield controller


@asynccontextmanager
async def quick_dlock(
    controller: DoorController, *, retries: int = 1, budget_seconds: float = 10
) -> AsyncGenerator[Dlock]:
    """Our side of it, which loses patience after a fifth of a second."""
    settings = replace(controller.legacy, dlock_retries=retries)
    dlock = Dlock(settings, try_seconds=0.2, budget_seconds=budget_seconds)
    try:
        yield dlock
    finally:
        await dlock.close()


@dataclass
class OldBroker:
    """A Mosquitto with our files, our link to it, and old hardware that hears everything."""

    broker: Mosquitto
    link: BrokerLink
    listener: RawMqtt

    async def heard(self, count: int) -> list[tuple[str, bytes]]:
        """So many messages, once they have come; and no more for now."""

        async def enough() -> bool:
            await self.listener.ping()
            return len(self.listener.heard) >= count

        await eventually(enough)
        # What was published before this comes before it.
        await self.link.publish("public/p2k16-dev/end", b"")
        await eventually(lambda: self._end())
        assert not any(message.retained for message in self.listener.heard)
        return [(message.topic, message.payload) for message in self.listener.heard]

    async def _end(self) -> bool:
        await self.listener.ping()
        heard = self.listener.heard
        if not heard or heard[-1].topic != "public/p2k16-dev/end":
            return False
        heard.pop()
        return True


@asynccontextmanager
async def old_broker(folder: Path) -> AsyncGenerator[OldBroker]:
    """Runs for as long as the context lasts."""
    files = write_broker_config(
        folder / "broker-config",
        prefix=PREFIX,
        url=f"mqtt://console:{BROKER_PASSWORD}@127.0.0.1",
        controllers={},
        old_prefixes=old_prefixes(mqtt_settings()),
    )
    with files.passwords.open("a") as passwords, files.acl.open("a") as acl:
        passwords.write(f"hardware:{PASSWORD_HASH}\n")
        acl.write("\nuser hardware\ntopic read #\n")
    broker = Mosquitto(require_program("mosquitto"), folder, files.passwords, files.acl)
    broker.start_now()

    async def hear(_topic: str, _payload: bytes, _retained: bool) -> None:
        return None

    link = BrokerLink(broker.url, PREFIX, on_message=hear, random=lambda: 0.0)
    running = asyncio.create_task(link.run())
    try:
        await eventually(lambda: link.is_up)
        listener = await RawMqtt.open(broker.port)
        code = await listener.connect(
            client_id="hardware", user="hardware", password=BROKER_PASSWORD
        )
        assert code == 0
        await listener.subscribe("#")
        yield OldBroker(broker, link, listener)
    finally:
        running.cancel()
        await asyncio.wait([running])
        broker.stop_now()


@asynccontextmanager
async def old_site(
    database: Database,
    connection: Connection,
    *,
    controller: DoorController | None = None,
    broker: Publishes | None = None,
    orders: Orders | None = None,
    open_directory: bool = False,
) -> AsyncGenerator[Site]:
    """A console that is to drive them. `orders`: to controllers."""
    legacy = LegacySettings() if controller is None else controller.legacy
    health = Broker()
    async with AsyncExitStack() as stack:
        app = await build_app(
            settings=replace(
                settings_for(database.conninfo),
                legacy=replace(legacy, open_directory=open_directory),
            ),
            database=database,
            site_salt=SALT,
            broker_answers=health.ask,
            orders=orders,
            broker=broker,
        )
        server = await stack.enter_async_context(TestServer(app))
        yield Site(stack, app, server, connection, health)
