"""How far a long proof has come, on standard error: standard output is for figures."""

import sys
import time
from collections.abc import Iterator

TELL_SECONDS = 15.0


def counted(total: int, what: str) -> Iterator[int]:
    """The numbers from 0 on; now and then it tells how far they are."""
    told_at = began = time.monotonic()
    for number in range(total):
        yield number
        now = time.monotonic()
        if now - told_at >= TELL_SECONDS:
            told_at = now
            left = (now - began) / (number + 1) * (total - number - 1)
            line = f"{number + 1} of {total} {what}, some {left / 60:.0f} min to go"
            print(line, file=sys.stderr, flush=True)
