"""One controller in a made world: runs a scenario, and checks every law after every step."""

import json
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

from edge.lease import Lease, Release
from edge.settings import EdgeSettings, read_settings
from sync.commands import Operation
from sync.topics import Leaf
from tests.prove.world import deeds
from tests.prove.world.card import Query, SdCard, Template
from tests.prove.world.cast import DOORS, POINTS, TOOL
from tests.prove.world.circuits import PINS, Circuits
from tests.prove.world.console import Console
from tests.prove.world.facts import Facts, Life, Row, Violation
from tests.prove.world.journal_laws import AGE_MS_MAX, Clock, Heard, Journal
from tests.prove.world.liveness import Liveness, check_order, check_withdrawals
from tests.prove.world.machine import Machine, Surroundings, enrol
from tests.prove.world.network import Broker, Weather
from tests.prove.world.oracle import PointRule
from tests.prove.world.reader import CardReader
from tests.prove.world.relay_board import RelayBoard
from tests.prove.world.relay_laws import CHALLENGE_NS, Relays
from tests.prove.world.scenario import AWAITED, Scenario
from tests.prove.world.standing import Standing
from tests.prove.world.tap_laws import Decisions, Taps
from tests.prove.world.timeline import MS, NS, Timeline
from tests.prove.world.tool_laws import ToolLaws, ToolSettings

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
        self._lasting: dict[tuple[str, str], bool] = {}
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
            moved=self._guarded(self._pin_moved),
            ordered=self._guarded(self._ordered),
        )
        self.circuits = Circuits(
            self.timeline, self.random("circuits"), self._guarded(self._circuit_moved)
        )
        self._build_laws()
        enrol(folder)
        around = Surroundings(
            self.timeline,
            self.random("machine"),
            self.card,
            self.board,
            self.broker,
            self.readers,
            self.circuits,
        )
        self.machine = Machine(
            around,
            settings_in(folder, scenario.tool),
            drew=self._drew,
            began=self._began,
            ended=self._ended,
        )
        self.steps = 0
        self._asleep_ns = 0

    def _build_laws(self) -> None:
        self.journal = Journal(self.timeline, self.facts)
        self.clock = Clock(self.timeline, self.facts)
        self.taps = Taps(self.timeline, self.facts)
        self.standing = Standing(self.timeline, self.facts, self.console, self.clock)
        self.decisions = Decisions(
            self.timeline, self.facts, self.console, self.clock, self.standing
        )
        self.tools = ToolLaws(self.timeline, self.facts, self.scenario.tool)
        self.relays = Relays(
            self.timeline, self.facts, self.console, self.decisions, self.standing, self.tools
        )
        self.liveness = Liveness(
            self.timeline,
            self.facts,
            self.console,
            self.relays,
            self.standing,
            self.clock.situations,
        )

    def random(self, purpose: str) -> Random:
        """A stream of its own for each purpose, so that one deed less changes little else."""
        return Random(f"{self.scenario.seed}/{purpose}")

    # The course of it.

    def run(self) -> None:
        """Raises: Violation."""
        self.console.points = {point: usual_rule(point) for point in POINTS}
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
                asleep_ns = int(deed.how["seconds"] * NS)
                self._asleep_ns += asleep_ns
                self.run_until(self.timeline.now_ns + asleep_ns)
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
        self.broker.is_reachable = self.console.is_up = self.console.takes_events = True
        self.card.fail(None)
        self.card.slow_seconds = 0.0
        self.machine.hash_failure = None
        for reader in self.readers.values():
            reader.plug_in()
        self.circuits.mend()
        if missing := [point for point in POINTS if point not in self.console.points]:
            self.console.points |= {point: usual_rule(point) for point in missing}
            self.console.publish_rights()
        self.machine.wake()
        until_ns = self.timeline.now_ns + HEALING_SECONDS * NS
        while self.timeline.now_ns < until_ns:
            self.run_until(self.timeline.now_ns + 8 * NS)
            for point in POINTS:  # somebody has looked after it
                self.console.order(Operation.LOCK, point)
                self.run_until(self.timeline.now_ns + NS)
            with suppress(Violation):
                self._check_order()
                return
        self._check_order()

    def _check_order(self) -> None:
        at_rest = {
            point: AT_REST[shut[0] if (shut := self.standing.place(point).shut) else ""]
            for point in POINTS
        }
        check_order(self.facts, self.console, self._state(), at_rest)

    def _end(self) -> None:
        check_withdrawals(self.facts, self.relays.has_moved)
        self.machine.end()

    def counts(self) -> dict[str, int]:
        """What there was to check."""
        facts = self.facts
        return {
            "virtual seconds": self.timeline.now_ns // NS,
            "awake seconds": (self.timeline.now_ns - self._asleep_ns) // NS,
            "steps": self.steps,
            "starts": len(facts.lives),
            "presentations": len(facts.reads),
            "let in in time": self.liveness.expected,
            "events": sum(map(len, facts.journals.values())),
            "leases": self.relays.leases,
        }

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
        facts, journal = self.facts, self.facts.journal
        rows = self.journal.committed(query)
        if journal != facts.journal:
            # The age of a store that has never heard of anything.
            self.clock.begun(0, facts.ages[facts.journal][0])
            self.standing.begun(is_new_store=journal != "")
        for row in rows:
            self.clock.check(row)
            self.taps.check(row)
            self.standing.note(row)
            self.decisions.check(row)
            self.relays.recorded(row)
            if row.kind == "snapshot_applied":
                facts.rights_lost_ns = None
        self._check_age()

    def _check_age(self) -> None:
        age_ms, written_ns = self.facts.ages[self.facts.journal]
        now_ns = self.timeline.now_ns
        if written_ns == now_ns and not self.facts.troubled(now_ns, now_ns, "disk", "stall"):
            self.clock.check_age(age_ms + 5000, now_ns)

    def _pin_moved(self, point: str, is_on: bool) -> None:
        self.circuits.relay_moved(point, is_on)
        self.relays.moved(point, is_on)

    def _circuit_moved(self, point: str, name: str, is_closed: bool) -> None:
        moves = self.facts.circuits.setdefault((point, name), [])
        moves.append((self.timeline.now_ns, is_closed))
        number = len(moves)
        lasting = self._guarded(lambda: self._circuit_lasts(point, name, is_closed, number))
        # What lasts hardly longer or shorter than contacts bounce, nobody can be sure of.
        self.timeline.after(0.045 if name == "current" and is_closed else 0.06, lasting)

    def _circuit_lasts(self, point: str, name: str, is_closed: bool, moves: int) -> None:
        """It has been so for as long as contacts bounce."""
        if len(self.facts.circuits[point, name]) != moves:
            return
        was, self._lasting[point, name] = self._lasting.get((point, name)), is_closed
        if was is is_closed:
            return
        if name == "contact" and not is_closed:
            self.relays.leaf_opened(point)
        elif name == "current":
            self.tools.current_moved(is_closed)

    def _ordered(self, order: Lease | Release) -> None:
        self.relays.ordered(order, self.machine.mono_ns())

    def _drew(self, data: bytes) -> None:
        if len(data) == 16:
            self.facts.nonces[data.hex()] = (self.timeline.now_ns, self.facts.life.number)

    def _delivered(self, leaf: Leaf, data: bytes, is_retained: bool) -> None:
        if leaf is not Leaf.BEACON or is_retained or data not in self.console.beacons:
            return
        nonce, time_ms, version = self.console.beacons[data]
        drawn_ns, life = self.facts.nonces.get(nonce, (0, -1))
        now_ns = self.timeline.now_ns
        if life == self.facts.life.number and now_ns - drawn_ns <= CHALLENGE_NS:
            self.clock.heard(
                Heard(now_ns, time_ms, drawn_ns, version, self.facts.in_force().version)
            )

    def _reading(self, point: str) -> Callable[[str], None]:
        def read(card: str) -> None:
            found = self.taps.read(point, card)
            if point == TOOL:
                book = self.console.books.get(self.facts.in_force().version)
                has_right = book is not None and card in book.cards
                self.tools.read(card, is_new=found is not None, has_right=has_right)
            if found is not None:
                self.liveness.read(found)

        return read

    def _began(self) -> None:
        self.facts.lives.append(Life(len(self.facts.lives) + 1, self.timeline.now_ns))
        self.facts.trouble("power", self.timeline.now_ns, 0)
        rows: list[Row] = self.facts.rows()[-100:]
        known = max((row.event["time_ms"] for row in rows), default=0)
        age_ms, _ = self.facts.ages.get(self.facts.journal, (AGE_MS_MAX, 0))
        self.clock.begun(max(known, self.journal.clock_ms), age_ms)
        self.taps.begun()
        self.standing.begun(is_new_store=False)
        self.tools.begun()

    def _ended(self, how: str) -> None:
        self.facts.life.ended_ns = self.timeline.now_ns
        self.facts.trouble("power", self.timeline.now_ns, 0)
        now_ns = self.timeline.now_ns
        is_excused = "StorageFault" in how and self.facts.troubled(now_ns, now_ns, "disk")
        if how.startswith("by itself") and not is_excused:
            self._doubt("I16", f"the daemon ended {how}")


AT_REST = {
    "": {"locked", "unlocked", "opened"},
    "lockdown": {"lockdown"},
    "out_of_service": {"out_of_service"},
    "stop_now": {"out_of_service"},
}


def usual_rule(point: str) -> PointRule:
    return PointRule(unlock_seconds=5, kind="tool" if point == TOOL else "door")


def settings_in(folder: Path, tool: ToolSettings) -> EdgeSettings:
    """As an operator would write them."""
    points: dict[str, dict[str, object]] = {
        point: {
            "key": point,
            "reader": {"driver": "rdm6300", "port": f"/dev/{point}"},
            "relay": {"pin": 16 + number},
            **{name: {"pin": pin} for name, pin in PINS[point].items()},
        }
        for number, point in enumerate(POINTS)
    }
    points[TOOL] |= {
        "mode": "card-present" if tool.is_card_present else "tap-toggle",
        "long_job": tool.is_long_job,
        "start_seconds": tool.start_seconds,
        "idle_seconds": tool.idle_seconds,
        "session_seconds_max": tool.session_seconds,
    }
    document = {
        "data_dir": str(folder),
        "door": [points[door] for door in DOORS],
        "tool": [points[TOOL]],
    }
    return read_settings(document, {}, source="the world")
