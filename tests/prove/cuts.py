"""Power cuts at any moment: no acknowledged event is lost, no right that was taken away comes back.

A controller lives on a recorded disk; the disk is cut off before a random operation, and what may
be left of it (tests/prove/power.py) is opened by the real code. One of the cuts is the start of the
next life. Some lives begin on a damaged store, some with none. With the planted mistake of
synchronous = NORMAL the same finds lost events, or else it would prove nothing.
"""

import asyncio
import os
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable, Set
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

import structlog

from edge.store import SCHEMA_VERSION, STORE_NAME
from tests.prove.cut_checks import Course, Found, look, mistakes
from tests.prove.cut_lives import Life, MadeConsole, live
from tests.prove.power import Files, after_cut, put
from tests.prove.progress import counted

Figures = dict[str, int | float | str]

QUICK_CUTS, LONG_CUTS = 320, 10_000
CUTS_PER_LIFE = 20
CONTROL_SHARE = 4
"""One control cut for so many cuts."""

SOON = 60
"""Every other cut comes within so many operations: a store is opened, made, or set aside then."""

SHRINKS_MAX = 300


@dataclass(slots=True)
class Start:
    """What a life begins with. `found`: what the real code sees there; None: no usable store.

    `damaged`: files that were damaged so far, each in the forms in which it may be kept.
    """

    files: Files = field(default_factory=dict[str, bytes])
    found: Found | None = None
    damaged: tuple[Set[bytes], ...] = ()


def prove(*, is_long: bool, seed: int) -> Figures:
    """Raises: AssertionError with the seed and the smallest case that fails."""
    cuts = LONG_CUTS if is_long else QUICK_CUTS
    with structlog.testing.capture_logs() as told:
        figures = asyncio.run(_prove(cuts, seed))
    crashes = [entry for entry in told if "exc_info" in entry]
    assert not crashes, f"seed {seed}: {crashes[0]}"
    return figures


async def _prove(cuts: int, seed: int) -> Figures:
    parent = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="cuts-", dir=parent) as folder:
        proof = Campaign(Path(folder), seed, plant=lambda sql: sql)
        for life in counted(cuts // CUTS_PER_LIFE, "lives"):
            await proof.run(life, is_control=False)
        control = Campaign(Path(folder), seed, plant=_normal)
        for life in range(max(4, cuts // CUTS_PER_LIFE // CONTROL_SHARE)):
            await control.run(life, is_control=True)
    lost = control.counts["failed"]
    assert lost, f"seed {seed}: with synchronous = NORMAL nothing was lost: this proves nothing"
    return {
        "cuts": proof.counts["cuts"],
        "lives": proof.counts["lives"],
        "disk_operations": proof.counts["operations"],
        "events": proof.counts["events"],
        "openings": proof.counts["openings"],
        "older_stores": proof.counts["older"],
        "damaged_stores": proof.counts["damaged"],
        "acknowledged_events_lost": 0,
        "wrong_opens": 0,
        "floor_regressions": 0,
        "control_cuts_with_synchronous_normal": control.counts["cuts"],
        "control_cuts_that_lost_something": lost,
    }


def _normal(sql: str) -> str:
    return sql.replace("synchronous = FULL", "synchronous = NORMAL")


class Campaign:
    """Lives, one after the other. `plant` may put a mistake into each SQL statement."""

    def __init__(self, folder: Path, seed: int, *, plant: Callable[[str], str]) -> None:
        self.counts = Counter[str]()
        self._folder = folder
        self._seed = seed
        self._plant = plant
        self._console = MadeConsole()
        self._start = Start()

    async def run(self, number: int, *, is_control: bool) -> None:
        """One life and its cuts. Raises: AssertionError, unless the mistake was planted."""
        chance = Random(f"{self._seed} {number}")
        if is_control or not chance.randrange(5):
            self._console, self._start = MadeConsole(), Start()
        elif self._start.found is not None:
            await self._change(chance)
        start, edge = self._start, self._folder / "edge"
        life = await live(edge, start.files, self._console, chance, self._plant)
        ended = await look(edge, self._console.signer)
        course = Course(life, start.found, ended, start.damaged)
        self._count(life, ended)
        for _ in range(CUTS_PER_LIFE):
            within = len(life.done) if chance.randrange(2) else min(len(life.done), SOON)
            at, dice = chance.randint(0, within), chance.random()
            files, found, wrong = await self._cut(course, at, dice)
            self.counts["cuts"] += 1
            self.counts["failed"] += any("lost" in one for one in wrong)
            if wrong and not is_control:
                raise AssertionError(await self._smallest(course, number, at, dice))
            is_usable = STORE_NAME in files and not found.is_set_aside
            if is_usable or not chance.randrange(8):
                self._start = Start(files, found if is_usable else None, start.damaged)

    async def _cut(self, course: Course, at: int, dice: float) -> tuple[Files, Found, list[str]]:
        life, place = course.life, self._folder / "cut"
        files = after_cut(life.before, life.done[:at], Random(dice))
        put(place, files)
        found = await look(place, self._console.signer)
        return files, found, mistakes(found, course, self._console, at)

    async def _smallest(self, course: Course, number: int, at: int, dice: float) -> str:
        """Says what is wrong after the earliest cut that shows it, and keeps its files."""
        done = course.life.done
        files, _, wrong = await self._cut(course, at, dice)
        for other in range(min(SHRINKS_MAX, 3 * at)):
            sooner = other * at // min(SHRINKS_MAX, 3 * at)
            left, _, mistaken = await self._cut(course, sooner, dice + other)
            if mistaken:
                files, wrong, at = left, mistaken, sooner
                break
        kept = Path(tempfile.mkdtemp(prefix="cut-"))
        put(kept, files)
        last = ", ".join(type(operation).__name__ for operation in done[:at][-5:])
        return (
            f"seed {self._seed}, life {number}, cut before operation {at} of {len(done)}, "
            f"after {last}: {'; '.join(wrong)}. What is left lies in {kept}"
        )

    async def _change(self, chance: Random) -> None:
        """Begins the next life on a store of the first version, on a damaged one, or as it is."""
        start, place = self._start, self._folder / "cut"
        if not chance.randrange(3):
            return
        if start.found is not None and not start.found.holds and not chance.randrange(3):
            self._start = replace(start, files=_altered(start.files, place, *_TO_VERSION_1))
            self.counts["older"] += 1
            return
        files = damaged(start.files, place, chance)
        put(place, files)
        found = await look(place, self._console.signer)
        if found.is_set_aside:
            # As it is, or with its WAL written back by whoever looked at it.
            others = found.damaged.difference(*start.damaged)
            self._start = Start(files, None, (*start.damaged, {files[STORE_NAME], *others}))
            self.counts["damaged"] += 1

    def _count(self, life: Life, ended: Found) -> None:
        began = self._start.found
        self.counts["lives"] += 1
        self.counts["operations"] += len(life.done)
        self.counts["openings"] += len(life.grants)
        self.counts["events"] += len(ended.lines) - (len(began.lines) if began else 0)


_TO_VERSION_1 = (
    "DROP TABLE hold",
    "ALTER TABLE state DROP COLUMN age_ms",
    "ALTER TABLE state DROP COLUMN alarms",
    "ALTER TABLE state DROP COLUMN alarms_unrecorded",
    "ALTER TABLE state DROP COLUMN canary",
    "PRAGMA user_version = 1",
)
"""What edge/provision.py adds to a store of the first version."""


def damaged(files: Files, place: Path, chance: Random) -> dict[str, bytes]:
    """The files with a store that can't be used: garbled, cut off, somebody else's, or at odds."""
    store = bytearray(files[STORE_NAME])
    match chance.randrange(5):
        case 0:
            store[:100] = chance.randbytes(100)
        case 1:
            start = 4096 * chance.randrange(max(1, len(store) // 4096))
            store[start : start + 4096] = chance.randbytes(4096)
        case 2:
            del store[chance.choice((0, len(store) // 2)) :]
        case 3:
            return _altered(files, place, "UPDATE state SET owner = 'somebody'")
        case _:
            return _altered(
                files,
                place,
                "PRAGMA writable_schema = ON",
                "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema"
                " WHERE name = 'slot') WHERE name = 'keyset'",
            )
    return {**files, STORE_NAME: bytes(store)}


def _altered(files: Files, place: Path, *statements: str) -> dict[str, bytes]:
    """As they are while a program that did this still has the store open: it lies in the WAL."""
    put(place, files)
    with closing(sqlite3.connect(place / STORE_NAME, isolation_level=None)) as connection:
        if connection.execute("PRAGMA user_version").fetchone() != (SCHEMA_VERSION,):
            return dict(files)  # of the first version already: a cut came before it was changed
        for statement in statements:
            connection.execute(statement)
        return {
            path.name: path.read_bytes()
            for path in place.iterdir()
            if not path.name.endswith("-shm")
        }
