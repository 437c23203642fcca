"""Tables, times and plain text for a terminal. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime

TIME_MS_MAX = 253_402_300_799_999
"""The end of the year 9999: no calendar of Python goes further."""


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """`rows` below `head`, each column as wide as its widest cell; None is an empty cell.

    Cells come from events and settings: what would move the cursor is shown as a question mark.
    """
    cells = [[plain(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )


def plain(cell: object) -> str:
    """Text without what would move the cursor, or end the line; None is empty."""
    text = "" if cell is None else str(cell)
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def time_of(ms: int) -> str:
    """A time in UTC, to the second. `ms`: since 1970; a question mark where that is no time."""
    if not 0 <= ms <= TIME_MS_MAX:
        return "?"
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S}"
