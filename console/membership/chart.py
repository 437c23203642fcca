"""A program that draws revenue and members of each month: figures on stdin, a PNG on stdout.

The figures: a JSON list of `{"month": "2026-01", "revenue": 1234.5, "members": 12}`, oldest first.
"""

import json
import sys
from io import BytesIO

from msgspec import Struct
from PIL import Image, ImageDraw, ImageFont

SIDE = 1600
"""Width and height in pixels; the old web app's chart was as large."""
LEFT, RIGHT, TOP, BOTTOM = 170, 40, 100, 90
"""Margins of each of the two halves."""
TEXT, TITLE = 26, 40
INK, GRID, BACKGROUND = "#1c2733", "#d5dbe1", "#ffffff"
REVENUE, MEMBERS = "#1f6f54", "#3b5b92"
LABELS_MAX = 12
STEPS = 5
"""Lines of the grid, at most."""


class Bars(Struct, frozen=True):
    """One half: a bar for each month."""

    title: str
    colour: str
    months: list[str]
    values: list[float]


class Sheet:
    """What is drawn on."""

    def __init__(self) -> None:
        self.image = Image.new("RGB", (SIDE, SIDE), BACKGROUND)
        self._draw = ImageDraw.Draw(self.image)
        self._text = ImageFont.load_default(size=TEXT)
        self._title = ImageFont.load_default(size=TITLE)

    def say(self, words: str) -> None:
        """Writes words in the middle."""
        middle = (SIDE / 2, SIDE / 2)
        self._draw.text(middle, words, fill=INK, font=self._title, anchor="mm")

    def draw(self, bars: Bars, *, top: int) -> None:
        """Draws a half, beginning at `top`."""
        floor, ceiling = top + SIDE // 2 - BOTTOM, top + TOP
        step = grid_step(max(bars.values, default=0))
        most = step * STEPS
        self._draw.text((LEFT, top + 30), bars.title, fill=INK, font=self._title)
        for line in range(STEPS + 1):
            height = floor - (floor - ceiling) * line / STEPS
            self._draw.line((LEFT, height, SIDE - RIGHT, height), fill=GRID, width=2)
            value = f"{step * line:,}".replace(",", " ")
            where = (LEFT - 14, height)
            self._draw.text(where, value, fill=INK, font=self._text, anchor="rm")
        width = (SIDE - LEFT - RIGHT) / max(1, len(bars.months))
        every = -(-len(bars.months) // LABELS_MAX)
        for number, (month, value) in enumerate(zip(bars.months, bars.values, strict=True)):
            left = LEFT + width * number
            height = floor - (floor - ceiling) * max(0.0, value) / most
            self._draw.rectangle(
                (left + width * 0.1, height, left + width * 0.9, floor), fill=bars.colour
            )
            if number % every == 0:
                below = (left + width / 2, floor + 16)
                self._draw.text(below, month, fill=INK, font=self._text, anchor="ma")


def grid_step(most: float) -> int:
    """The smallest of 1, 2, 5, 10, 20, 50 … of which `STEPS` reach up to `most`."""
    step, digit = 1, 0
    while step * STEPS < most:
        digit += 1
        step = (1, 2, 5)[digit % 3] * 10 ** (digit // 3)
    return step


def picture(figures: bytes) -> bytes:
    """The chart as PNG. Raises: ValueError or KeyError for other figures than those above."""
    rows: list[dict[str, str | float]] = json.loads(figures)
    months = [str(row["month"]) for row in rows]
    revenue = [float(row["revenue"]) for row in rows]
    members = [float(row["members"]) for row in rows]
    sheet = Sheet()
    if rows:
        sheet.draw(Bars("Membership fees per month", REVENUE, months, revenue), top=0)
        sheet.draw(Bars("Paying members per month", MEMBERS, months, members), top=SIDE // 2)
    else:
        sheet.say("No payments yet")
    written = BytesIO()
    sheet.image.save(written, format="PNG", optimize=True)
    return written.getvalue()


def main() -> None:
    """Reads, draws, writes."""
    sys.stdout.buffer.write(picture(sys.stdin.buffer.read()))


if __name__ == "__main__":
    main()
