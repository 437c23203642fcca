"""The virtual building while it runs: controllers, their cables, readers, doors, and a saw.

Decides when the controllers are asked how they are: several times a second while somebody watches,
else only around a tap. What a page shows of it is for `view.py`.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Protocol

import structlog
from msgspec.structs import replace

from console.controllers.point_state import IN_USE
from console.database import Database
from console.demo import queries
from console.demo.makerspace import TABLE_CARDS, TableCard, credential_of
from console.demo.mechanics import Leaf, Move, Saw
from console.demo.taps import TapLog
from console.demo.view import BuildingView, Seen, view
from console.demo.virtual_controller import VirtualController
from console.errors import BadRequest, Busy, DatabaseUnavailable
from sync.credential import site_digest

LOOK_SECONDS = 0.1
"""Between two looks at the controllers."""
ASK_SECONDS = 0.5
"""Between two looks into the database."""
AWAY_SECONDS = 1.6
"""A card that was away for less is the same tap to a controller. Source: edge/repeats.py."""
HOLD_SECONDS = 0.7
"""As long as people hold a card to a reader: about ten frames."""
WATCHERS_MAX = 50
WATCHED_AFTER_TAP_SECONDS = 3.0

log = structlog.get_logger()


class Broker(Protocol):
    """`console.link.embedded_broker.EmbeddedBroker`."""

    @property
    def is_running(self) -> bool:
        """Whether it listens."""
        ...

    async def start(self) -> None:
        """Listens on the same port as before."""
        ...

    async def stop(self) -> None:
        """Drops everybody."""
        ...


class Building:
    """Everything that the page shows and switches. `run` must be running."""

    def __init__(
        self,
        controllers: Sequence[VirtualController],
        broker: Broker,
        database: Database,
        *,
        names: Mapping[str, str],
        site_salt: bytes,
    ) -> None:
        """`names`: of the members, by user name."""
        self._controllers: dict[str, VirtualController] = {
            c.point.controller: c for c in controllers
        }
        self._broker = broker
        self._database = database
        self._cards = {card.key: card for card in TABLE_CARDS}
        self._digests = {
            card.key: site_digest(credential_of(card.username, card.number), site_salt)
            for card in TABLE_CARDS
        }
        self.owners = {card.key: owner_of(card, names) for card in TABLE_CARDS}
        self._log = TapLog()
        self._held: dict[str, str] = {}
        self._taken_away: dict[tuple[str, str], float] = {}
        self._watchers = 0
        self._wanted = asyncio.Event()
        self._watched_until = 0.0
        self._looked = asyncio.Event()
        self._is_closed = False
        self._holding: set[asyncio.Task[None]] = set()
        self._switching = asyncio.Lock()

    def view(self) -> BuildingView:
        """What the page shows, as it was seen last."""
        seen = [
            Seen(
                controller.point,
                controller.felt(),
                controller.reported,
                is_cut=controller.cable.is_cut,
                is_booting=controller.is_running,
                held=self._held.get(controller.point.key),
            )
            for controller in self._controllers.values()
        ]
        taps = {one.point.key: self._log.last_at(one.point.key) for one in seen}
        return view(
            seen,
            broker_runs=self._broker.is_running,
            last_taps={key: tap for key, tap in taps.items() if tap is not None},
            cards=self.owners,
            tries=self._log.tries,
        )

    @asynccontextmanager
    async def watched(self) -> AsyncGenerator[None]:
        """Somebody watches for as long as the context lasts. Raises: Busy."""
        if self._watchers >= WATCHERS_MAX:
            raise Busy("Too many pages of the demo are open.")
        self._watchers += 1
        self._wanted.set()
        try:
            yield
        finally:
            self._watchers -= 1

    async def next_look(self) -> bool:
        """Returns after the next look at the building. False: there will be no more."""
        if not self._is_closed:
            await self._looked.wait()
        return not self._is_closed

    def close(self) -> None:
        """Nobody looks any more; whoever watches is told."""
        self._is_closed = True
        self._looked.set()
        for holding in self._holding:
            holding.cancel()

    async def look(self) -> None:
        """Asks all controllers now."""
        await asyncio.gather(*(controller.ask() for controller in self._controllers.values()))

    async def tap(self, card_key: str, door: str) -> None:
        """Begins to hold a card to a door's or a tool's reader. Raises: BadRequest."""
        card = self._cards.get(card_key)
        if card is None:
            raise BadRequest("There is no such card here.")
        controller = self._at(door)
        if door in self._held:
            raise BadRequest("There is a card at that reader now. Wait until it is taken away.")
        now = asyncio.get_running_loop().time()
        if now < self._taken_away.get((door, card_key), 0) + AWAY_SECONDS:
            raise BadRequest("That card was there a moment ago. Wait, or it counts as one tap.")
        self._held[door] = card.colour
        await controller.ask()
        reported = controller.reported
        self._log = self._log.with_tap(
            card=card.key,
            digest=self._digests[card.key],
            door=door,
            at=datetime.now(UTC),
            was_offline=reported is None or not reported.is_linked,
            is_in_use=reported is not None and reported.state in IN_USE,
        )
        holding = asyncio.create_task(self._hold(controller, card))
        self._holding.add(holding)
        holding.add_done_callback(self._holding.discard)
        self._watch_for_a_moment()

    async def move_leaf(self, door: str, move: Move) -> None:
        """Pushes or pulls a door's leaf. Raises: BadRequest."""
        leaf = self._at(door).moves
        if not isinstance(leaf, Leaf):
            raise BadRequest("That is no door.")
        await leaf.move(move)
        self._watch_for_a_moment()

    def switch_motor(self, tool: str, *, runs: bool) -> None:
        """Raises: BadRequest."""
        self._saw(tool).switch(runs=runs)
        self._watch_for_a_moment()

    def press_stop(self, tool: str, *, is_stopped: bool) -> None:
        """Presses the emergency stop, or pulls it out. Raises: BadRequest."""
        self._saw(tool).press(is_stopped=is_stopped)
        self._watch_for_a_moment()

    async def switch_cable(self, controller: str, *, is_cut: bool) -> None:
        """Cuts or repairs a controller's cable. Raises: BadRequest."""
        cable = self._controller(controller).cable
        async with self._switching:
            await (cable.cut() if is_cut else cable.repair())

    async def switch_broker(self, *, runs: bool) -> None:
        """Stops or starts the broker. Raises: ConsoleError."""
        async with self._switching:
            await (self._broker.start() if runs else self._broker.stop())

    async def reboot(self, controller: str) -> None:
        """Kills a controller's daemon as a power cut does, and starts it again."""
        virtual = self._controller(controller)
        async with self._switching:
            await virtual.kill()
            await virtual.start()

    async def run(self) -> None:
        """Looks while somebody watches, until cancelled."""
        async with self._database.reading() as conn:
            newest = await queries.newest_event(conn)
        self._log = replace(self._log, seen=max(self._log.seen, newest))
        clock = asyncio.get_running_loop().time
        next_question = 0.0
        while True:
            await self._wanted.wait()
            if not self._watchers and clock() > self._watched_until:
                self._wanted.clear()
                continue
            await self.look()
            self._note_what_is_seen()
            if clock() >= next_question:
                next_question = clock() + ASK_SECONDS
                await self._read_records()
            self._looked.set()
            self._looked = asyncio.Event()
            await asyncio.sleep(LOOK_SECONDS)

    async def _hold(self, controller: VirtualController, card: TableCard) -> None:
        try:
            await controller.reader.hold(credential_of(card.username, card.number), HOLD_SECONDS)
        finally:
            key = controller.point.key
            self._held.pop(key, None)
            self._taken_away[key, card.key] = asyncio.get_running_loop().time()

    def _watch_for_a_moment(self) -> None:
        self._watched_until = asyncio.get_running_loop().time() + WATCHED_AFTER_TAP_SECONDS
        self._wanted.set()

    def _note_what_is_seen(self) -> None:
        now = datetime.now(UTC)
        for controller in self._controllers.values():
            reported = controller.reported
            if reported is not None:
                self._log = self._log.with_light(controller.point.key, reported.light, now)
                self._log = self._log.with_state(reported.state)

    async def _read_records(self) -> None:
        try:
            async with self._database.reading() as conn:
                records = await queries.records_after(conn, event_id=self._log.seen)
        except DatabaseUnavailable:
            return  # it is asked again soon
        self._log = self._log.with_records(records)

    def _at(self, key: str) -> VirtualController:
        for controller in self._controllers.values():
            if controller.point.key == key:
                return controller
        raise BadRequest("There is no such door or tool here.")

    def _saw(self, key: str) -> Saw:
        saw = self._at(key).moves
        if not isinstance(saw, Saw):
            raise BadRequest("That is no tool.")
        return saw

    def _controller(self, name: str) -> VirtualController:
        controller = self._controllers.get(name)
        if controller is None:
            raise BadRequest("There is no such controller here.")
        return controller


def owner_of(card: TableCard, names: Mapping[str, str]) -> str:
    """Whose card, as the page calls it; `names` by user name."""
    return "Nobody’s card" if card.username is None else names[card.username]
