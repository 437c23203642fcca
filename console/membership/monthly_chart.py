"""The chart of revenue and members, as a picture.

It is drawn by a program of its own, `chart.py`, one at a time: the drawing library takes some
megabytes, which go with it. The last picture is kept, and drawn anew only when its figures change.
"""

import asyncio
import json
import sys
from collections.abc import Sequence

import structlog

from console.errors import ConsoleError
from console.membership.queries import Month

log = structlog.get_logger()

DRAWING_SECONDS = 10
MONTHS_MAX = 120
COMPLAINT_CHARACTERS_MAX = 500


class NotDrawn(ConsoleError):
    """The chart could not be drawn; the log says why."""


class MonthlyChart:
    """Draws it, and keeps the last one."""

    def __init__(self) -> None:
        self._figures = b""
        self._picture = b""
        self._drawing = asyncio.Lock()

    async def picture(self, months: Sequence[Month]) -> bytes:
        """As PNG. Raises: NotDrawn."""
        figures = _spelled(months)
        async with self._drawing:
            if figures != self._figures:
                self._picture = await _drawn(figures)
                self._figures = figures
            return self._picture


def _spelled(months: Sequence[Month]) -> bytes:
    rows = [
        {"month": f"{one.first_day:%Y-%m}", "revenue": float(one.revenue), "members": one.members}
        for one in months
    ]
    return json.dumps(rows).encode()


async def _drawn(figures: bytes) -> bytes:
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "console.membership.chart"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(DRAWING_SECONDS):
            picture, complaint = await program.communicate(figures)
    except TimeoutError:
        raise NotDrawn(f"The chart took longer than {DRAWING_SECONDS} s.") from None
    finally:
        if program.returncode is None:
            program.kill()
            await program.wait()
    if program.returncode != 0 or not picture:
        said = complaint.decode(errors="replace")[-COMPLAINT_CHARACTERS_MAX:]
        log.error("chart.not_drawn", status=program.returncode, said=said)
        raise NotDrawn("The chart could not be drawn.")
    return picture
