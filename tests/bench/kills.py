"""kill -9 of the real daemon while a relay is on: how long until the guard has let go."""

import time
from pathlib import Path

from tests.bench.figures import spread_ms
from tests.bench.site import Site, TraceReader
from tests.support.waiting import eventually_sync

TIMES = 100


def measure(site: Site) -> None:
    """100 kills, each of a freshly started daemon."""
    door, line = next(iter(site.lines.items()))
    trace = TraceReader(Path(site.trace))
    taken: list[float] = []
    for number in range(TIMES):
        eventually_sync(lambda: _is_ready(site, door), seconds=20, every=0.02)
        line.present(site.cards[number % len(site.cards)])
        trace.next_change(door, "on")
        killed = time.monotonic_ns()
        site.daemon.kill()
        taken.append((trace.next_change(door, "off") - killed) / 1e9)
        site.daemon.start()
    spread_ms("kill -9 of the daemon to relay off", taken)


def _is_ready(site: Site, door: str) -> bool:
    point = site.status().get("points", {}).get(door, {})
    return point.get("state") == "locked" and point.get("reader") == "open"
