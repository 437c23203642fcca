"""Who has looked into which alarms, in words. Pure."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from console.events.past_alarm_queries import LookRow
from console.events.past_alarms import told
from console.words import Text

LOOKS_SHOWN = 5
"""On the page of a door or tool."""


class ToldLook(Struct, frozen=True):
    """A look. `says`: what the alarms were."""

    row: LookRow
    says: Text


def told_looks(rows: Sequence[LookRow], now: datetime) -> list[ToldLook]:
    """Looks as pages list them."""
    return [
        ToldLook(row, told(row.key, alarms=row.alarms, last_at=row.last_at, now=now))
        for row in rows
    ]
