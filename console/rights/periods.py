"""Periods of time: how those that touch become one. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from console.rights.facts import Paid
from sync.rights import Window

Period = TypeVar("Period", Paid, Window)


def merged(periods: Iterable[Period]) -> list[Period]:
    """The union of the periods, in order of time. Whole milliseconds: n and n + 1 touch."""
    union: list[Period] = []
    for period in sorted(periods, key=lambda period: period.start_ms):
        if period.end_ms < period.start_ms:
            continue
        if union and period.start_ms <= union[-1].end_ms + 1:
            last = union.pop()
            period = replace(last, end_ms=max(last.end_ms, period.end_ms))
        union.append(period)
    return union
