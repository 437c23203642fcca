"""Proportional set size of console, daemon and guard at rest."""

from pathlib import Path

from tests.bench.figures import show
from tests.bench.site import Site, as_installed, pss_mb
from tests.support.building import Console


def measure(site: Site) -> float:
    """The controller's daemon and its guard; the console with the embedded broker, in MB."""
    [guard] = children_of(site.daemon.pid)
    show("PSS of the daemon", mb=pss_mb(site.daemon.pid))
    show("PSS of the guard", mb=pss_mb(guard))
    console_mb = pss_mb(site.console.pid)
    show("PSS of the console, outside database, embedded broker", mb=console_mb)
    return console_mb


def measure_outside_broker(site: Site, *, with_embedded_mb: float) -> None:
    """The same console with Mosquitto. The embedded broker is no process of its own."""
    console_mb = pss_mb(site.console.pid)
    show("PSS of the console, outside database and broker", mb=console_mb)
    show("PSS that the embedded broker adds", mb=round(with_embedded_mb - console_mb, 1))


def measure_embedded(folder: Path) -> None:
    """Everything embedded: what PostgreSQL adds beside the console."""
    console = Console(folder, None, None)
    console.environment = as_installed(folder, "p2k16-console")
    try:
        console.start()
        show("PSS of the console, everything embedded", mb=pss_mb(console.pid))
        [pid_file] = folder.rglob("postmaster.pid")
        postmaster = int(pid_file.read_text().split()[0])
        servers = [postmaster, *children_of(postmaster)]  # one for each connection and chore
        show("PSS of the embedded PostgreSQL", mb=round(sum(map(pss_mb, servers)), 1))
    finally:
        console.end()


def children_of(pid: int) -> list[int]:
    """The processes that it has started and not yet lost."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in listed.split()]
