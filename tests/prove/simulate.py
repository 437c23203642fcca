"""The simulation: the real daemon in a made world, scenario after scenario (world/__init__.py).

    python -m tests.prove.simulate [--seed N] [--count N] [--go-on] [--replay FILE] [--log]

As a part of `make prove` it takes a fixed number of scenarios by the seed. A failure is made as
small as possible and told as a file for `regressions/`, which are played again each time.
"""

import argparse
import gc
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from tests.prove.progress import counted
from tests.prove.world.card import Template
from tests.prove.world.drawing import draw
from tests.prove.world.facts import Violation
from tests.prove.world.scenario import Deed, Scenario, read_scenario, sooner, without
from tests.prove.world.world import World

Figures = dict[str, int | float | str]

QUICK_SCENARIOS = 40
LONG_SCENARIOS = 1_000
LONG_DAYS = 30
SHRINK_RUNS_MAX = 300
REGRESSIONS = Path(__file__).parent / "regressions"


@dataclass(slots=True)
class Stage:
    """Where worlds are made, one after the other."""

    folder: Path
    template: Template
    worlds: int = 0
    counts: Counter[str] = field(default_factory=Counter[str])

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
                self.counts.update(world.counts())
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


def prove(*, is_long: bool, seed: int) -> Figures:
    """Raises: AssertionError, with the seed and the smallest case."""
    with stage() as here:
        regressions = sorted(REGRESSIONS.glob("*.json"))
        for path in regressions:
            found = here.play(read_scenario(path))
            assert found is None, f"{path.name}: {found}"
        here.counts.clear()
        count = LONG_SCENARIOS if is_long else QUICK_SCENARIOS
        for number in counted(count, "scenarios"):
            scenario = draw(seed + number, days=LONG_DAYS if is_long else 0)
            found = here.play(scenario)
            if found is not None:
                raise AssertionError(told(here, scenario, found))
        return {"scenarios": count, "regressions": len(regressions), **figures(here)}


def figures(here: Stage) -> Figures:
    counts = dict(here.counts)
    virtual, awake = counts.pop("virtual seconds"), counts.pop("awake seconds")
    return {
        "controller_days": round(virtual / 86_400, 1),
        "awake_hours": round(awake / 3600, 1),
        **{name.replace(" ", "_"): number for name, number in sorted(counts.items())},
    }


def told(here: Stage, scenario: Scenario, violation: Violation) -> str:
    """The failure, as small as it gets."""
    smallest = shrink(here, scenario, violation)
    found = here.play(smallest) or violation
    log = "\n".join(getattr(found, "__notes__", ()))
    return f"seed {scenario.seed}: {found}\n\n{smallest.to_json()}\n{log}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of the first scenario")
    parser.add_argument("--count", type=int, default=QUICK_SCENARIOS)
    parser.add_argument("--days", type=int, default=0, help="that each scenario lasts at least")
    parser.add_argument("--go-on", action="store_true", help="after a failure, which isn't shrunk")
    parser.add_argument("--no-shrinking", action="store_true", help="tell a failure as it is")
    parser.add_argument("--replay", type=Path, help="one scenario, as it was told")
    chosen = parser.parse_args()
    failed = 0
    with stage() as here:
        if chosen.replay:
            scenarios = iter([read_scenario(chosen.replay)])
        else:
            seeds = range(chosen.seed, chosen.seed + chosen.count)
            scenarios = (draw(seed, days=chosen.days) for seed in seeds)
        for scenario in scenarios:
            found = here.play(scenario)
            if found is None:
                continue
            failed += 1
            if chosen.replay or chosen.go_on or chosen.no_shrinking:
                print(f"seed {scenario.seed}: {found}")
            if chosen.replay:
                print("\n".join(getattr(found, "__notes__", ())))
            elif not (chosen.go_on or chosen.no_shrinking):
                print(told(here, scenario, found))
            if not chosen.go_on:
                break
        print(f"{here.worlds} scenarios, {failed} failed, {figures(here)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
