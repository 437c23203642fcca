"""One figure: what was measured, and how it was distributed."""

import json
from collections.abc import Sequence


def show(name: str, **facts: object) -> None:
    """Prints one JSON line."""
    print(json.dumps({"figure": name, **facts}), flush=True)


def spread_ms(name: str, seconds: Sequence[float], **facts: object) -> None:
    """Prints p50, p99 and maximum of durations, in milliseconds."""
    ordered = sorted(seconds)
    show(
        name,
        n=len(ordered),
        p50_ms=_ms(ordered[len(ordered) // 2]),
        p99_ms=_ms(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]),
        max_ms=_ms(ordered[-1]),
        **facts,
    )


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)
