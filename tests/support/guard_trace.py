"""What the relay guard did, from its trace file."""

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Change:
    """One relay change, at an instant of CLOCK_MONOTONIC. `relay`: "on" or "off"."""

    mono_ns: int
    point: str
    relay: str


def read_trace(trace: Path) -> list[Change]:
    """All lines so far; none while there is no file."""
    if not trace.exists():
        return []
    whole = trace.read_text().rpartition("\n")[0]  # without a line that is being written
    return [Change(**json.loads(line)) for line in whole.splitlines()]


def relay_states(trace: Path, point: str) -> list[str]:
    """What one point's relay went through, such as `["on", "off"]`."""
    return [change.relay for change in read_trace(trace) if change.point == point]
