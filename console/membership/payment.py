"""Which rows an invoice needs: one for each of its lines, each once, whoever wrote the others."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from console.membership.billing import Line

ZONE_SHIFT_MAX = timedelta(hours=14)
"""The old web app stored local times without their zone: its rows may be off by as much."""


def not_yet_recorded(lines: Sequence[Line], rows: Sequence[Line]) -> list[Line]:
    """Those of an invoice's lines that none of its rows stands for.

    Each row stands for one line, so that an invoice may have the same line twice. A row that is
    like a line but for the time zone, as the old web app may have written it, stands for it too.
    """
    left = list(rows)
    without = _without_row(lines, left, lambda line, row: line == row)
    return _without_row(without, left, _is_same_elsewhere)


def _without_row(
    lines: Sequence[Line], left: list[Line], is_same: Callable[[Line, Line], bool]
) -> list[Line]:
    """The lines that have none of the rows in `left`; rows that are taken are removed from it."""
    without: list[Line] = []
    for line in lines:
        row = next((row for row in left if is_same(line, row)), None)
        if row is None:
            without.append(line)
        else:
            left.remove(row)
    return without


def _is_same_elsewhere(line: Line, row: Line) -> bool:
    return (
        line.amount == row.amount
        and abs(line.start - row.start) <= ZONE_SHIFT_MAX
        and abs(line.end - row.end) <= ZONE_SHIFT_MAX
    )
