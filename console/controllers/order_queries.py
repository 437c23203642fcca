"""SQL of the orders to controllers: where one goes, its number, and who gave it."""

from dataclasses import dataclass, field
from datetime import datetime

from psycopg.rows import class_row

from console.controllers.queries import Json
from console.database import Connection
from sync.ids import ControllerId, PointKey
from sync.rights import PointKind


@dataclass(frozen=True, slots=True)
class Target:
    """A point's controller. `report`: its latest one; None: it was never heard."""

    controller: ControllerId
    entry_key: bytes = field(repr=False)
    last_heard: datetime | None
    report: Json | None


async def target(conn: Connection, *, kind: PointKind, point: PointKey) -> Target | None:
    """Where to send an order; None: no such point, or its controller can't be spoken to."""
    async with conn.cursor(row_factory=class_row(Target)) as cursor:
        await cursor.execute(
            """
            with point as (
              select 'door' as kind, key, controller from access.door where retired_at is null
              union all
              select 'tool' as kind, key, controller from access.tool_point
               where key not in (select key from access.door)
                 and tool not in (select tool from access.retired_tool)
            )
            select p.controller, c.entry_key, r.received_at as last_heard, r.report
              from point p
              join access.controller c on c.id = p.controller
              left join access.controller_report r on r.controller = c.id
             where p.kind = %(kind)s and p.key = %(point)s
               and c.enrolled_at is not null and c.quarantined_at is null
            """,
            {"kind": kind, "point": point},
        )
        return await cursor.fetchone()


async def next_counter(conn: Connection, *, controller: ControllerId, above: int) -> int:
    """The next command's number: above all that were given, and above `above`."""
    cursor = await conn.execute(
        """
        update access.controller
           set command_counter = greatest(command_counter, %(above)s) + 1
         where id = %(controller)s
        returning command_counter
        """,
        {"controller": controller, "above": above},
    )
    row = await cursor.fetchone()
    if row is None:
        raise AssertionError("a controller was deleted, which nothing does")
    return int(row[0])


async def add_command(
    conn: Connection,
    *,
    command: str,
    controller: ControllerId,
    point: PointKey,
    operation: str,
    actor: int,
    counter: int,
    seconds: int | None,
    reason: str,
) -> None:
    """Writes down who asked for what."""
    await conn.execute(
        """
        insert into access.command
          (id, controller, point, operation, actor, counter, seconds, reason)
        values
          (%(command)s::uuid, %(controller)s, %(point)s, %(operation)s, %(actor)s, %(counter)s,
           %(seconds)s, %(reason)s)
        """,
        {
            "command": command,
            "controller": controller,
            "point": point,
            "operation": operation,
            "actor": actor,
            "counter": counter,
            "seconds": seconds,
            "reason": reason,
        },
    )
