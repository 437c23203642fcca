"""Proportional set size of console, daemon and guard at rest."""

import os
import subprocess
from pathlib import Path

from tests.bench.figures import show
from tests.bench.site import Site, pss_mb
from tests.support.building import Console


def measure(site: Site) -> None:
    """Console with an outside database; the controller's daemon and its guard."""
    guard = _children(site.daemon.pid)[0]
    show("PSS of the daemon", mb=pss_mb(site.daemon.pid))
    show("PSS of the guard", mb=pss_mb(guard))
    show("PSS of the console, outside database, embedded broker", mb=pss_mb(site.console.pid))


def measure_outside_broker(site: Site) -> None:
    """The same console with Mosquitto."""
    show("PSS of the console, outside database and broker", mb=pss_mb(site.console.pid))


def measure_embedded(folder: Path) -> None:
    """Everything embedded: what PostgreSQL adds beside the console."""
    console = Console(folder, None, None)
    try:
        console.start()
        console_mb = pss_mb(console.pid)
        data = os.fsencode(folder / "console")
        servers = [
            pid for pid in _all_pids() if data in _command(pid) and pid != console.pid
        ] or _postgres_below(console.pid)
        show("PSS of the console, everything embedded", mb=console_mb)
        show("PSS of the embedded PostgreSQL", mb=round(sum(map(pss_mb, servers)), 1))
    finally:
        console.end()


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in listed.split()]


def _all_pids() -> list[int]:
    return [int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdigit()]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _postgres_below(pid: int) -> list[int]:
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    return [int(line) for line in listed.stdout.split()]
