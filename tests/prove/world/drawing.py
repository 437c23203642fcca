"""Scenarios drawn by a seed: how often each deed is done, and with what."""

from collections.abc import Callable, Mapping
from random import Random
from types import MappingProxyType
from typing import Any

from tests.prove.world.cast import BIRTH_MS, CARDS, DOORS, POINTS, TOOL
from tests.prove.world.scenario import Deed, Scenario
from tests.prove.world.tool_laws import ToolSettings

Words = dict[str, Any]
Drawer = Callable[[Random], Words]

DAY_SECONDS = 86_400
CLOSE_MS = 20
"""Two deeds that nearly coincide."""


def draw(seed: int, *, days: int = 0, deeds: int = 45, mean_seconds: float = 6.0) -> Scenario:
    """A quiet beginning, then deeds in clusters and lulls.

    `days`: as many nights are put in between, in which the daemon stands still or has no power.
    """
    random = Random(f"{seed}/scenario")
    drawn = [Deed(0, "rights", {"changes": _first_rights(random)})]
    names = list(DEEDS)
    weights = [weight for weight, _ in DEEDS.values()]
    pause_ms = 6_000
    while len(drawn) < deeds:
        what = random.choices(names, weights)[0]
        drawn.append(Deed(pause_ms, what, DEEDS[what][1](random)))
        is_close = random.random() < 0.2
        pause_ms = CLOSE_MS if is_close else int(random.expovariate(1 / mean_seconds) * 1000)
    waiting = random.choice([0] * 7 + [99_990, 109_980, 109_990])
    if waiting:  # and no event is taken off the controller's hands for a while
        seconds = random.choice([60, 200, 400])
        drawn.insert(0, Deed(0, "backlog", {"seconds": seconds}))
    for _ in range(days):
        night = random.choice(["sleep", "sleep", "dark"])
        words = DEEDS[night][1](random) | {"seconds": DAY_SECONDS}
        drawn.insert(random.randrange(1, len(drawn)), Deed(pause_ms, night, words))
    loss, doubling, late_seconds = random.choice(
        [(0.0, 0.0, 0.03), (0.0, 0.0, 0.03), (0.02, 0.05, 0.2), (0.15, 0.2, 1.5)]
    )
    return Scenario(
        seed,
        tuple(drawn),
        slow_seconds=random.choice([0, 0, 0, 0.05, 0.4]),
        waiting=waiting,
        loss=loss,
        doubling=doubling,
        late_seconds=late_seconds,
        tool=ToolSettings(is_card_present=random.random() < 0.5, is_long_job=random.random() < 0.5),
    )


def _nothing(_random: Random) -> Words:
    return {}


def _first_rights(random: Random) -> list[Any]:
    return [[CARDS[number], _rule(random, is_plain=number < 5)] for number in range(8)]


def _rule(random: Random, *, is_plain: bool = False) -> Words:
    """`is_plain`: everywhere, at any time."""
    if is_plain:
        return {"points": list(POINTS)}
    sets = [["front"], ["back"], [TOOL], list(DOORS), list(POINTS)]
    rule: Words = {"points": random.choice(sets)}
    ahead_ms = random.randrange(-600_000, 1_200_000)
    if random.random() < 0.3:
        rule["not_after_ms"] = BIRTH_MS + ahead_ms
    if random.random() < 0.15:
        rule["not_before_ms"] = BIRTH_MS + ahead_ms - random.randrange(600_000)
    if random.random() < 0.2:
        rule["hours"] = [_window(random)]
    return rule


def _window(random: Random) -> list[int]:
    start = BIRTH_MS + random.randrange(500_000)
    return [start, start + random.randrange(20_000, 300_000)]


def _point(random: Random) -> str:
    return random.choice(["front", "front", "back", TOOL])


def _card(random: Random) -> str:
    return random.choice(CARDS[:5] * 3 + CARDS)


def _tap(random: Random) -> Words:
    seconds = random.choice([0, 0.1, 0.5, round(random.uniform(0, 4), 2)])
    return {"point": _point(random), "card": _card(random), "seconds": seconds}


def _pair(random: Random) -> Words:
    """Two cards, one right after the other."""
    first, second = random.sample(CARDS[:8], 2)
    return {"point": _point(random), "first": first, "second": second}


def _walk(random: Random) -> Words:
    """A tap at the front door, and somebody who goes through, or doesn't."""
    return {
        "card": _card(random),
        "after": round(random.uniform(0.2, 4), 2),
        "seconds": random.choice([0.03, 1, 2, 5, 40]),
    }


def _use(random: Random) -> Words:
    """A card at the tool, and its switch."""
    return {
        "card": _card(random),
        "seconds": random.choice([0, 0.3, round(random.uniform(1, 20), 1)]),
        "after": round(random.uniform(0.2, 12), 1),
        "runs": random.choice([0, round(random.uniform(0.1, 30), 1)]),
    }


def _lasting(least: float, most: float) -> Drawer:
    """Mostly short."""

    def drawn(random: Random) -> Words:
        return {"seconds": round(random.uniform(least, most) ** 2 / most, 3)}

    return drawn


def _at_a_point(seconds: Drawer, points: tuple[str, ...] = POINTS) -> Drawer:
    def drawn(random: Random) -> Words:
        return {"point": random.choice(points), **seconds(random)}

    return drawn


def _change(random: Random) -> Words:
    changes: list[Any] = []
    for _ in range(random.choice([1, 1, 2])):
        is_taken = random.random() < 0.5
        changes.append([random.choice(CARDS[:8]), None if is_taken else _rule(random)])
    if random.random() < 0.3:
        rule = {"points": list(POINTS), "is_break_glass": True}
        changes.append([CARDS[5], rule])
    return {"changes": changes}


def _points(random: Random) -> Words:
    rule: Words = {
        "unlock_seconds": random.choice([1, 3, 5, 40]),
        "requires_fresh": random.random() < 0.1,
        "min_assurance": int(random.random() < 0.05),
    }
    if random.random() < 0.3:
        rule["soft_seconds"] = random.choice([30, 60, 3600])
        rule["hard_seconds"] = rule["soft_seconds"] * random.choice([1, 2])
    point = random.choice(POINTS)
    if point != TOOL and random.random() < 0.4:
        rule["open_hours"] = [_window(random)]
    return {"point": point, "rule": None if random.random() < 0.1 else rule}


def _order(random: Random) -> Words:
    operation = random.choice(["open"] * 5 + ["lock"] * 3 + ["unlock_until", "lockdown"])
    if random.random() < 0.15:
        operation = random.choice(["out_of_service", "stop_now"])
    words: Words = {"operation": operation, "point": _point(random)}
    if operation == "unlock_until":
        words["seconds"] = random.choice([5, 30, 300])
    return words


def _death(random: Random) -> Words:
    return {**_tap(random), "how": random.choice(["power", "kill"]), "steps": random.randrange(90)}


def _dying(*seconds: float, how: tuple[str, ...] = ("power", "kill")) -> Drawer:
    def drawn(random: Random) -> Words:
        return {
            "how": random.choice(how),
            "steps": random.randrange(40),
            "seconds": random.choice(seconds),
        }

    return drawn


def _which(random: Random) -> Words:
    return {"which": random.random(), "is_kept": random.random() < 0.2}


def _failing(random: Random) -> Words:
    return {"kind": random.choice(["io", "full", "late"]), **_lasting(0.1, 15)(random)}


def _one_of(name: str, *values: Any) -> Drawer:
    def drawn(random: Random) -> Words:
        return {name: random.choice(values)}

    return drawn


def _noise(random: Random) -> Words:
    return {"point": random.choice(POINTS), "kind": random.randrange(7)}


def _bit(random: Random) -> Words:
    return {"which": random.random(), "bit": random.random()}


DEEDS: Mapping[str, tuple[float, Drawer]] = MappingProxyType(
    {
        "tap": (30, _tap),
        "pair": (3, _pair),
        "walk": (10, _walk),
        "use": (8, _use),
        "tap_and_death": (4, _death),
        "death": (2, _dying(1, 5, 60)),
        "dark": (0.5, _dying(600, 86_400, 3 * 86_400, how=("power",))),
        "noise": (4, _noise),
        "unplug": (2, _at_a_point(_lasting(0.1, 20))),
        "leaf": (3, _one_of("seconds", 0.02, 0.5, 3, 40)),
        "leave": (3, _one_of("seconds", 1, 3)),
        "tamper": (1, _one_of("seconds", 0.02, 0.5, 10)),
        "emergency": (1.5, _one_of("seconds", 0.02, 0.5, 5)),
        "weld": (0.7, _at_a_point(_lasting(0.1, 10), ("front", TOOL))),
        "stick": (0.5, _at_a_point(_lasting(0.1, 10), ("front", TOOL))),
        "rights": (6, _change),
        "points": (3, _points),
        "rotate": (1, _nothing),
        "order": (10, _order),
        "replay": (5, _which),
        "forge": (4, _which),
        "damage": (2, _bit),
        "cut": (3, _lasting(0.5, 120)),
        "restart_broker": (1, _nothing),
        "stall_disk": (2, _lasting(0.1, 8)),
        "fail_disk": (2, _failing),
        "fail_hash": (1, _lasting(0.1, 5)),
        "rot": (0.5, _one_of("what", "file", "slot", "slot", "keyset")),
        "kill_guard": (1, _nothing),
        "hang_guard": (1, _lasting(0.05, 4)),
        "stop": (1, _nothing),
        "stall": (2, _lasting(0.05, 6)),
        "sleep": (0.4, _one_of("seconds", 300, 3600, 86_400, 5 * 86_400)),
        "wall": (2, _one_of("offset_ms", 0, -BIRTH_MS, 10**11, 4 * 10**12, -(10**9))),
        "console_clock": (1, _one_of("offset_ms", 0, 3_600_000, -3_600_000, 400_000)),
        "console_down": (1.5, _lasting(1, 90)),
        "backlog": (0.5, _lasting(1, 90)),
        "restore": (0.5, _one_of("lost", 1, 5, 1000)),
    }
)
"""How often, and how it is drawn."""
