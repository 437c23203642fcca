"""SQL of what happened at one door or tool."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from psycopg.rows import class_row

from console.database import Connection


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """An event at a door or tool. `account_id` None: nobody we know. `operation`: of a command.

    `event_id` 0: no controller told it.

    `was_lost`: the card had been marked lost by then. `payload`: as the controller told it; None:
    no controller did. `looked_by`, `looked_at` None: nobody has looked into it, or it is no alarm.
    """

    event_id: int
    kind: str
    at: datetime
    clock_trusted: bool
    reason: str | None
    account_id: int | None
    username: str | None
    name: str | None
    card_label: str | None
    operation: str | None
    was_lost: bool
    payload: str | None = field(repr=False)
    looked_by: str | None = None
    looked_at: datetime | None = None
    look_comment: str | None = None


async def happened(
    conn: Connection, *, point: str, kinds: Sequence[str], limit: int
) -> list[PlaceRow]:
    """The latest events of these kinds at a door or tool, the newest first.

    For a door without a controller they are made of what was asked of it. Its kinds are
    `command_executed`, `command_refused`, and `command_asked` where nobody knows what came of it.
    """
    async with conn.cursor(row_factory=class_row(PlaceRow)) as cursor:
        await cursor.execute(
            """
            with told as (
              select kind, happened_at as at, clock_trusted, reason, account, card, id, command,
                     payload
                from access.event
               where point = %(point)s and kind = any(%(kinds)s)
               order by happened_at desc, id desc
               limit %(limit)s
            ), asked as (
              select case when result is null then 'command_asked'
                          when result = 'executed' then 'command_executed'
                          else 'command_refused' end as kind,
                     issued_at as at, true as clock_trusted, result as reason, actor as account,
                     null::bigint as card, 0::bigint as id, id as command,
                     null::text as payload
                from access.command
               where point = %(point)s and controller is null
               order by issued_at desc
               limit %(limit)s
            )
            select e.id as event_id, e.kind, e.at, e.clock_trusted, e.reason,
                   a.id as account_id, a.username, a.name, k.label as card_label,
                   o.operation, coalesce(k.lost_at <= e.at, false) as was_lost, e.payload,
                   look.looked_by, look.looked_at, look.look_comment
              from (select * from told union all select * from asked) e
              left join access.card k on k.id = e.card
              left join access.command o on o.id = e.command
              left join account a on a.id = e.account
              left join lateral (
                select coalesce(nullif(h.name, ''), h.username) as looked_by, l.looked_at,
                       l.comment as look_comment
                  from access.alarm_look l
                  left join account h on h.id = l.looked_by
                 where l.point = %(point)s and l.kind = e.kind
                   and l.reason = case when e.kind = 'fault_began' then e.reason else '' end
                   and e.id between l.first_event and l.last_event
                 order by l.last_event
                 limit 1
              ) look on true
             order by e.at desc, e.id desc
             limit %(limit)s
            """,
            {"point": point, "kinds": list(kinds), "limit": limit},
        )
        return await cursor.fetchall()
