"""`make bench`: every figure of docs/figures.md, one JSON line each. Takes some minutes."""

import asyncio
import os
import platform
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from console.postgres.embedded import running_server
from tests.bench import decisions, kills, memory, old_api, revocation, taps
from tests.bench.figures import show
from tests.bench.site import site
from tests.support.postgres import Postgres, reachable_folder


def main() -> None:
    """Runs everything, one thing after the other."""
    show(
        "machine",
        cpus=os.cpu_count(),
        python=platform.python_version(),
        load_1min=round(os.getloadavg()[0], 2),
        commit=_commit(),
    )
    decisions.measure()
    with _postgres() as postgres:
        with _folder() as work, postgres.database() as url, site(work, url) as here:
            memory.measure(here)
            taps.measure(here, "durable commit")
            revocation.measure(here)
            kills.measure(here)
        with (
            _folder() as work,
            _folder(Path("/dev/shm")) as in_memory,
            postgres.database() as url,
            site(work, url, edge_dir=in_memory) as here,
        ):
            taps.measure(here, "without durable commit: store in memory")
        with (
            _folder() as work,
            postgres.database() as url,
            site(work, url, doors=1, cards=1, with_mosquitto=True) as here,
        ):
            memory.measure_outside_broker(here)
        with _folder() as work, postgres.database() as url:
            old_api.measure(work, url)
    with reachable_folder() as work:
        memory.measure_embedded(work)


@contextmanager
def _postgres() -> Generator[Postgres]:
    """A server with its durability on, unlike the one of the tests."""
    with reachable_folder() as folder, asyncio.Runner() as runner:
        server = running_server(folder)
        conninfo = runner.run(server.__aenter__())
        try:
            yield Postgres(conninfo)
        finally:
            runner.run(server.__aexit__(None, None, None))


@contextmanager
def _folder(parent: Path | None = None) -> Generator[Path]:
    with tempfile.TemporaryDirectory(prefix="bench-", dir=parent) as folder:
        yield Path(folder)


def _commit() -> str:
    asked = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()


if __name__ == "__main__":
    main()
