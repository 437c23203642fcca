"""`p2k16-console demo`: constructs the makerspace and its building, and runs them.

Decides the order of starting and stopping. The console is started as `serve` starts it; only its
data folder, its database and its broker are fresh, and gone afterwards.
"""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import structlog

from console.accounts.passwords import hash_password
from console.daemon import Site, password_lookup, running_console
from console.database import open_database
from console.demo.building import Building
from console.demo.cable import Cable
from console.demo.folder import abandon, fresh_folder
from console.demo.makerspace import FRONT_DESK, PASSWORD, POINTS, TREASURERS
from console.demo.people import PEOPLE
from console.demo.prepare import Premises, make_history, make_members, make_point
from console.demo.routes import routes
from console.demo.virtual_controller import VirtualController
from console.demo.words import farewell, invitation
from console.link.embedded_broker import EmbeddedBroker
from console.logs import log_to
from console.preparation import prepare
from console.rights.publish import unix_ms
from console.settings import ConsoleSettings, DatabaseSettings, MqttSettings, RoleSettings
from console.supervision import end, keep_running
from console.web.serving import CannotListen
from sync.settings_values import Address

READY_SECONDS = 20
"""Controllers that aren't there by then are left to come later."""
LOG = "console.log"
FORCED = 130
"""Exit code after a second Ctrl-C. Source: bash(1), 128 and the signal's number."""

log = structlog.get_logger()


@dataclass(slots=True)
class Running:
    """What there is to end at once, should somebody not want to wait."""

    folder: Path | None = None
    controllers: Sequence[VirtualController] = field(default_factory=tuple[VirtualController])


async def demo(settings: ConsoleSettings) -> None:
    """Runs until SIGINT, SIGTERM or SIGHUP; a second one ends the process at once.

    Raises: ConsoleError when it can't be started; everything is stopped and removed then, too.
    """
    running = Running()
    work = asyncio.create_task(_run(settings, running))
    asked: list[signal.Signals] = []

    def stop(number: signal.Signals) -> None:
        asked.append(number)
        if len(asked) == 1:
            work.cancel()
            _say(farewell())
        else:
            _end_at_once(running)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop, number)
    try:
        await work
    except asyncio.CancelledError:
        if not asked:
            raise


async def _run(settings: ConsoleSettings, running: Running) -> None:
    _refuse_taken(settings.http.listen)
    async with AsyncExitStack() as stack:
        folder = await stack.enter_async_context(fresh_folder())
        running.folder = folder
        _say(f"Making a makerspace in {folder} …")
        log_to((folder / LOG).open("a"))  # the terminal is for people
        own = of_demo(settings, folder)
        hashing = asyncio.create_task(asyncio.to_thread(hash_password, PASSWORD))
        database = await stack.enter_async_context(open_database(own, must_answer=True))
        keys = await prepare(database, own.data_dir, now_ms=unix_ms(), notice=_note_keys)
        premises = Premises(database, keys, own.mqtt.prefix)
        cards = await make_members(premises, PEOPLE, password_hash=await hashing)
        broker = EmbeddedBroker(own.mqtt, password_lookup(database))
        await stack.enter_async_context(broker)
        controllers = await stack.enter_async_context(
            _controllers(premises, folder, lambda: broker.port)
        )
        running.controllers = controllers
        bundles = [controller.bundle.read_bytes() for controller in controllers]
        await make_history(premises, PEOPLE, cards, bundles)
        building = Building(
            controllers,
            broker,
            database,
            names={person.username: person.name for person in PEOPLE},
            site_salt=keys.site_salt,
        )
        address = await stack.enter_async_context(
            running_console(Site(own, database, keys, broker.url), routes=routes(building))
        )
        async with _open_house(building, controllers):
            _say(invitation(address, folder, is_public=not own.http.listen.is_loopback))
            await asyncio.get_running_loop().create_future()  # until cancelled


@asynccontextmanager
async def _controllers(
    premises: Premises, folder: Path, broker_port: Callable[[], int]
) -> AsyncGenerator[list[VirtualController]]:
    """All controllers, enrolled and not running; stopped in the end."""
    controllers: list[VirtualController] = []
    try:
        for point in POINTS:
            cable = Cable(broker_port)
            await cable.repair()
            controller = VirtualController(point, cable, folder / point.key)
            controllers.append(controller)
            await make_point(premises, point, broker_port=cable.port, bundle=controller.bundle)
        yield controllers
    finally:
        await asyncio.gather(*(controller.close() for controller in controllers))


@asynccontextmanager
async def _open_house(
    building: Building, controllers: Sequence[VirtualController]
) -> AsyncGenerator[None]:
    """Everything runs, and the page is live. Raises: ControllerFailed."""
    looking = asyncio.create_task(keep_running("building", building.run))
    try:
        for controller in controllers:
            await controller.start()
        await _ready(controllers)
        yield
    finally:
        building.close()
        await end(looking)


async def _ready(controllers: Sequence[VirtualController]) -> None:
    """Waits until every controller is online and has its rights; not for ever."""
    with suppress(TimeoutError):
        async with asyncio.timeout(READY_SECONDS):
            for controller in controllers:
                while not controller.is_ready:
                    controller.check()
                    await asyncio.sleep(0.05)
                    await controller.ask()


def of_demo(settings: ConsoleSettings, folder: Path) -> ConsoleSettings:
    """The settings, but with everything in `folder` and on free ports of this machine only."""
    return replace(
        settings,
        data_dir=folder,
        http=replace(settings.http, public_url=None),
        database=DatabaseSettings(url=None),
        mqtt=MqttSettings(
            url=None,
            listen=Address("127.0.0.1", 0),
            tls_certificate=None,
            tls_key=None,
            prefix="p2k16",
        ),
        roles=RoleSettings(
            admin_circle="admin", front_desk_circle=FRONT_DESK, treasurer_circle=TREASURERS
        ),
    )


def _note_keys(_words: str) -> None:
    log.info("keys.made")  # nobody need back them up


def _say(words: str) -> None:
    with suppress(OSError):  # the terminal is gone
        sys.stdout.write(f"{words}\n")
        sys.stdout.flush()


def _refuse_taken(listen: Address) -> None:
    """Says at once what would be found out after seconds of work. Raises: CannotListen."""
    host = listen.host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, listen.port))
        except OSError as error:
            raise CannotListen(
                f"{listen} is taken or not of this machine ({error.strerror}): stop what listens "
                "there, perhaps another demo, or name another address: "
                "p2k16-console demo --listen 127.0.0.1:8017"
            ) from error


def _end_at_once(running: Running) -> None:
    for controller in running.controllers:
        controller.kill_at_once()
    if running.folder is not None:
        abandon(running.folder)
    os._exit(FORCED)
