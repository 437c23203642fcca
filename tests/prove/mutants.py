"""Twenty planted bugs, each of which the proofs have to find.

    python -m tests.prove.mutants [--only NAME] [--seed N]

Each bug is a change of a few lines in a copy of `edge/` and `sync/`. Whatever is named as its
hunter runs on the copy, in a process of its own: it has to fail there, and the same run on the
software as it is has to pass. A bug that isn't found is a hole in the proofs; fill that, and leave
the bug.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

Figures = dict[str, int | float | str]

HOUSE = Path(__file__).parents[2]
QUICK = 4
"""So many of the twenty in the quick form, others with each seed."""

SEARCHED = 200
RUN_SECONDS_MAX = 900
ROOMS = ("edge", "sync")
COPIED = (*ROOMS, "tests/prove", "tests/support", "tests/sync", "tests/edge")


@dataclass(frozen=True, slots=True)
class Patch:
    """`before` stands in the file exactly once."""

    file: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Mutant:
    """A bug. `hunter`: arguments of Python that run what has to find it."""

    name: str
    patches: tuple[Patch, ...]
    hunter: tuple[str, ...]


def scenarios(seed: int, count: int = 4) -> tuple[str, ...]:
    """So many scenarios of the simulation, from this seed on. `--search` finds a seed."""
    simulation = ("-m", "tests.prove.simulate", "--no-shrinking")
    return (*simulation, "--seed", str(seed), "--count", str(count))


def tests(path: str) -> tuple[str, ...]:
    return ("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", path)


MUTANTS = (
    Mutant(
        "an older snapshot is applied: no floor",
        (
            Patch("edge/accept.py", "    if offered.serial < lowest:\n", "    if False:\n"),
            Patch(
                "edge/rights_cache.py",
                "            if [version.epoch, version.serial] < floor:\n",
                "            if not floor:\n",
            ),
        ),
        scenarios(5),
    ),
    Mutant(
        "synchronous = NORMAL",
        (Patch("edge/store.py", '"PRAGMA synchronous = FULL"', '"PRAGMA synchronous = NORMAL"'),),
        ("-m", "tests.prove", "cuts", "--seed", "1"),
    ),
    Mutant(
        "an event is taken as recorded before its commit",
        (
            Patch(
                "edge/journal.py",
                "            alongside(connection)\n"
                "            return read_position(connection)\n\n"
                "        self._move(await self._store.write(work))\n",
                "            alongside(connection)\n"
                "            return read_position(connection)\n\n"
                "        asyncio.ensure_future(self._store.write(work))\n",
            ),
        ),
        scenarios(1),
    ),
    Mutant(
        "the guard forgets that leases end",
        (
            Patch(
                "edge/guard.py",
                "[relay for relay in self._on() if relay.until_ns <= now]",
                "[relay for relay in self._on() if relay.until_ns <= 0]",
            ),
        ),
        scenarios(20),
    ),
    Mutant(
        "an unlock has no end",
        (
            Patch(
                "edge/unlocks.py",
                "        until = asyncio.get_running_loop().time() + seconds\n        earlier",
                "        until = asyncio.get_running_loop().time() + 60 * seconds\n        earlier",
            ),
        ),
        scenarios(1),
    ),
    Mutant(
        "the relay moves before the record",
        (
            Patch(
                "edge/entrance.py",
                "        unrecorded = await parts.recorder.record(answer)\n",
                "        asyncio.ensure_future(parts.recorder.record(answer))\n"
                "        unrecorded = None\n",
            ),
        ),
        scenarios(1),
    ),
    Mutant(
        "rights never end",
        (
            Patch(
                "sync/rights.py",
                "    if right.not_after_ms is not None and moment.now_ms > right.not_after_ms:\n",
                "    if right.not_after_ms is not None and moment.now_ms < 0:\n",
            ),
        ),
        scenarios(2),
    ),
    Mutant(
        "the operating system's clock is believed",
        (
            Patch(
                "edge/clock.py",
                "Clock(max(high_water_ms, known_ms), mono_ms,",
                "Clock(max(high_water_ms, known_ms, self.wall_ms()), mono_ms,",
            ),
        ),
        scenarios(6),
    ),
    Mutant(
        "a command is obeyed as often as it comes",
        (Patch("edge/accept.py", "    if command.counter <= counter:\n", "    if False:\n"),),
        scenarios(35),
    ),
    Mutant(
        "messages for another controller are taken",
        (Patch("sync/envelope.py", "    if match[2] != audience.encode():\n", "    if False:\n"),),
        scenarios(5),
    ),
    Mutant(
        "signatures are not looked at",
        (
            Patch(
                "sync/envelope.py",
                "    if not is_signed_by(public_key, data[:end], data[end:]):\n",
                "    if not public_key:\n",
            ),
        ),
        scenarios(7),
    ),
    Mutant(
        "a message is read as whatever kind is wanted",
        (Patch("sync/envelope.py", "    if match[1] != kind.encode():\n", "    if False:\n"),),
        tests("tests/sync/test_envelope.py"),
    ),
    Mutant(
        "rights are in force before they are on the disk",
        (
            Patch(
                "edge/rights_cache.py",
                "        await self._journal.append(\n",
                "        self._floor, self._active = version, rights\n"
                "        await self._journal.append(\n",
            ),
        ),
        scenarios(57),
    ),
    Mutant(
        "any beacon makes the rights young",
        (
            Patch(
                "edge/downlink.py",
                "        mono_ms = self._timekeeper.mono_ms()\n        if mono_ms < VALID_MS and",
                "        mono_ms = self._timekeeper.mono_ms()\n"
                "        self._timekeeper.refresh(mono_ms)\n"
                "        if mono_ms < VALID_MS and",
            ),
        ),
        scenarios(4),
    ),
    Mutant(
        "a door is released when it starts",
        (
            Patch(
                "edge/doorway.py",
                "        self._is_served = True\n",
                "        self._is_served = True\n"
                '        self._unlocks.begin(self._point, GrantId("00" * 16), 5)\n',
            ),
        ),
        scenarios(1),
    ),
    Mutant(
        "a card that lies there is a tap with every frame",
        (Patch("edge/repeats.py", "GONE_SECONDS = 1.5\n", "GONE_SECONDS = 0.0\n"),),
        scenarios(1),
    ),
    Mutant(
        "a frame's checksum is not looked at",
        (Patch("edge/readers/rdm6300.py", "    if checksum:\n", "    if checksum < 0:\n"),),
        scenarios(1),
    ),
    Mutant(
        "the lock doesn't lock again behind the leaf",
        (
            Patch(
                "edge/doorway.py",
                "                self._unlocks.shorten(self._point, RELOCK_SECONDS)\n",
                "                pass\n",
            ),
        ),
        scenarios(1),
    ),
    Mutant(
        "the answer goes to the card that is there now",
        (
            Patch(
                "edge/entrance.py",
                "        credential = Credential(frame.credential_type, frame.data)\n        tap",
                "        credential = Credential(frame.credential_type, frame.data)\n"
                "        self._latest = credential\n"
                "        tap",
            ),
            Patch(
                "edge/entrance.py",
                "        digest = await parts.digests.of(tap.credential)\n",
                "        digest = await parts.digests.of(self._latest)\n",
            ),
        ),
        scenarios(64),
    ),
    Mutant(
        "a full journal forgets what the console hasn't got",
        (
            Patch(
                "edge/journal.py",
                "            raise JournalFull("
                '"no slot is left until the console has acknowledged events")\n',
                '            connection.execute("DELETE FROM event WHERE seq ='
                ' (SELECT min(seq) FROM event)")\n',
            ),
        ),
        scenarios(52),
    ),
)


def prove(*, is_long: bool, seed: int) -> Figures:
    """Raises: AssertionError that names the bugs which nothing has found."""
    quick = [mutant for mutant in MUTANTS if "cuts" not in mutant.hunter]
    return hunt(MUTANTS if is_long else Random(seed).sample(quick, QUICK))


def hunt(mutants: Sequence[Mutant]) -> Figures:
    """Lets each be hunted. Raises: AssertionError."""
    sound: dict[tuple[str, ...], bool] = {}
    missed: list[str] = []
    for mutant in mutants:
        if mutant.hunter not in sound:
            with copied(()) as folder:
                sound[mutant.hunter] = fails(folder, mutant.hunter) is None
        assert sound[mutant.hunter], f"{' '.join(mutant.hunter)} fails without any planted bug"
        with copied(mutant.patches) as folder:
            finding = fails(folder, mutant.hunter)
        told = f"caught: {mutant.name} – {finding}" if finding else f"MISSED: {mutant.name}"
        print(told, file=sys.stderr, flush=True)
        if finding is None:
            missed.append(mutant.name)
    assert not missed, f"nothing has found: {'; '.join(missed)}"
    return {"caught": f"{len(mutants) - len(missed)}/{len(mutants)}"}


@contextmanager
def copied(patches: Sequence[Patch]) -> Generator[Path]:
    """A folder with the software, changed, and with what proves it."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as name:
        folder = Path(name)
        for room in COPIED:
            shutil.copytree(
                HOUSE / room, folder / room, ignore=shutil.ignore_patterns("__pycache__")
            )
        for file in ("tests/__init__.py", "tests/conftest.py", "pyproject.toml"):
            shutil.copy(HOUSE / file, folder / file)
        for patch in patches:
            path = folder / patch.file
            text = path.read_text()
            assert text.count(patch.before) == 1, f"{patch.file}: {patch.before!r} isn't there"
            path.write_text(text.replace(patch.before, patch.after))
        yield folder


def fails(folder: Path, arguments: Sequence[str]) -> str | None:
    """What the run has found, in a line; None: nothing.

    Raises: AssertionError when it failed for something else than what it looks for.
    """
    done = run(folder, arguments)
    if done.returncode == 0:
        return None
    told = done.stdout + done.stderr
    found = re.search(r"^(?:seed \d+: |E   +|AssertionError: )(.*)$", told, re.MULTILINE)
    assert found, f"{' '.join(arguments)} broke down: {told[-3000:]}"
    return found[1][:120]


def run(folder: Path, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Python with these arguments, on the copy."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS_MAX,
        check=False,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="those with this in their name")
    parser.add_argument("--search", action="store_true", help="which scenario finds each of them")
    chosen = parser.parse_args()
    mutants = [mutant for mutant in MUTANTS if chosen.only in mutant.name]
    if not chosen.search:
        print(hunt(mutants))
        return 0
    for mutant in mutants:
        if "tests.prove.simulate" in mutant.hunter:
            with copied(mutant.patches) as folder:
                done = run(folder, scenarios(1, SEARCHED))
            print(f"{mutant.name}: {done.stdout.partition(chr(10))[0]}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
