"""The daemon's own code in this process: a made guard and a made broker, everything else real."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from edge.assembly import House, build
from edge.daemon import keep
from edge.disk import Disk
from edge.door import DoorState
from edge.health import Inside
from edge.inbox import Inbox, Received
from edge.lease import GrantId
from edge.link import Route
from edge.outside import RelayChanged, real
from edge.settings import EdgeSettings, read_settings
from edge.store import Store, open_store
from sync.bundle import Bundle, encode_bundle
from sync.envelope import CONSOLE, Kind, open_
from sync.ids import PointKey
from sync.messages import Report, decode_report
from sync.signing import public_key
from sync.topics import Leaf
from tests.support.serial_line import SerialLine
from tests.support.signer import FRONT, Signer
from tests.support.waiting import eventually

STUCK_SECONDS = 60.0
"""Longer than anything here takes on a machine that does other work, too."""


class MadeRelays:
    """A guard that does what it is told. `energised` hears of each grant as the relay goes on."""

    def __init__(self, changed: RelayChanged, energised: Callable[[GrantId], None]) -> None:
        self._changed = changed
        self._energised = energised
        self._grants: dict[PointKey, GrantId] = {}

    @property
    def ready(self) -> bool:
        return True

    async def answers(self, seconds: float) -> bool:
        del seconds
        return True

    async def until_ready(self) -> None:
        pass

    def is_on(self, point: PointKey) -> bool | None:
        return point in self._grants

    def lease(self, point: PointKey, grant_id: GrantId, until: float) -> bool:
        assert until - asyncio.get_running_loop().time() <= 0.5
        before = self._grants.get(point)
        self._grants[point] = grant_id
        if before != grant_id:
            self._energised(grant_id)
        if before is None:
            asyncio.get_running_loop().call_soon(self._changed, point, True)
        return True

    def release(self, point: PointKey, grant_id: GrantId) -> bool:
        if self._grants.get(point) == grant_id:
            del self._grants[point]
            asyncio.get_running_loop().call_soon(self._changed, point, False)
        return True

    async def run(self) -> None:
        self._changed(FRONT, False)
        await asyncio.Event().wait()


class MadeSession:
    """A broker that hands over what the proof puts in, and keeps what the controller reports."""

    def __init__(self, signer: Signer) -> None:
        self._public_key = public_key(signer.controller_seed)
        self._inbox = Inbox()
        self._is_done = asyncio.Event()
        self.reports: list[Report] = []

    async def publish(self, leaf: Leaf, data: bytes) -> None:
        if leaf is Leaf.REPORT:
            payload = open_(data, Kind.REPORT, CONSOLE, public_key=self._public_key)
            self.reports = [*self.reports[-9:], decode_report(payload)]

    async def next_message(self) -> Received:
        self._is_done.set()  # the one before has had its effect
        received = await self._inbox.take()
        self._is_done.clear()
        return received

    async def take_in(self) -> None:
        await asyncio.Event().wait()

    async def deliver(self, leaf: Leaf, data: bytes, *, is_retained: bool = False) -> None:
        """Returns when the daemon has done with the message."""
        async with asyncio.timeout(STUCK_SECONDS):
            await self._is_done.wait()
            self._is_done.clear()
            self._inbox.put(Received(leaf, data, is_retained))
            await self._is_done.wait()


@dataclass(frozen=True)
class Stand:
    """A controller with the door `front` that runs and is connected."""

    house: House
    session: MadeSession
    line: SerialLine

    @property
    def inside(self) -> Inside:
        inside = self.house.health.inside
        assert inside is not None
        return inside

    async def until(self, check: Callable[[], bool]) -> None:
        await eventually(check, seconds=STUCK_SECONDS, every=0.001)


@asynccontextmanager
async def standing(
    folder: Path,
    signer: Signer,
    *,
    disk: Disk,
    energised: Callable[[GrantId], None],
    mono_ns: Callable[[], int] = time.monotonic_ns,
) -> AsyncGenerator[Stand]:
    """Runs the daemon on the folder, and ends it in good order. `mono_ns` may leap ahead."""
    line, session = SerialLine(), MadeSession(signer)
    bundle = folder.parent / "bundle.json"
    bundle.write_bytes(encode_bundle(signer.bundle()))

    def relays(_settings: EdgeSettings, changed: RelayChanged) -> MadeRelays:
        return MadeRelays(changed, energised)

    async def store(data_dir: Path, owner: str) -> tuple[Store, Path | None]:
        return await open_store(data_dir, owner, disk=disk)

    @asynccontextmanager
    async def connected(_route: Route, _bundle: Bundle) -> AsyncGenerator[MadeSession]:
        yield session

    outside = replace(real(), mono_ns=mono_ns, relays=relays, store=store, connected=connected)
    house = build(_settings(folder, bundle, line), outside)
    stop = asyncio.Event()
    keeping = asyncio.ensure_future(keep(house, stop))
    stand = Stand(house, session, line)
    try:
        await stand.until(lambda: keeping.done() or _is_ready(stand))
        yield stand
    finally:
        stop.set()
        async with asyncio.timeout(STUCK_SECONDS):
            await keeping
        line.close()


def _is_ready(stand: Stand) -> bool:
    state = stand.house.posts[FRONT].status()["state"]
    return state not in {DoorState.BOOT, DoorState.FAULT} and bool(stand.session.reports)


def _settings(folder: Path, bundle: Path, line: SerialLine) -> EdgeSettings:
    door = {
        "key": FRONT,
        "reader": {"driver": "rdm6300", "port": str(line.path)},
        "relay": {"pin": 17},
    }
    document = {"data_dir": str(folder), "bundle": str(bundle), "door": [door]}
    return read_settings(document, {}, source="the stand")
