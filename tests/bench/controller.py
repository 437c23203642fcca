"""A controller with everything on: its start, what it takes while nobody comes, its memory."""

import time
from pathlib import Path

from tests.bench.figures import show, spread_ms
from tests.bench.memory import children_of
from tests.bench.site import Site, TraceReader, pss_mb
from tests.support.waiting import eventually_sync

STARTS = 20
PRESENT_SECONDS = 0.02
HELD_SECONDS, AWAY_SECONDS = 5.0, 2.0
"""Who isn't let in by then takes her card away and tries again, as people do."""

SETTLE_SECONDS = 10
IDLE_SECONDS = 60


def measure_boot(site: Site, entries: int) -> None:
    """Power cut after power cut. A card lies on the reader, read fifty times in a second.

    `tried_again`: how often the first tap was not granted; `cpu_ms`: what the daemon itself has
    used by then, which others on this machine don't lengthen.
    """
    door, line = next(iter(site.lines.items()))
    trace = TraceReader(Path(site.trace))
    taken: list[float] = []
    used: list[float] = []
    eventually_sync(lambda: _is_fresh(site, door), seconds=60, every=0.2)
    site.daemon.end()  # how young its rights are is on the disk now, as it is after half a second
    for number in range(STARTS):
        trace.skip()
        card = site.cards[number % len(site.cards)]
        began = time.monotonic_ns()
        site.daemon.start()

        def is_let_in(card: str = card, began: int = began) -> int | None:
            seconds = (time.monotonic_ns() - began) / 1e9
            if seconds % (HELD_SECONDS + AWAY_SECONDS) < HELD_SECONDS:
                line.present(card)
            return trace.change(door, "on")

        taken.append((eventually_sync(is_let_in, seconds=60, every=PRESENT_SECONDS) - began) / 1e9)
        used.append(_cpu_seconds(site.daemon.pid))
        site.daemon.kill()
    cpu_ms = round(sorted(used)[len(used) // 2] * 1000)
    spread_ms(
        "process start to first grant",
        taken,
        cpu_ms=cpu_ms,
        tried_again=sum(seconds > HELD_SECONDS for seconds in taken),
        entries=entries,
    )


def measure_idle(site: Site, entries: int) -> None:
    """Linked, with its rights, nobody there; restarted, so that nothing is left of what was."""
    _start_anew(site)
    time.sleep(SETTLE_SECONDS)
    daemon, guard = site.daemon.pid, _guard(site)
    began, before = time.monotonic(), (_cpu_seconds(daemon), _cpu_seconds(guard))
    time.sleep(IDLE_SECONDS)
    seconds = time.monotonic() - began
    of_daemon = (_cpu_seconds(daemon) - before[0]) / seconds * 100
    of_guard = (_cpu_seconds(guard) - before[1]) / seconds * 100
    show(
        "idle controller, everything on",
        percent_of_a_core=round(of_daemon + of_guard, 3),
        daemon_percent=round(of_daemon, 3),
        guard_percent=round(of_guard, 3),
        seconds=round(seconds, 1),
        entries=entries,
    )


def measure_memory(site: Site, entries: int) -> None:
    """Twice: with rights read from the disk, and after others have come over the network."""
    _start_anew(site)
    time.sleep(SETTLE_SECONDS)
    from_disk_mb = pss_mb(site.daemon.pid)
    serial = site.serial()
    site.sql(
        "UPDATE access.card SET lost_at = now()"
        " WHERE id = (SELECT max(id) FROM access.card WHERE lost_at IS NULL)"
    )
    eventually_sync(lambda: site.serial() > serial, seconds=120, every=0.2)
    time.sleep(SETTLE_SECONDS)
    show(
        "PSS of the daemon, everything on",
        mb=from_disk_mb,
        mb_after_new_rights=pss_mb(site.daemon.pid),
        entries=entries,
    )
    show("PSS of the guard, everything on", mb=pss_mb(_guard(site)), entries=entries)


def _is_fresh(site: Site, door: str) -> bool:
    return site.status().get("points", {}).get(door, {}).get("staleness") == "fresh"


def _start_anew(site: Site) -> None:
    site.daemon.end()
    site.daemon.start()
    eventually_sync(lambda: site.status().get("link") == "up", seconds=120, every=0.2)


def _guard(site: Site) -> int:
    [guard] = children_of(site.daemon.pid)
    return guard


def _cpu_seconds(pid: int) -> float:
    """What all threads of another process have used, in ns steps.

    Source: clock_getcpuclockid(3), whose Linux clocks are numbered so.
    """
    return time.clock_gettime((~pid << 3) | 2)
