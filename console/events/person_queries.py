"""SQL of what somebody did and was refused."""

from datetime import datetime

from psycopg.rows import class_row

from console.database import Connection
from console.events.queries import RecentRow


async def happened_to(
    conn: Connection, *, account_id: int, before: datetime | None, limit: int
) -> list[RecentRow]:
    """Taps and orders of one person, the newest first. `before` None: from the latest on."""
    async with conn.cursor(row_factory=class_row(RecentRow)) as cursor:
        await cursor.execute(
            """
            with told as (
              select e.id, e.kind, e.point, e.reason, e.card, e.command, e.clock_trusted,
                case when e.clock_trusted then e.happened_at else e.received_at end as at
              from access.event e
              where e.account = %(account_id)s
                and (%(before)s::timestamptz is null or e.happened_at < %(before)s)
              order by e.happened_at desc, e.id desc
              limit %(limit)s
            ), asked as (
              select 0::bigint,
                case when c.result is null then 'command_asked'
                  when c.result = 'executed' then 'command_executed'
                  else 'command_refused' end,
                c.point, c.result, null::bigint, c.id, true, c.issued_at
              from access.command c
              where c.actor = %(account_id)s
                and (%(before)s::timestamptz is null or c.issued_at < %(before)s)
                and not exists (select from access.event e
                  where e.command = c.id and e.account = c.actor)
              order by c.issued_at desc
              limit %(limit)s
            ), all_of_it as (
              select * from told union all select * from asked
            )
            select e.id as event_id, e.kind, e.at, e.clock_trusted, e.point,
              coalesce(d.name, t.name, e.point) as place,
              d.key is null and p.key is not null as is_tool, e.reason,
              a.id as account_id, a.username, a.name, k.label as card_label,
              c.operation
            from all_of_it e
            join account a on a.id = %(account_id)s
            left join access.door d on d.key = e.point
            left join access.tool_point p on p.key = e.point
            left join tool_description t on t.id = p.tool
            left join access.card k on k.id = e.card
            left join access.command c on c.id = e.command
            order by e.at desc, e.id desc
            limit %(limit)s
            """,
            {"account_id": account_id, "before": before, "limit": limit},
        )
        return await cursor.fetchall()
