"""The daemon: puts the parts together, in the order in which they need one another.

    guard and doors, locked → who am I → store → rights → readers → conversation with the console

Whatever is missing is waited for with the doors locked. On SIGTERM and SIGINT the relays go off
first; then the rest is closed in the opposite order.
"""

import asyncio
import os
import secrets
import signal
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import structlog

from edge import VERSION
from edge.challenge import Challenges
from edge.claim import claimed
from edge.clock import Timekeeper
from edge.commands import open_commands
from edge.conversation import Conversation
from edge.cues import Lights
from edge.digests import Digests
from edge.doorway import Doorway
from edge.downlink import Downlink
from edge.enrolment import enrol
from edge.entrance import Entrance, Parts
from edge.errors import EdgeError, StorageFault
from edge.health import Health, Inside
from edge.housekeeping import Housekeeping, start_clock
from edge.journal import open_journal
from edge.link import plan_route
from edge.port import Port
from edge.readers.drivers import DRIVERS
from edge.recorder import Recorder
from edge.refusals import Refusals
from edge.relays import Relays
from edge.rights_cache import Trust, open_rights_cache
from edge.settings import DoorSettings, EdgeSettings
from edge.status import answering
from edge.store import Store, open_store
from edge.together import together
from edge.uplink import Uplink, fresh_nonce
from sync.bundle import Bundle
from sync.events import EventKind, Occurrence
from sync.ids import BootId, PointKey
from sync.rights import Reason

log = structlog.get_logger()

ENROLMENT_LOOK_SECONDS = 1.0
STORE_RETRY_SECONDS = 2.0
CLOSE_SECONDS = 2.0
"""How long a disk that stands still may hold up the end."""


@dataclass(frozen=True, slots=True)
class House:
    """What is there before the controller knows who it is."""

    settings: EdgeSettings
    timekeeper: Timekeeper
    relays: Relays
    doorways: Mapping[PointKey, Doorway]
    health: Health
    changed: asyncio.Event
    """Set as a hint that a status would look different now."""

    def lock_up(self) -> None:
        """Relays off, for good."""
        for doorway in self.doorways.values():
            doorway.close()


async def run(settings: EdgeSettings) -> None:
    """Runs until SIGTERM or SIGINT. Raises: EdgeError when it can't begin, or go on."""
    os.umask(0o077)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with claimed(settings.data_dir):
        house = _build(settings)
        log.info("daemon.started", software=VERSION, boot=house.timekeeper.boot)
        async with answering(settings.data_dir, house.health.state):
            await _run(house, stop)
    log.info("daemon.stopped")


async def _run(house: House, stop: asyncio.Event) -> None:
    """Serves until `stop`, then locks up. Raises what goes wrong where nothing may."""
    guarding, serving, stopping = (
        asyncio.ensure_future(work) for work in (house.relays.run(), _serve(house), _wait_for(stop))
    )
    try:
        await asyncio.wait({guarding, serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        house.lock_up()
        for task in (serving, stopping, guarding):  # the guard is needed until the last
            task.cancel()
            await asyncio.wait({task})
    for task in (serving, guarding):
        if not task.cancelled():
            task.result()


async def _wait_for(stop: asyncio.Event) -> None:
    await stop.wait()


def _build(settings: EdgeSettings) -> House:
    """Doors that are locked. Raises: EdgeError."""
    timekeeper = Timekeeper(BootId(secrets.token_hex(16)))
    changed = asyncio.Event()
    doorways: dict[PointKey, Doorway] = {}
    relays = Relays(
        {door.key: door.relay_pin for door in settings.doors},
        work_dir=settings.data_dir / "guard",
        trace=settings.guard_trace,
        changed=lambda point, is_on: doorways[point].relay_changed(is_on),
    )
    for door in settings.doors:
        lights = _lights(door, settings.data_dir)
        doorways[door.key] = Doorway(door.key, relays, lights, changed=changed.set)
    health = Health(timekeeper, doorways, enrol(settings.data_dir, settings.bundle))
    return House(settings, timekeeper, relays, doorways, health, changed)


def _lights(door: DoorSettings, data_dir: Path) -> Lights:
    """Raises: PinError."""
    if door.green_pin is None and door.red_pin is None:
        return Lights()
    # gpiozero takes 8 MB: only a controller with lights imports it.
    from edge.pins import OutputPin, load_pin_factory

    folder = data_dir / "lights"
    folder.mkdir(exist_ok=True)
    load_pin_factory(folder)
    green, red = (
        None if number is None else OutputPin(number, purpose=f"{colour} light of {door.key}")
        for colour, number in (("green", door.green_pin), ("red", door.red_pin))
    )
    return Lights(green=green, red=red)


async def _serve(house: House) -> None:
    """Waits until the controller knows who it is and has a store; then serves until cancelled."""
    bundle = await _enrolled(house)
    store, set_aside = await _opened(house, bundle)
    try:
        with ThreadPoolExecutor(2, thread_name_prefix="worker") as worker:
            await _serve_from(store, worker, bundle, house, set_aside)
    finally:
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await store.close()
        except TimeoutError:
            log.error("store.not_closed", seconds=CLOSE_SECONDS)


async def _enrolled(house: House) -> Bundle:
    """Who this controller is; until that is known, nobody gets in."""
    health, settings = house.health, house.settings
    told: str | None = None
    while True:
        if health.enrolment.problem not in {None, told}:
            told = health.enrolment.problem
            log.error("enrolment.failed", problem=told)
        if health.enrolment.bundle is not None:
            return health.enrolment.bundle
        await asyncio.sleep(ENROLMENT_LOOK_SECONDS)
        health.enrolment = enrol(settings.data_dir, settings.bundle)


async def _opened(house: House, bundle: Bundle) -> tuple[Store, Path | None]:
    """The store, as soon as it can be opened."""
    owner = f"{bundle.controller} {bundle.root_public_key.hex()}"
    troubles = house.health.troubles
    while True:
        try:
            opened = await open_store(house.settings.data_dir, owner)
        except StorageFault as error:
            if troubles.get(Reason.STORAGE_FAULT) != str(error):
                log.error("store.unusable", error=str(error))
            troubles[Reason.STORAGE_FAULT] = str(error)
            await asyncio.sleep(STORE_RETRY_SECONDS)
        else:
            troubles.pop(Reason.STORAGE_FAULT, None)
            return opened


async def _serve_from(
    store: Store, worker: ThreadPoolExecutor, bundle: Bundle, house: House, set_aside: Path | None
) -> None:
    """Builds what a tap and the console need, and runs it until cancelled. Raises: StorageFault."""
    settings, timekeeper, doorways = house.settings, house.timekeeper, house.doorways
    await start_clock(store, timekeeper)
    journal = await open_journal(store, timekeeper, bundle.controller)
    recorder = Recorder(journal, timekeeper)
    refusals = Refusals(recorder, timekeeper)
    trust = Trust(bundle.controller, bundle.root_public_key)
    rights = await open_rights_cache(store, journal, trust, decoder=worker)
    challenges = Challenges(fresh_nonce(), timekeeper.mono_ms())
    commands = await open_commands(
        store,
        doorways=doorways,
        unlock_seconds_max={door.key: door.unlock_seconds_max for door in settings.doors},
        rights=rights,
        recorder=recorder,
        timekeeper=timekeeper,
        challenges=challenges,
    )
    uplink = Uplink(
        bundle,
        timekeeper=timekeeper,
        challenges=challenges,
        journal=journal,
        rights=rights,
        commands=commands,
        state=house.health.state,
        changed=house.changed,
    )
    downlink = Downlink(
        bundle.controller,
        rights=rights,
        journal=journal,
        recorder=recorder,
        refusals=refusals,
        commands=commands,
        timekeeper=timekeeper,
        challenges=challenges,
    )
    parts = Parts(bundle, Digests(bundle.site_salt, worker), rights, recorder, timekeeper)
    entrances = {door.key: _entrance(parts, door, doorways[door.key]) for door in settings.doors}
    ports = {door.key: _port(door, entrances[door.key], house) for door in settings.doors}
    conversation = _conversation(bundle, house, uplink, downlink)
    housekeeping = Housekeeping(store, journal, timekeeper, doorways.values())
    house.health.inside = Inside(store, journal, rights, refusals, conversation, ports)
    await recorder.record(_started(set_aside))
    try:
        for port in ports.values():
            port.open()
        for doorway in doorways.values():
            doorway.serve()
        await together(
            recorder.run(),
            housekeeping.run(),
            *(entrance.run() for entrance in entrances.values()),
            *(() if conversation is None else (conversation.run(),)),
        )
    finally:
        for port in ports.values():
            port.close()
        await recorder.settle(CLOSE_SECONDS)
        await housekeeping.persist_clock()


def _entrance(parts: Parts, door: DoorSettings, doorway: Doorway) -> Entrance:
    reader = DRIVERS[door.reader_driver]()
    return Entrance(parts, doorway, reader, unlock_seconds_max=door.unlock_seconds_max)


def _port(door: DoorSettings, entrance: Entrance, house: House) -> Port:
    def lost() -> None:
        entrance.forget()
        house.changed.set()

    return Port(door.reader_port, received=entrance.hear, lost=lost)


def _conversation(
    bundle: Bundle, house: House, uplink: Uplink, downlink: Downlink
) -> Conversation | None:
    """None: the settings forbid the way to the broker. The doors work all the same."""
    try:
        route = plan_route(bundle, house.settings.mqtt)
    except EdgeError as error:
        house.health.troubles["link"] = str(error)
        log.error("link.refused", reason=str(error))
        return None
    return Conversation(route, bundle, uplink, downlink)


def _started(set_aside: Path | None) -> Occurrence:
    detail = f"software {VERSION}"
    if set_aside is not None:
        detail += f"; the store was not usable and lies at {set_aside.name}"
    return Occurrence(EventKind.CONTROLLER_STARTED, detail=detail[:200])
