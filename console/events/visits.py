"""How many people came on each of the last days: what the old web app showed at its entrance."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta

from msgspec import Struct

from console.database import Connection
from console.events import book_queries as queries
from console.web import times

DAYS = 7


class Visits(Struct, frozen=True):
    """A day of the space's own zone. `share` is 0 to 100, of the fullest day's people."""

    begins: datetime
    people: int
    share: int


async def visits(conn: Connection, now: datetime) -> Sequence[Visits]:
    """The last seven days, today the last."""
    starts = day_starts(now)
    counts = await queries.visitors(conn, starts=starts[:-1], ends=starts[1:])
    most = max([*counts.values(), 1])
    return [
        Visits(start, counts.get(start, 0), counts.get(start, 0) * 100 // most)
        for start in starts[:-1]
    ]


def day_starts(now: datetime) -> list[datetime]:
    """The midnights between which the days lie, in order; a day may have 23 hours, or 25."""
    today = times.local(now).date()
    days = [today + timedelta(days=ago) for ago in range(1 - DAYS, 2)]
    return [datetime.combine(day, time()).astimezone() for day in days]
