"""The daemon: what happens in which order, from the start to the end.

    guard and doors, locked → who am I → store → rights → guard is there → readers → conversation

Whatever is missing is waited for with the doors locked; a guard not for ever, so that the console
hears of it. On SIGTERM and SIGINT the relays go off first; then the rest is closed in the opposite
order. What is made of what stands in edge/assembly.py.
"""

import asyncio
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import structlog

from edge import VERSION
from edge.assembly import House, Works, assemble, build
from edge.bench import answer
from edge.claim import claimed
from edge.enrolment import enrol
from edge.errors import StorageFault
from edge.outside import real
from edge.settings import EdgeSettings
from edge.soundness import owner_of
from edge.status import answering
from edge.store import Store
from edge.together import together
from edge.watchdog import watch
from sync.bundle import Bundle
from sync.events import EventKind, Occurrence
from sync.rights import Reason

log = structlog.get_logger()

ENROLMENT_LOOK_SECONDS = 1.0
STORE_RETRY_SECONDS = 2.0
GUARD_SECONDS = 10.0
"""A guard that takes longer is a fault, as edge/relays.py has it, and the console has to hear."""

CLOSE_SECONDS = 2.0
"""How long a disk that stands still may hold up the end."""


async def run(settings: EdgeSettings) -> None:
    """Runs until SIGTERM or SIGINT. Raises: EdgeError when it can't begin, or go on."""
    os.umask(0o077)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with claimed(settings.data_dir):
        if settings.mock_inputs is not None:
            from edge.pins import move_mock_pins_by

            move_mock_pins_by(settings.mock_inputs)
        house = build(settings, real())
        log.info("daemon.started", software=VERSION, boot=house.timekeeper.boot)
        async with answering(settings.data_dir, partial(answer, house)):
            await together(keep(house, stop), watch(settings, house.relays, house.health))
    log.info("daemon.stopped")


async def keep(house: House, stop: asyncio.Event) -> None:
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


async def _serve(house: House) -> None:
    """Waits until the controller knows who it is and has a store; then serves until cancelled."""
    bundle = await _enrolled(house)
    kept: Path | None = None
    while True:
        store, set_aside = await _opened(house, bundle)
        kept = set_aside or kept
        house.health.store = store
        try:
            with ThreadPoolExecutor(2, thread_name_prefix="worker") as worker:
                try:
                    works = await assemble(store, worker, bundle, house)
                except StorageFault as error:  # it opens, and takes nothing: a full disk, say
                    house.health.store = None
                    _tell_unusable(house, error)
                else:
                    house.health.troubles.pop(Reason.STORAGE_FAULT, None)
                    await _serve_from(works, house, kept)
        finally:
            try:
                async with asyncio.timeout(CLOSE_SECONDS):
                    await store.close()
            except TimeoutError:
                log.error("store.not_closed", seconds=CLOSE_SECONDS)
        await asyncio.sleep(STORE_RETRY_SECONDS)


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
    owner = owner_of(bundle)
    while True:
        try:
            return await house.outside.store(house.settings.data_dir, owner)
        except StorageFault as error:
            _tell_unusable(house, error)
            await asyncio.sleep(STORE_RETRY_SECONDS)


def _tell_unusable(house: House, error: StorageFault) -> None:
    troubles = house.health.troubles
    if troubles.get(Reason.STORAGE_FAULT) != str(error):
        log.error("store.unusable", error=str(error))
    troubles[Reason.STORAGE_FAULT] = str(error)


async def _serve_from(works: Works, house: House, set_aside: Path | None) -> None:
    """Serves taps and the console until cancelled."""
    house.health.inside = works.inside
    await works.recorder.record(_started(set_aside))
    try:
        await together(*(run() for run in works.upkeep), _open_up(works, house))
    finally:
        for listening in works.inside.listenings.values():
            listening.close()
        await works.recorder.settle(CLOSE_SECONDS)
        await works.housekeeping.persist_clock()


async def _open_up(works: Works, house: House) -> None:
    """Reads cards and talks to the console until cancelled.

    Not before the guard has reported: a tap would be denied whose reader, rights and link are said
    to be ready.
    """
    try:
        async with asyncio.timeout(GUARD_SECONDS):
            await house.relays.until_ready()
    except TimeoutError:
        log.error("guard.awaited_in_vain", seconds=GUARD_SECONDS)
    for listening in works.inside.listenings.values():
        listening.open()
    for post in house.posts.values():
        post.serve()
    await together(*(run() for run in works.traffic))


def _started(set_aside: Path | None) -> Occurrence:
    detail = f"software {VERSION}"
    if set_aside is not None:
        detail += f"; the store was not usable and lies at {set_aside.name}"
    return Occurrence(EventKind.CONTROLLER_STARTED, detail=detail[:200])
