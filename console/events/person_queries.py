"""SQL of what somebody did and was refused."""

from datetime import datetime

from msgspec import Struct
from psycopg.rows import class_row

from console.database import Connection
from console.events.queries import AS_ROWS, RecentRow


class Before(Struct, frozen=True):
    """Where a list goes on: behind the row of this moment and event."""

    at: datetime
    event_id: int


async def happened_to(
    conn: Connection, *, account_id: int, before: Before | None, limit: int
) -> list[RecentRow]:
    """Taps and orders of one person, the newest first. `before` None: from the latest on."""
    async with conn.cursor(row_factory=class_row(RecentRow)) as cursor:
        await cursor.execute(
            """
            with done as (
              select e.id, e.kind, e.point, e.reason, e.account, e.card, e.command, e.clock_trusted,
                case when e.clock_trusted then e.happened_at else e.received_at end as at,
                null::text as called
              from access.event e
              where e.account = %(account_id)s
              union all
              select 0, case when c.result is null then 'command_asked'
                  when c.result = 'executed' then 'command_executed'
                  else 'command_refused' end,
                c.point, c.result, c.actor, null, c.id, true, c.issued_at, null
              from access.command c
              where c.actor = %(account_id)s
                and not exists (select from access.event e
                  where e.command = c.id and e.account = c.actor)
            ), arrived as (
              select * from done
              where %(at)s::timestamptz is null
                or (at, id) < (%(at)s::timestamptz, %(event_id)s::bigint)
            )
            """  # noqa: S608 both parts are constants
            + AS_ROWS,
            {
                "account_id": account_id,
                "at": before and before.at,
                "event_id": before and before.event_id,
                "limit": limit,
            },
        )
        return await cursor.fetchall()
