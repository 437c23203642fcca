"""A scenario is data: a seed, the conditions, and a list of deeds with their times.

How one is drawn from a seed is said in drawing.py, what a deed does in deeds.py.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.prove.world.tool_laws import ToolSettings

Json = Any


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that befalls the world. `what`: a name in deeds.py.

    `pause_ms`: since the deed before, or since that one was over if it is one of `AWAITED`.
    """

    pause_ms: int
    what: str
    how: dict[str, Json] = field(default_factory=dict[str, Json])


@dataclass(frozen=True, slots=True)
class Scenario:
    """`seed` is for everything that the deeds leave open, such as the delay of each message."""

    seed: int
    deeds: tuple[Deed, ...]
    slow_seconds: float = 0.0
    """The disk takes up to so much longer, always."""

    waiting: int = 0
    """So many events seem to wait for the console from the beginning."""

    loss: float = 0.0
    doubling: float = 0.0
    late_seconds: float = 0.03
    tool: ToolSettings = field(default_factory=ToolSettings)

    def to_json(self) -> str:
        values = asdict(self)
        values["deeds"] = [[deed.pause_ms, deed.what, deed.how] for deed in self.deeds]
        head = json.dumps({key: value for key, value in values.items() if key != "deeds"})
        lines = ",\n".join(json.dumps(deed) for deed in values["deeds"])
        return head[:-1] + ', "deeds": [\n' + lines + "\n]}\n"


AWAITED = frozenset({"sleep", "dark"})
"""They take their time, in which nothing else is done."""


def read_scenario(path: Path) -> Scenario:
    values = json.loads(path.read_text())
    deeds = tuple(Deed(*deed) for deed in values.pop("deeds"))
    return Scenario(deeds=deeds, tool=ToolSettings(**values.pop("tool")), **values)


def without(scenario: Scenario, deeds: Sequence[Deed]) -> Scenario:
    """The others, at the same times."""
    gone = {id(deed) for deed in deeds}
    kept: list[Deed] = []
    pause_ms = 0
    for deed in scenario.deeds:
        pause_ms += deed.pause_ms
        if id(deed) not in gone:
            kept.append(replace(deed, pause_ms=pause_ms))
            pause_ms = 0
    return replace(scenario, deeds=tuple(kept))


def sooner(scenario: Scenario, index: int) -> Scenario:
    """The same with half of one deed's pause."""
    deeds = list(scenario.deeds)
    deeds[index] = replace(deeds[index], pause_ms=deeds[index].pause_ms // 2)
    return replace(scenario, deeds=tuple(deeds))
