"""Twenty planted bugs, each of which the proofs have to find.

    python -m tests.prove.mutants [--only NAME] [--search]

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
from pathlib import Path

from tests.prove.planted import MUTANTS, Mutant, Patch, scenarios

Figures = dict[str, int | float | str]

HOUSE = Path(__file__).parents[2]
SEARCHED = 100
RUN_SECONDS_MAX = 900
ROOMS = ("edge", "sync")
COPIED = (*ROOMS, "tests/prove", "tests/support", "tests/sync", "tests/edge")


def prove(*, is_long: bool, seed: int) -> Figures:
    """All of them in both forms: each has the seed that finds it quickly.

    Raises: AssertionError that names the bugs which nothing has found.
    """
    del is_long, seed
    return hunt(MUTANTS)


def hunt(mutants: Sequence[Mutant]) -> Figures:
    """Lets each be hunted. Raises: AssertionError."""
    sound: dict[tuple[str, ...], bool] = {}
    missed: list[str] = []
    for mutant in mutants:
        finding = None
        with copied(mutant.patches) as folder:
            for hunter in hunters_of(mutant):
                if hunter not in sound:
                    with copied(()) as without:
                        sound[hunter] = fails(without, hunter) is None
                assert sound[hunter], f"{' '.join(hunter)} fails without any planted bug"
                finding = fails(folder, hunter)
                if finding is not None:
                    break
        told = f"caught: {mutant.name} – {finding}" if finding else f"MISSED: {mutant.name}"
        print(told, file=sys.stderr, flush=True)
        if finding is None:
            missed.append(mutant.name)
    assert not missed, f"nothing has found: {'; '.join(missed)}"
    return {"caught": f"{len(mutants) - len(missed)}/{len(mutants)}"}


def hunters_of(mutant: Mutant) -> Generator[tuple[str, ...]]:
    """First what has found it before; each change of the software gives scenarios another course,
    so then more of them."""
    yield mutant.hunter
    if "tests.prove.simulate" in mutant.hunter:
        yield scenarios(1, SEARCHED)


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
