"""The Raspberry Pi: it gets and loses power, and runs the real daemon, again and again."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from edge.assembly import House, build
from edge.board import NOWHERE
from edge.daemon import keep
from edge.enrolment import KEPT_NAME
from edge.listening import Hears
from edge.outside import Outside, RelayChanged
from edge.relays import Relays
from edge.settings import EdgeSettings
from edge.store import open_store
from edge.together import together
from edge.unlocks import HoldsRelays
from edge.watchdog import watch
from sync.bundle import encode_bundle
from sync.credential import Credential, site_digest
from sync.ids import SiteDigest
from tests.prove.world.card import SdCard
from tests.prove.world.cast import the_bundle
from tests.prove.world.circuits import Circuits
from tests.prove.world.loop import Effort, VirtualLoop
from tests.prove.world.network import Broker
from tests.prove.world.reader import CardReader, VirtualPort
from tests.prove.world.relay_board import RelayBoard
from tests.prove.world.timeline import NS, Timeline

RESTART_SECONDS = 1.0
"""systemd starts a daemon again that has ended."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the machine is wired to."""

    timeline: Timeline
    random: Random
    card: SdCard
    board: RelayBoard
    broker: Broker
    readers: dict[str, CardReader]
    circuits: Circuits


@dataclass(slots=True)
class Boot:
    """One start of the daemon. `has_begun`: it has run at all."""

    loop: VirtualLoop
    stop: asyncio.Event
    main: asyncio.Task[None] | None = None
    house: House | None = None
    has_begun: bool = False


class NoLight:
    """A light that nobody looks at."""

    def on(self) -> None:
        pass

    def off(self) -> None:
        pass

    def close(self) -> None:
        pass


class Machine:
    """Powered or not; with a daemon that runs or doesn't."""

    def __init__(
        self,
        around: Surroundings,
        settings: EdgeSettings,
        *,
        drew: Callable[[bytes], None],
        began: Callable[[], None],
        ended: Callable[[str], None],
    ) -> None:
        """`drew`: the daemon got random bytes. `began`, `ended`: the daemon did; and why."""
        self._around = around
        self._settings = settings
        self._drew = drew
        self._began = began
        self._ended = ended
        self._power_on_ns = 0
        self._life = 0
        self._dark_until_ns = 0
        self._stalled_until_ns = 0
        self.has_power = False
        self.boot: Boot | None = None
        self.wall_offset_ns = 0
        self.hash_failure: type[BaseException] | None = None
        self.late_most_ns = 500_000
        self.mishaps: list[str] = []
        """Errors that asyncio told of, since nobody else did."""

    # Clocks.

    def mono_ns(self) -> int:
        """Since the power came."""
        return self._around.timeline.now_ns - self._power_on_ns + 5 * NS

    def wall_ns(self) -> int:
        return self._around.timeline.now_ns + self.wall_offset_ns

    # What befalls it.

    def power_on(self) -> None:
        if not self.has_power and self._around.timeline.now_ns >= self._dark_until_ns:
            self.has_power = True
            self._power_on_ns = self._around.timeline.now_ns
            self.start()

    def start(self) -> None:
        """systemd starts the daemon."""
        if not self.has_power or self.boot is not None:
            return
        around = self._around
        self._life += 1
        loop = VirtualLoop(
            around.timeline,
            mono_ns=self.mono_ns,
            late_ns=lambda: around.random.randrange(self.late_most_ns),
            effort=self._effort,
            instead=self._instead,
            mishaps=self.mishaps,
        )
        loop.stalled_until_ns = self._stalled_until_ns
        with loop.running():
            boot = Boot(loop, asyncio.Event())
            boot.main = loop.create_task(self._run(boot))
        self.boot = boot

    def lose_power(self, seconds: float) -> None:
        """Everything stops at once; the disk has what was committed."""
        until_ns = self._around.timeline.now_ns + int(seconds * NS)
        self._dark_until_ns = max(self._dark_until_ns, until_ns)
        self._around.timeline.at(self._dark_until_ns, self.power_on)
        if self.has_power:
            self.has_power = False
            self._around.board.lose_power()
            self._die("power")

    def kill(self) -> None:
        """kill -9 of the daemon; the guard is left to notice."""
        if self.boot is not None:
            self._die("kill")
            self._restart()

    def stop(self) -> None:
        """SIGTERM, and a start some time later."""
        boot = self.boot
        if boot is not None:
            boot.loop.call_soon(boot.stop.set)

    def stall(self, seconds: float) -> None:
        """The daemon's loop stands still, as under a hog or SIGSTOP."""
        until_ns = self._around.timeline.now_ns + int(seconds * NS)
        self._stalled_until_ns = max(self._stalled_until_ns, until_ns)
        if self.boot is not None:
            self.boot.loop.stalled_until_ns = self._stalled_until_ns

    def wake(self) -> None:
        """With power, and a loop that goes on."""
        self._dark_until_ns = self._stalled_until_ns = 0
        self.power_on()
        if self.boot is not None:
            self.boot.loop.stalled_until_ns = 0

    def has_ended(self) -> None:
        """The daemon's main task is done: it was stopped, or something went wrong."""
        boot = self.boot
        assert boot is not None
        assert boot.main is not None
        error = None if boot.main.cancelled() else boot.main.exception()
        self._die("stop" if error is None and boot.stop.is_set() else f"by itself: {error!r}")
        self._restart()

    def end(self) -> None:
        """The world ends."""
        self.has_power = False
        self._around.board.lose_power()
        self._die("end")

    def _restart(self) -> None:
        life = self._life
        self._around.timeline.after(
            RESTART_SECONDS, lambda: self.start() if self._life == life else None
        )

    def _die(self, how: str) -> None:
        boot, self.boot = self.boot, None
        if boot is None:
            return
        self._around.broker.detach()
        for reader in self._around.readers.values():
            reader.abandon()
        if self._around.board.process is not None:
            self._around.board.process.close()
        boot.loop.die()
        self._around.card.lose_power()
        if boot.has_begun:
            self._ended(how)

    # What the daemon is given.

    async def _run(self, boot: Boot) -> None:
        boot.has_begun = True
        self._began()
        boot.house = build(self._settings, self._outside(boot.loop))
        house = boot.house
        watching = watch(self._settings, house.relays, house.health)
        await together(keep(house, boot.stop), watching)

    def _outside(self, loop: VirtualLoop) -> Outside:
        around = self._around

        def random_bytes(size: int) -> bytes:
            data = around.random.randbytes(size)
            if not loop.is_dead:
                self._drew(data)
            return data

        def relays(settings: EdgeSettings, changed: RelayChanged) -> HoldsRelays:
            return Relays(
                {point.key: point.relay_pins for point in settings.points},
                work_dir=settings.data_dir / "guard",
                changed=changed,
                start=lambda arguments, folder: around.board.start_guard(loop, arguments, folder),
            )

        def port(path: str, _baud: int, hears: Hears) -> VirtualPort:
            return VirtualPort(around.readers[Path(path).name], loop, hears)

        def listen(
            _pin: int, purpose: str, _folder: Path, changed: Callable[[bool], None]
        ) -> object:
            return around.circuits.wire(loop, purpose, changed)

        return Outside(
            mono_ns=self.mono_ns,
            wall_ns=self.wall_ns,
            random_bytes=random_bytes,
            chance=around.random.random,
            relays=relays,
            output=lambda _number, _purpose, _folder: NoLight(),
            input=listen,
            port=port,
            store=lambda data_dir, owner: open_store(data_dir, owner, disk=around.card.disk()),
            connected=lambda route, bundle: around.broker.connecting(loop, route, bundle),
            places=NOWHERE,
        )

    def _effort(self, executor: Executor) -> Callable[[], Effort]:
        assert isinstance(executor, ThreadPoolExecutor)
        if executor._thread_name_prefix == "store":  # pyright: ignore
            return self._around.card.effort
        random = self._around.random
        return lambda: Effort(random.uniform(0.004, 0.03), is_done_first=random.random() < 0.5)

    def _instead(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """What a thread does: the slow hash is remembered from scenario to scenario."""
        if func is not site_digest:
            return func
        if self.hash_failure is not None:
            raise self.hash_failure
        return remembered_digest


@cache
def remembered_digest(credential: Credential, site_salt: bytes) -> SiteDigest:
    return site_digest(credential, site_salt)


def enrol(data_dir: Path) -> None:
    """As after the first start with a bundle."""
    (data_dir / KEPT_NAME).write_bytes(encode_bundle(the_bundle()))
