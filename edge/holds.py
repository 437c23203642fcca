"""The orders that stand: which points are locked down or out of service, kept over restarts."""

import sqlite3
from collections.abc import Callable, Mapping

from edge.post import Hold
from edge.store import Store
from sync.ids import PointKey


async def read_holds(store: Store) -> Mapping[PointKey, Hold]:
    """What was ordered and not taken back. Raises: StorageFault."""

    def work(connection: sqlite3.Connection) -> dict[PointKey, Hold]:
        rows = connection.execute("SELECT point, hold FROM hold")
        return {PointKey(point): Hold(hold) for point, hold in rows}

    return await store.read(work)


def writing(point: PointKey, hold: Hold | None) -> Callable[[sqlite3.Connection], None]:
    """Keeps an order, or (None) forgets it: for a transaction that records the command."""

    def work(connection: sqlite3.Connection) -> None:
        if hold is None:
            connection.execute("DELETE FROM hold WHERE point = ?", (point,))
        else:
            connection.execute(
                "INSERT OR REPLACE INTO hold (point, hold) VALUES (?, ?)", (point, hold)
            )

    return work
