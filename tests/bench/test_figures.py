"""What `make bench` prints can be read by a program."""

import json
import os
import subprocess
from pathlib import Path

HOUSE = Path(__file__).parents[2]


def test_make_bench_prints_one_json_line_for_each_figure_and_nothing_else() -> None:
    # Called by another make, as `make test` calls this test, it would tell the folder as well.
    done = subprocess.run(
        ["make", "bench", "BENCH=decisions"],
        cwd=HOUSE,
        capture_output=True,
        text=True,
        check=True,
        env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")},
        timeout=300,
    )
    figures = [json.loads(line)["figure"] for line in done.stdout.splitlines()]
    assert figures[0] == "machine"
    assert "decision at 10000 entries" in figures
