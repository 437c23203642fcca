"""What the daemon is made of: every part, in the order in which they need one another.

The only place, with edge/daemon.py, that constructs. Nothing here waits for anything but the store.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import structlog

from edge.announcer import Announcer
from edge.board import Board
from edge.challenge import Challenges
from edge.clock import Timekeeper
from edge.commands import open_commands
from edge.conversation import Conversation
from edge.digests import Digests
from edge.downlink import Downlink
from edge.enrolment import enrol
from edge.entrance import Entrance
from edge.equipment import Equipment
from edge.errors import EdgeError
from edge.health import LINK, Health, Inside
from edge.holds import read_holds
from edge.housekeeping import Housekeeping, start_clock
from edge.journal import open_journal
from edge.link import plan_route
from edge.listening import Listening
from edge.outside import Outside
from edge.point_settings import PointSettings
from edge.post import Post
from edge.readers.drivers import build_reader
from edge.recorder import Recorder
from edge.refusals import Refusals
from edge.rights_cache import Trust, open_rights_cache
from edge.rounds import Rounds
from edge.settings import EdgeSettings
from edge.store import Store
from edge.unlocks import HoldsRelays
from edge.uplink import Uplink
from edge.verdict import Parts
from sync.bundle import Bundle
from sync.ids import BootId, Nonce, PointKey

log = structlog.get_logger()

Endless = Callable[[], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class House:
    """What is there before the controller knows who it is."""

    settings: EdgeSettings
    outside: Outside
    timekeeper: Timekeeper
    relays: HoldsRelays
    posts: Mapping[PointKey, Post]
    announcer: Announcer
    health: Health
    changed: asyncio.Event
    """Set as a hint that a status would look different now."""

    def lock_up(self) -> None:
        """Relays off, for good."""
        for post in self.posts.values():
            post.close()


@dataclass(frozen=True, slots=True)
class Works:
    """What there is once it knows. All of `upkeep` and `traffic` has to run, side by side.

    `traffic`: what opens doors, and the conversation with the console, once points are served.
    """

    inside: Inside
    recorder: Recorder
    housekeeping: Housekeeping
    upkeep: tuple[Endless, ...]
    traffic: tuple[Endless, ...]


def build(settings: EdgeSettings, outside: Outside) -> House:
    """Doors that are locked. Raises: EdgeError."""
    boot = BootId(outside.random_bytes(16).hex())
    timekeeper = Timekeeper(boot, mono_ns=outside.mono_ns, wall_ns=outside.wall_ns)
    changed = asyncio.Event()
    announcer = Announcer()
    posts: dict[PointKey, Post] = {}
    relays = outside.relays(settings, lambda point, is_on: posts[point].relay_changed(is_on))
    equipment = Equipment(settings, outside, relays, changed=changed.set, tell=announcer.tell)
    for door in settings.doors:
        posts[door.point.key] = equipment.door(door)
    for tool in settings.tools:
        posts[tool.point.key] = equipment.tool(tool)
    board = Board(outside.places, timekeeper.mono_ms)
    health = Health(timekeeper, posts, enrol(settings.data_dir, settings.bundle), board)
    return House(settings, outside, timekeeper, relays, posts, announcer, health, changed)


async def assemble(store: Store, worker: ThreadPoolExecutor, bundle: Bundle, house: House) -> Works:
    """Builds what a tap and the console need. Raises: StorageFault."""
    settings, timekeeper, posts = house.settings, house.timekeeper, house.posts
    await start_clock(store, timekeeper)
    journal = await open_journal(store, timekeeper, bundle.controller)
    recorder = Recorder(journal, timekeeper)
    refusals = Refusals(recorder, timekeeper)
    trust = Trust(bundle.controller, bundle.root_public_key)
    rights = await open_rights_cache(store, journal, trust, decoder=worker)

    def nonce() -> Nonce:
        return Nonce(house.outside.random_bytes(16).hex())

    challenges = Challenges(nonce(), timekeeper.mono_ms())
    rounds = Rounds(posts, rights, recorder, timekeeper, house.outside.random_bytes)
    for point, hold in (await read_holds(store)).items():
        if point in posts:
            posts[point].hold(hold)
    unlock_seconds_max = {door.point.key: door.unlock_seconds_max for door in settings.doors}
    commands = await open_commands(
        store,
        posts=posts,
        unlock_seconds_max=unlock_seconds_max,
        rounds=rounds,
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
        nonce=nonce,
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
    parts = Parts(
        bundle,
        Digests(bundle.site_salt, worker),
        rights,
        recorder,
        timekeeper,
        house.outside.random_bytes,
    )
    entrances = {
        # A tool knows by itself how long it may be used.
        key: Entrance(parts, post, unlock_seconds_max=unlock_seconds_max.get(key, 0))
        for key, post in posts.items()
    }
    listenings = {
        point.key: _listening(point, entrances[point.key], recorder, house)
        for point in settings.points
    }
    conversation = _conversation(bundle, house, uplink, downlink)
    housekeeping = Housekeeping(store, journal, timekeeper, posts.values())
    return Works(
        Inside(
            store, journal, rights, recorder, rounds, refusals, conversation, listenings, entrances
        ),
        recorder,
        housekeeping,
        upkeep=(recorder.run, housekeeping.run, lambda: house.announcer.run(recorder)),
        traffic=(
            rounds.run,
            *(entrance.run for entrance in entrances.values()),
            *(listening.run for listening in listenings.values()),
            *(() if conversation is None else (conversation.run,)),
        ),
    )


def _listening(
    point: PointSettings, entrance: Entrance, recorder: Recorder, house: House
) -> Listening:
    reader = point.reader
    return Listening(
        point.key,
        build_reader(reader.driver, reader.line),
        plug=lambda hears: house.outside.port(reader.port, reader.baud, hears),
        read=entrance.read,
        record=recorder.record,
        changed=house.changed.set,
        needs_two=reader.needs_two,
    )


def _conversation(
    bundle: Bundle, house: House, uplink: Uplink, downlink: Downlink
) -> Conversation | None:
    """None: the settings forbid the way to the broker. The doors work all the same."""
    try:
        route = plan_route(bundle, house.settings.mqtt)
    except EdgeError as error:
        house.health.troubles[LINK] = str(error)
        log.error("link.refused", reason=str(error))
        return None
    outside = house.outside
    return Conversation(
        route, bundle, uplink, downlink, connected=outside.connected, chance=outside.chance
    )
