"""One controller in a made world: runs a scenario, and checks every law after every step."""

import json
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

from edge.lease import Lease, Release
from edge.settings import read_settings
from sync.topics import Leaf
from tests.prove.world import deeds
from tests.prove.world.card import Query, SdCard, Template
from tests.prove.world.cast import POINTS
from tests.prove.world.console import Console
from tests.prove.world.facts import Facts, Life, Row, Violation
from tests.prove.world.laws import CHALLENGE_NS, Clock, Decisions, Journal, Relays, Taps
from tests.prove.world.liveness import Liveness, check_order, check_withdrawals
from tests.prove.world.machine import Machine, Surroundings, enrol
from tests.prove.world.network import Broker, Weather
from tests.prove.world.oracle import PointRule, Situation
from tests.prove.world.reader import CardReader
from tests.prove.world.relay_board import RelayBoard
from tests.prove.world.scenario import AWAITED, Scenario
from tests.prove.world.timeline import MS, NS, Timeline

STEPS_AT_ONCE_MAX = 20_000
"""A daemon that does so much without any time going by runs in circles."""

AFTERWARDS_SECONDS = 8
HEALING_SECONDS = 240
"""Longer than every back-off of the controller together."""


class World:
    """Built for one scenario, in a folder of its own."""

    def __init__(self, scenario: Scenario, folder: Path, template: Template) -> None:
        self.scenario = scenario
        self.timeline = Timeline()
        self.facts = Facts()
        self.log: deque[dict[str, Any]] = deque(maxlen=60)
        self.fatal: tuple[int, str, float] | None = None
        """The daemon dies after so many steps: of what, and for how long."""

        self._violation: Violation | None = None
        template.waiting = scenario.waiting
        self.card = SdCard(folder, self.timeline, self.random("disk"), template)
        self.card.slow_seconds = scenario.slow_seconds
        self.card.committed = self._guarded(self._committed)
        self.broker = Broker(self.timeline, self.random("network"))
        self.broker.weather = Weather(scenario.loss, scenario.doubling, scenario.late_seconds)
        self.broker.delivered = self._delivered
        self.console = Console(
            self.timeline, self.random("console"), self.broker, doubt=self._doubt
        )
        self.readers = {
            point: CardReader(self.timeline, self.random(point), self._reading(point))
            for point in POINTS
        }
        self.board = RelayBoard(
            self.timeline,
            self.random("guard"),
            POINTS,
            mono_ns=lambda: self.machine.mono_ns(),
            moved=self._guarded(lambda point, is_on: self.relays.moved(point, is_on)),
            ordered=self._guarded(self._ordered),
        )
        self._build_laws()
        enrol(folder)
        around = Surroundings(
            self.timeline, self.random("machine"), self.card, self.board, self.broker, self.readers
        )
        self.machine = Machine(
            around, settings_in(folder), drew=self._drew, began=self._began, ended=self._ended
        )
        self.steps = 0

    def _build_laws(self) -> None:
        self.journal = Journal(self.timeline, self.facts)
        self.clock = Clock(self.timeline, self.facts, self.console)
        self.taps = Taps(self.timeline, self.facts)
        self.decisions = Decisions(self.facts, self.console, age_ms=lambda _row: (0, 0))
        self.relays = Relays(self.timeline, self.facts, self.console, self.decisions)
        self.liveness = Liveness(
            self.timeline, self.facts, self.console, self.relays, self._situations
        )

    def random(self, purpose: str) -> Random:
        """A stream of its own for each purpose, so that one deed less changes little else."""
        return Random(f"{self.scenario.seed}/{purpose}")

    # The course of it.

    def run(self) -> None:
        """Raises: Violation."""
        self.console.points = {point: PointRule(unlock_seconds=5) for point in POINTS}
        self.console.publish_keys()
        if self.scenario.slow_seconds > 0.1:
            self.facts.trouble("slow", 0, 10**9)
        if self.scenario.waiting:
            self.facts.trouble("journal", 0, 10**9)
        self.machine.power_on()
        for deed in self.scenario.deeds:
            self.run_until(self.timeline.now_ns + deed.pause_ms * MS)
            self._guarded(deeds.DEEDS[deed.what])(self, **deed.how)
            if deed.what in AWAITED:
                self.run_until(self.timeline.now_ns + int(deed.how["seconds"] * NS))
        self.run_until(self.timeline.now_ns + AFTERWARDS_SECONDS * NS)
        self._heal()
        self._end()

    def run_until(self, until_ns: int) -> None:
        """Raises: Violation."""
        timeline = self.timeline
        at_once = 0
        while True:
            self._raise()
            boot = self.machine.boot
            loop_ns = boot.loop.next_ns() if boot else None
            if boot and boot.loop.has_ready and loop_ns is not None and loop_ns <= timeline.now_ns:
                at_once += 1
                if at_once > STEPS_AT_ONCE_MAX:
                    raise Violation("I16", "the daemon runs in circles")
                self._step()
                continue
            next_ns = timeline.next_ns()
            soonest = min((ns for ns in (next_ns, loop_ns) if ns is not None), default=until_ns + 1)
            if soonest > timeline.now_ns:
                at_once = 0
                self.relays.check(min(soonest, until_ns))
            if soonest > until_ns:
                timeline.now_ns = until_ns
                return
            timeline.now_ns = max(timeline.now_ns, soonest)
            if next_ns is not None and next_ns <= soonest:
                self._guarded(timeline.happen)()
            elif boot is not None:
                boot.loop.wake()

    def _step(self) -> None:
        boot = self.machine.boot
        assert boot is not None
        boot.loop.step()
        self.steps += 1
        if boot.main is not None and boot.main.done():
            self.machine.has_ended()
        elif self.fatal is not None:
            steps, how, seconds = self.fatal
            self.fatal = (steps - 1, how, seconds)
            if steps <= 0:
                self.fatal = None
                deeds.die(self, how, seconds)

    def _heal(self) -> None:
        """All is well with the world again: the controller has to get in order by itself."""
        self.fatal = None
        self.broker.weather = Weather()
        self.broker.is_reachable = self.console.is_up = True
        self.card.fail(None)
        self.card.slow_seconds = 0.0
        self.machine.hash_failure = None
        for reader in self.readers.values():
            reader.plug_in()
        self.machine.wake()
        until_ns = self.timeline.now_ns + HEALING_SECONDS * NS
        while self.timeline.now_ns < until_ns:
            self.run_until(self.timeline.now_ns + 10 * NS)
            with suppress(Violation):
                check_order(self.facts, self.console, self._state())
                return
        check_order(self.facts, self.console, self._state())

    def _end(self) -> None:
        check_withdrawals(self.facts, self.relays.has_moved)
        self.machine.end()

    def found_afterwards(self) -> Violation | None:
        """What showed only once everything had been put away."""
        mishaps = self.machine.mishaps
        return Violation("I16", f"an error that nobody expected: {mishaps}") if mishaps else None

    def _state(self) -> dict[str, Any]:
        """What the daemon reports of itself."""
        boot = self.machine.boot
        if boot is None or boot.house is None:
            raise Violation("I21", "no daemon runs at the end")
        with boot.loop.running():
            return json.loads(json.dumps(boot.house.health.state()))

    # What is told to the laws. None of it may raise into the daemon.

    def _guarded(self, what: Callable[..., None]) -> Callable[..., None]:
        def tell(*args: Any, **named: Any) -> None:
            try:
                what(*args, **named)
            except Violation as violation:
                self._violation = self._violation or violation

        return tell

    def _doubt(self, law: str, text: str) -> None:
        self._violation = self._violation or Violation(law, text)

    def _raise(self) -> None:
        if self._violation is not None:
            raise self._violation

    def _committed(self, query: Query) -> None:
        journal = self.facts.journal
        rows = self.journal.committed(query)
        if journal not in {"", self.facts.journal}:
            self.clock.begun(0)
        for row in rows:
            self.clock.check(row)
            self.taps.check(row)
            self.decisions.check(row)

    def _ordered(self, order: Lease | Release) -> None:
        self.relays.ordered(order, self.machine.mono_ns())

    def _drew(self, data: bytes) -> None:
        if len(data) == 16:
            self.facts.nonces[data.hex()] = (self.timeline.now_ns, self.facts.life.number)

    def _delivered(self, leaf: Leaf, data: bytes, is_retained: bool) -> None:
        if leaf is not Leaf.BEACON or is_retained or data not in self.console.beacons:
            return
        nonce, time_ms = self.console.beacons[data]
        drawn_ns, life = self.facts.nonces.get(nonce, (0, -1))
        if life == self.facts.life.number and self.timeline.now_ns - drawn_ns <= CHALLENGE_NS:
            self.clock.heard(time_ms)

    def _reading(self, point: str) -> Callable[[str], None]:
        def read(card: str) -> None:
            found = self.taps.read(point, card)
            if found is not None:
                self.liveness.read(found)

        return read

    def _began(self) -> None:
        self.facts.lives.append(Life(len(self.facts.lives) + 1, self.timeline.now_ns))
        self.facts.trouble("power", self.timeline.now_ns, 0)
        rows: list[Row] = self.facts.rows()[-100:]
        known = max((row.event["time_ms"] for row in rows), default=0)
        self.clock.begun(max(known, self.journal.clock_ms))
        self.taps.begun()

    def _ended(self, how: str) -> None:
        self.facts.life.ended_ns = self.timeline.now_ns
        self.facts.trouble("power", self.timeline.now_ns, 0)
        if how.startswith("by itself"):
            self._doubt("I16", f"the daemon ended {how}")

    def _situations(self) -> list[Situation]:
        return self.clock.situations()


def settings_in(folder: Path):
    doors = [
        {
            "key": point,
            "reader": {"driver": "rdm6300", "port": f"/dev/{point}"},
            "relay": {"pin": 17 + number},
        }
        for number, point in enumerate(POINTS)
    ]
    return read_settings({"data_dir": str(folder), "door": doors}, {}, source="the world")
