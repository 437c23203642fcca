"""The real daemon in a made world: seeds, scenarios, laws (tests/prove/README.md).

python -m tests.prove.simulate [--seed N] [--count N] [--replay FILE]
"""

import argparse
import gc
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from tests.prove.world.card import Template
from tests.prove.world.drawing import draw
from tests.prove.world.facts import Violation
from tests.prove.world.scenario import Deed, Scenario, read_scenario, sooner, without
from tests.prove.world.timeline import NS
from tests.prove.world.world import World

Figures = dict[str, int | float | str]

QUICK_SCENARIOS = 120
LONG_SCENARIOS = 20_000
SHRINK_RUNS_MAX = 300
REGRESSIONS = Path(__file__).parent / "regressions"


@dataclass(slots=True)
class Stage:
    """Where worlds are made, one after the other."""

    folder: Path
    template: Template
    scenarios: int = 0
    virtual_seconds: float = 0.0
    steps: int = 0
    let_in: int = 0
    events: int = 0
    lives: int = 0
    worlds: int = field(default=0)

    def play(self, scenario: Scenario) -> Violation | None:
        """Runs one scenario; None: no law was broken."""
        self.worlds += 1
        folder = self.folder / f"world-{self.worlds}"
        folder.mkdir()
        world = World(scenario, folder, self.template)
        # A task that nobody waits for tells so when it is collected: in its own world, please.
        gc.disable()
        with logging_to(world.log.append):
            try:
                world.run()
            except Violation as violation:
                violation.add_note("\n".join(f"  {line}" for line in world.log))
                return violation
            finally:
                world.machine.end()
                gc.enable()
                gc.collect()
                shutil.rmtree(folder)
                self.virtual_seconds += world.timeline.now_ns / NS
                self.steps += world.steps
                self.let_in += world.liveness.expected
                self.lives += len(world.facts.lives)
                self.events += sum(map(len, world.facts.journals.values()))
        return world.found_afterwards()


@contextmanager
def stage() -> Generator[Stage]:
    """In memory where that is possible: the disk of the worlds is played anyhow."""
    shm = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="world-", dir=shm if shm.is_dir() else None) as name:
        gc.collect()
        gc.freeze()
        try:
            yield Stage(Path(name), Template(Path(name) / "template"))
        finally:
            gc.unfreeze()


@contextmanager
def logging_to(take: Callable[[dict[str, Any]], None]) -> Generator[None]:
    """What the daemon logs goes to the world that it runs in."""

    def keep(_logger: object, _method: str, event: Any) -> Any:
        take(dict(event))
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(processors=[structlog.processors.add_log_level, keep])
    try:
        yield
    finally:
        structlog.configure(**before)


def shrink(here: Stage, scenario: Scenario, violation: Violation) -> Scenario:
    """The smallest scenario found that still breaks the law: half of the deeds, a quarter …"""
    runs = 0
    size = max(1, len(scenario.deeds) // 2)
    while runs < SHRINK_RUNS_MAX:
        start = 0
        while start < len(scenario.deeds) and runs < SHRINK_RUNS_MAX:
            part: tuple[Deed, ...] = scenario.deeds[start : start + size]
            smaller = without(scenario, part)
            runs += 1
            found = here.play(smaller)
            if found is not None and found.sort == violation.sort:
                scenario = smaller
            else:
                start += size
        if size == 1:
            break
        size = max(1, size // 2)
    for index in range(len(scenario.deeds)):
        sooner_one = sooner(scenario, index)
        found = here.play(sooner_one)
        if found is not None and found.sort == violation.sort:
            scenario = sooner_one
    return scenario


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=QUICK_SCENARIOS)
    parser.add_argument("--replay", type=Path)
    parser.add_argument("--go-on", action="store_true")
    chosen = parser.parse_args()
    began = time.monotonic()
    failed = 0
    with stage() as here:
        if chosen.replay:
            scenarios = [read_scenario(chosen.replay)]
        else:
            scenarios = [draw(chosen.seed + number) for number in range(chosen.count)]
        for scenario in scenarios:
            found = here.play(scenario)
            if found is None:
                continue
            failed += 1
            print(f"seed {scenario.seed}: {found}")
            if chosen.go_on:
                continue
            if not chosen.replay:
                scenario = shrink(here, scenario, found)
                found = here.play(scenario)
            print(scenario.to_json())
            print(found)
            print("\n".join(found.__notes__) if found else "")
            break
        seconds = time.monotonic() - began
        print(
            f"{here.worlds} worlds, {failed} failed, {here.virtual_seconds / 86400:.3f} days,"
            f" {here.steps} steps, {here.let_in} let in, {here.events} events, {here.lives} lives,"
            f" {seconds:.1f} s"
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
