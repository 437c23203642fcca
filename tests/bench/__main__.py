"""`python -m tests.bench [PART …]`: every figure of docs/figures.md, one JSON line each.

All of it takes some minutes.
"""

import argparse
import logging
import os
import platform
import subprocess
import sys
import tempfile
from asyncio import Runner
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from console.logs import log_to
from console.postgres.embedded import running_server
from tests.bench import controller, crowd, decisions, kills, memory, old_api, revocation, taps
from tests.bench.figures import show
from tests.bench.fittings import everything
from tests.bench.site import site
from tests.support.postgres import Postgres, reachable_folder

SIZES = (10_000, 50_000)
"""Entries in the rights: a large space's, and as many as a snapshot may have."""

PARTS = (
    *("decisions", "taps", "taps-in-memory", "revocation", "kills", "memory", "old-api"),
    *("taps-by-size", "boot", "idle", "memory-by-size", "pages", "streams"),
)


def main() -> None:
    """Runs everything, or the parts that are asked for, one thing after the other."""
    parser = argparse.ArgumentParser("tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parts = frozenset(parser.parse_args().parts or PARTS)
    if parts - set(PARTS):
        parser.error(f"no part {', '.join(sorted(parts - set(PARTS)))}: see --help")
    log_to(sys.stderr, level=logging.WARNING)  # standard output is for figures
    show(
        "machine",
        cpus=os.cpu_count(),
        python=platform.python_version(),
        load_1min=round(os.getloadavg()[0], 2),
        commit=_commit(),
    )
    if "decisions" in parts:
        decisions.measure()
    if parts - {"decisions"}:
        with _postgres() as postgres:
            _measure_the_whole(parts, postgres)
    if "memory" in parts:
        with reachable_folder() as work:
            memory.measure_embedded(work)


def _measure_the_whole(parts: frozenset[str], postgres: Postgres) -> None:
    """What takes a console, a controller and a database that keeps what it commits."""
    if parts & {"taps", "revocation", "kills"}:
        with _folder() as work, postgres.database() as url, site(work, url) as here:
            if "taps" in parts:
                taps.measure(here, "durable commit")
            if "revocation" in parts:
                revocation.measure(here)
            if "kills" in parts:
                kills.measure(here)
    if "taps-in-memory" in parts:
        with (
            _folder() as work,
            _folder(Path("/dev/shm")) as in_memory,
            postgres.database() as url,
            site(work, url, edge_dir=in_memory) as here,
        ):
            taps.measure(here, "without durable commit: store in memory")
    if "memory" in parts:
        with (
            _folder() as work,
            postgres.database() as url,
            site(work, url, doors=1, cards=1) as here,
        ):
            with_embedded_mb = memory.measure(here)
        with (
            _folder() as work,
            postgres.database() as url,
            site(work, url, doors=1, cards=1, with_mosquitto=True) as here,
        ):
            memory.measure_outside_broker(here, with_embedded_mb=with_embedded_mb)
    for entries in SIZES:
        _measure_the_controller(parts, postgres, entries)
    if "old-api" in parts:
        with _folder() as work, postgres.database() as url:
            old_api.measure(work, url)
    if "pages" in parts:
        with _folder() as work, postgres.database() as url:
            crowd.measure_pages(work, url)
    if "streams" in parts:
        with _folder() as work, postgres.database() as url:
            crowd.measure_streams(work, url)


def _measure_the_controller(parts: frozenset[str], postgres: Postgres, entries: int) -> None:
    """What may depend on how many cards a controller knows."""
    if "taps-by-size" in parts:
        with (
            _folder() as work,
            postgres.database() as url,
            site(work, url, entries=entries) as here,
        ):
            taps.measure(here, f"{entries} entries")
    if parts & {"boot", "idle", "memory-by-size"}:
        with (
            _folder() as work,
            postgres.database() as url,
            everything(work) as fittings,
            site(work, url, fittings=fittings, entries=entries) as here,
        ):
            if "boot" in parts:
                controller.measure_boot(here, entries)
            if "idle" in parts:
                controller.measure_idle(here, entries)
            if "memory-by-size" in parts:
                controller.measure_memory(here, entries)


@contextmanager
def _postgres() -> Generator[Postgres]:
    """A server with its durability on, unlike the one of the tests."""
    with reachable_folder() as folder, Runner() as runner:
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
