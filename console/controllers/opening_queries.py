"""SQL of what break-glass cards opened, as controllers told it before they could record it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from psycopg.rows import class_row

from console.database import Connection
from sync.ids import BootId, ControllerId, TapId

KEPT_MAX = 1_000
"""Of one controller: as many as it keeps itself. Source: edge/recorder.py."""

SHOWN_DAYS = 30


class Opening(Struct, frozen=True):
    """`at` None: the controller doesn't know the time. `name`: of the card, as the controller has
    it. `has_opened` False: the relay did not move.
    """

    tap: TapId
    point: str
    name: str
    at: datetime | None
    has_opened: bool


async def keep(
    conn: Connection,
    *,
    controller: ControllerId,
    boot: BootId,
    told: Sequence[Opening],
    told_at: datetime,
) -> None:
    """Keeps what a report tells, each tap once, until an event tells it."""
    await conn.execute(
        """
        delete from access.told_opening t
         where t.controller = %(controller)s
           and exists (select from access.event e
                        where e.tap_id = t.tap_id and e.kind = 'access_granted')
        """,
        {"controller": controller},
    )
    for one in told:
        await conn.execute(
            """
            insert into access.told_opening
                   (controller, tap_id, point, entry, happened_at, has_opened, boot, told_at)
            select %(controller)s, %(tap)s, %(point)s, %(name)s, %(at)s, %(has_opened)s, %(boot)s,
                   %(told_at)s
             where (select count(*) from access.told_opening
                     where controller = %(controller)s) < %(most)s
            on conflict (controller, tap_id) do update set has_opened = excluded.has_opened
              where access.told_opening.has_opened <> excluded.has_opened
            """,
            {
                "controller": controller,
                "tap": one.tap,
                "point": one.point,
                "name": one.name,
                "at": one.at,
                "has_opened": one.has_opened,
                "boot": boot,
                "told_at": told_at,
                "most": KEPT_MAX,
            },
        )


async def lost(
    conn: Connection, *, controller: str, boot: str, now: datetime, limit: int
) -> list[Opening]:
    """What another start than `boot` told, and no event does: the newest first."""
    async with conn.cursor(row_factory=class_row(Opening)) as cursor:
        await cursor.execute(
            """
            select t.tap_id as tap, t.point, t.entry as name, t.happened_at as at, t.has_opened
              from access.told_opening t
             where t.controller = %(controller)s and t.boot <> %(boot)s
               and t.told_at > %(since)s
               and not exists (select from access.event e
                                where e.tap_id = t.tap_id and e.kind = 'access_granted')
             order by t.told_at desc, t.happened_at desc nulls last
             limit %(limit)s
            """,
            {
                "controller": controller,
                "boot": boot,
                "since": now - timedelta(days=SHOWN_DAYS),
                "limit": limit,
            },
        )
        return await cursor.fetchall()
