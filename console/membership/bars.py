"""A small chart of bars, in numbers for an SVG; a table beside it says the same. Pure."""

from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct

WIDTH, HEIGHT = 650, 160
GAP = 0.2
"""Between two bars, as a part of a bar's place."""
LEAST = 2
"""So high is a bar of anything at all."""


class Bar(Struct, frozen=True):
    """A rectangle, in the units of the drawing."""

    x: int
    y: int
    width: int
    height: int


def bars(values: Sequence[Decimal]) -> list[Bar]:
    """A bar for each value, from left to right; what isn't above zero has none of any height."""
    most = max((value for value in values if value.is_finite()), default=Decimal(0))
    place = WIDTH / max(1, len(values))
    return [_bar(number, value, most, place) for number, value in enumerate(values)]


def _bar(number: int, value: Decimal, most: Decimal, place: float) -> Bar:
    is_any = value.is_finite() and value > 0
    height = max(LEAST, round(HEIGHT * float(value / most))) if is_any else 0
    return Bar(round(place * (number + GAP / 2)), HEIGHT - height, round(place * (1 - GAP)), height)
