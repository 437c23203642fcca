"""A scenario is data: a seed, the conditions, and a list of deeds with their times."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

from tests.prove.world.cast import BIRTH_MS, CARDS, POINTS

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
    return Scenario(deeds=deeds, **values)


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


def draw(seed: int, *, deeds: int = 40, mean_seconds: float = 6.0) -> Scenario:
    """A scenario by a seed: a quiet beginning, then deeds in clusters and lulls."""
    random = Random(f"{seed}/scenario")
    drawn = [Deed(0, "rights", {"changes": _first_rights(random)})]
    names = list(WEIGHTS)
    pause_ms = 6_000
    while len(drawn) < deeds:
        what = random.choices(names, [WEIGHTS[name] for name in names])[0]
        drawn.append(Deed(pause_ms, what, DRAWERS.get(what, _nothing)(random)))
        is_close = random.random() < 0.2
        pause_ms = 20 if is_close else int(random.expovariate(1 / mean_seconds) * 1000)
    weather = random.choice([(0, 0, 0.03), (0, 0, 0.03), (0.02, 0.05, 0.2), (0.15, 0.2, 1.5)])
    return Scenario(
        seed,
        tuple(drawn),
        slow_seconds=random.choice([0, 0, 0, 0.05, 0.4]),
        waiting=random.choice([0] * 9 + [99_990 + random.randrange(10_000)]),
        loss=weather[0],
        doubling=weather[1],
        late_seconds=weather[2],
    )


def _nothing(_random: Random) -> dict[str, Json]:
    return {}


def _first_rights(random: Random) -> list[Json]:
    return [[CARDS[number], _rule(random, is_plain=number < 5)] for number in range(8)]


def _rule(random: Random, *, is_plain: bool = False) -> dict[str, Json]:
    """`is_plain`: at both points, at any time."""
    if is_plain:
        return {"points": list(POINTS)}
    rule: dict[str, Json] = {"points": random.choice([["front"], ["back"], list(POINTS)])}
    ahead_ms = random.randrange(-600_000, 1_200_000)
    if random.random() < 0.3:
        rule["not_after_ms"] = BIRTH_MS + ahead_ms
    if random.random() < 0.15:
        rule["not_before_ms"] = BIRTH_MS + ahead_ms - random.randrange(600_000)
    if random.random() < 0.2:
        start = BIRTH_MS + random.randrange(600_000)
        rule["hours"] = [[start, start + random.randrange(300_000)]]
    if random.random() < 0.05:
        rule["is_break_glass"] = True
    return rule


def _tap(random: Random) -> dict[str, Json]:
    return {
        "point": random.choice(POINTS),
        "card": random.choice(CARDS[:5] * 3 + CARDS),
        "seconds": random.choice([0, 0.1, 0.5, random.uniform(0, 4)]),
    }


def _seconds(least: float, most: float):
    def drawn(random: Random) -> dict[str, Json]:
        return {"seconds": round(random.uniform(least, most) ** 2 / most, 3)}

    return drawn


def _change(random: Random) -> dict[str, Json]:
    changes: list[Json] = []
    for _ in range(random.choice([1, 1, 2])):
        is_taken = random.random() < 0.5
        changes.append([random.choice(CARDS[:8]), None if is_taken else _rule(random)])
    return {"changes": changes}


def _points(random: Random) -> dict[str, Json]:
    rule = {
        "unlock_seconds": random.choice([1, 3, 5, 40]),
        "requires_fresh": random.random() < 0.1,
        "min_assurance": int(random.random() < 0.05),
    }
    return {"point": random.choice(POINTS), "rule": None if random.random() < 0.1 else rule}


def _death(random: Random) -> dict[str, Json]:
    return {**_tap(random), "how": random.choice(["power", "kill"]), "steps": random.randrange(90)}


DRAWERS = {
    "tap": _tap,
    "tap_and_death": _death,
    "death": lambda random: {
        "how": random.choice(["power", "kill"]),
        "steps": random.randrange(40),
        "seconds": random.choice([1, 5, 60]),
    },
    "dark": lambda random: {
        "how": "power",
        "steps": random.randrange(40),
        "seconds": random.choice([600, 86_400, 3 * 86_400]),
    },
    "noise": lambda random: {"point": random.choice(POINTS), "kind": random.randrange(7)},
    "unplug": lambda random: {"point": random.choice(POINTS), **_seconds(0.1, 20)(random)},
    "rights": _change,
    "points": _points,
    "order": lambda random: {"point": random.choice(POINTS)},
    "replay": lambda random: {"which": random.random(), "is_kept": random.random() < 0.2},
    "forge": lambda random: {"which": random.randrange(9), "is_kept": random.random() < 0.2},
    "damage": lambda random: {"which": random.random(), "bit": random.random()},
    "cut": _seconds(0.5, 120),
    "stall_disk": _seconds(0.1, 8),
    "fail_disk": lambda random: {
        "kind": random.choice(["io", "full", "late"]),
        **_seconds(0.1, 15)(random),
    },
    "fail_hash": _seconds(0.1, 5),
    "rot": lambda random: {"what": random.choice(["file", "slot", "slot", "keyset"])},
    "hang_guard": _seconds(0.05, 4),
    "stall": _seconds(0.05, 6),
    "sleep": lambda random: {"seconds": random.choice([300, 3600, 86_400, 5 * 86_400])},
    "wall": lambda random: {
        "offset_ms": random.choice([0, -BIRTH_MS, 10**11, 4 * 10**12, -(10**9)])
    },
    "console_clock": lambda random: {"offset_ms": random.choice([0, 3600_000, -3600_000, 400_000])},
    "console_down": _seconds(1, 90),
    "restore": lambda random: {"lost": random.choice([1, 5, 1000])},
}
"""How each deed is drawn; those that aren't here need nothing."""

WEIGHTS = {
    "tap": 40,
    "tap_and_death": 4,
    "death": 2,
    "dark": 0.5,
    "noise": 5,
    "unplug": 2,
    "rights": 6,
    "points": 2,
    "rotate": 1,
    "order": 6,
    "replay": 5,
    "forge": 4,
    "damage": 2,
    "cut": 3,
    "restart_broker": 1,
    "stall_disk": 2,
    "fail_disk": 2,
    "fail_hash": 1,
    "rot": 0.5,
    "kill_guard": 1,
    "hang_guard": 1,
    "stop": 1,
    "stall": 2,
    "sleep": 0.5,
    "wall": 2,
    "console_clock": 1,
    "console_down": 1,
    "restore": 0.5,
}
