"""From the last byte of a card's frame on the serial line to the relay being on.

Real daemon, guard, SQLite file and pseudo-terminal; gpiozero's mock pins. A relay has to be off
again before the next tap of its door, so several doors take turns.
"""

import time
from itertools import cycle
from pathlib import Path

from tests.bench.figures import spread_ms
from tests.bench.site import Site, TraceReader


def measure(site: Site, label: str) -> None:
    """Each card once cold (scrypt), then once warm (its digest is remembered)."""
    for warmth in ("cold", "warm"):
        taken = _round(site, site.cards)
        spread_ms(f"tap to relay, {warmth} card, {label}", taken, cards=len(site.cards))


def _round(site: Site, cards: list[str]) -> list[float]:
    trace = TraceReader(Path(site.trace))
    taken: list[float] = []
    off_at = dict.fromkeys(site.lines, time.monotonic() + 1.15)
    for door, card in zip(cycle(site.lines), cards, strict=False):
        time.sleep(max(0.0, off_at[door] - time.monotonic()))
        site.lines[door].present(card)
        written = time.monotonic_ns()
        taken.append((trace.next_change(door, "on") - written) / 1e9)
        off_at[door] = time.monotonic() + 1.15  # the unlock time is 1 s
    return taken
