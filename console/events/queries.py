"""What pages ask of the events."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString

from msgspec import Struct
from psycopg.rows import class_row

from console.database import Connection

LOOKED_AT = 500
"""A controller that was offline delivers old events late: so many of the latest arrivals are put in
the order in which they happened."""


class RecentRow(Struct, frozen=True):
    """An event for a list. `at`: when it happened, or, without a trusted clock, when it arrived.

    `event_id` 0: no controller told it, but a door without one was opened from here. `place`: what
    the door or tool is called. `account_id`, `name`, `username`: who tapped, or who gave the
    command with this `operation`. `was_lost`: the card had been marked lost by then.
    """

    event_id: int
    kind: str
    at: datetime
    clock_trusted: bool
    point: str | None
    place: str | None
    is_tool: bool
    reason: str | None
    account_id: int | None
    username: str | None
    name: str | None
    card_label: str | None
    operation: str | None
    was_lost: bool


AS_ROWS: LiteralString = """
            select e.id as event_id, e.kind, e.at, e.clock_trusted, e.point,
              coalesce(e.called, d.name, t.name, e.point) as place,
              d.key is null and p.key is not null as is_tool, e.reason,
              a.id as account_id, a.username, a.name, k.label as card_label,
              c.operation, coalesce(k.lost_at <= e.at, false) as was_lost
            from arrived e
            left join access.door d on d.key = e.point
            left join access.tool_point p on p.key = e.point
            left join tool_description t on t.id = p.tool
            left join access.card k on k.id = e.card
            left join access.command c on c.id = e.command
            left join account a on a.id = coalesce(e.account, c.actor)
            order by e.at desc, e.id desc
            limit %(limit)s
            """
"""The end of a query that calls its events `arrived`: `RecentRow`s, the newest first.

`called`: the place's name, where no key says it.
"""


async def recent_events(conn: Connection, *, kinds: Sequence[str], limit: int) -> list[RecentRow]:
    """The latest events of these kinds, the newest first.

    What was opened without a controller of ours is among them as `command_executed`.
    """
    async with conn.cursor(row_factory=class_row(RecentRow)) as cursor:
        await cursor.execute(
            """
            with told as (
              select e.id, e.kind, e.point, e.reason, e.account, e.card, e.command, e.clock_trusted,
                e.happened_at as at,
                null::text as called
              from access.event e
              where e.kind = any(%(kinds)s)
              order by e.id desc
              limit %(looked_at)s
            ), opened as (
              select 0::bigint, 'command_executed', c.point, null::text, c.actor, null::bigint,
                c.id, true, c.issued_at, null::text
              from access.command c
              where c.controller is null and c.result = 'executed'
                and 'command_executed' = any(%(kinds)s)
              order by c.issued_at desc
              limit %(limit)s
            ), arrived as (
              select * from told union all select * from opened
            )
            """  # noqa: S608 both parts are constants
            + AS_ROWS,
            {"kinds": list(kinds), "limit": limit, "looked_at": LOOKED_AT},
        )
        return await cursor.fetchall()
