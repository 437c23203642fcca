"""SQL of what pages show of a tool: where it hangs, and what its controller tells."""

from datetime import datetime

from msgspec import Struct
from psycopg.rows import class_row

from console.database import Connection

Json = dict[str, object]


class ToolPageRow(Struct, frozen=True):
    """A tool. `key` and all of its controller's None: no controller powers it.

    `holder…`: who has it checked out, and since when, if that is written down. `user…`: whose card
    it was last switched on with, unless she is done with it; None: nobody we know. `order…`: as
    of a door.
    """

    id: int
    name: str
    description: str | None
    circle: str | None
    holder_id: int | None
    holder: str | None
    holder_since: datetime | None
    key: str | None
    controller: str | None
    soft_seconds: int
    hard_seconds: int
    requires_fresh: bool
    min_assurance: int
    enrolled_at: datetime | None
    quarantined_at: datetime | None
    received_at: datetime | None
    report: Json | None
    serial: int
    digest: bytes | None
    user_id: int | None
    user: str | None
    user_since: datetime | None
    order: str | None
    ordered_by: str | None
    ordered_at: datetime | None


async def tool_rows(conn: Connection, *, tool_id: int | None = None) -> list[ToolPageRow]:
    """All tools that are not retired, by name, or the one."""
    async with conn.cursor(row_factory=class_row(ToolPageRow)) as cursor:
        await cursor.execute(
            """
            with checkout as (
              select distinct on (tool_description) tool_description, account, started
                from tool_checkout
               order by tool_description, id desc
            )
            select t.id, t.name, t.description, k.name as circle,
                   h.id as holder_id, coalesce(nullif(h.name, ''), h.username) as holder,
                   o.started as holder_since, p.key, p.controller,
                   coalesce(p.soft_seconds, 86400) as soft_seconds,
                   coalesce(p.hard_seconds, 604800) as hard_seconds,
                   coalesce(p.requires_fresh, false) as requires_fresh,
                   coalesce(p.min_assurance, 0) as min_assurance,
                   c.enrolled_at, c.quarantined_at, r.received_at, r.report,
                   coalesce(s.serial, 0) as serial, s.digest,
                   u.id as user_id, coalesce(nullif(u.name, ''), u.username) as user,
                   l.at as user_since,
                   w.operation as order, w.given_by as ordered_by, w.given_at as ordered_at
              from tool_description t
              left join circle k on k.id = t.circle
              left join checkout o on o.tool_description = t.id
              left join account h on h.id = o.account
              left join access.tool_point p on p.tool = t.id
              left join access.controller c on c.id = p.controller
              left join access.controller_report r on r.controller = c.id
              left join lateral (
                select serial, digest
                  from access.snapshot
                 where controller = c.id
                 order by epoch desc, serial desc
                 limit 1
              ) s on true
              left join lateral access.latest_order(p.controller, p.key) w on true
              left join lateral (
                select e.account, e.happened_at as at
                  from access.event e
                 where e.point = p.key and e.kind = 'access_granted'
                 order by e.happened_at desc, e.id desc
                 limit 1
              ) l on not exists (
                -- Her own end: somebody whose tool she took over is done with it after she began.
                select from access.event e
                 where e.point = p.key and e.kind = 'tool_released'
                   and e.account = l.account and e.happened_at >= l.at
              )
              left join account u on u.id = l.account
             where (%(tool_id)s::bigint is null or t.id = %(tool_id)s)
               and t.id not in (select tool from access.retired_tool)
             order by access.alphabetic(t.name), t.id
            """,
            {"tool_id": tool_id},
        )
        return await cursor.fetchall()


class OutRow(Struct, frozen=True):
    """A tool that somebody has checked out. `since` None: the old web app didn't write it down."""

    id: int
    name: str
    since: datetime | None


async def out_with(conn: Connection, *, account_id: int) -> list[OutRow]:
    """The tools that somebody has, what she took last first."""
    async with conn.cursor(row_factory=class_row(OutRow)) as cursor:
        await cursor.execute(
            """
            select t.id, t.name, o.started as since
              from (
                select distinct on (tool_description) tool_description, account, started
                  from tool_checkout
                 order by tool_description, id desc
              ) o
              join tool_description t on t.id = o.tool_description
             where o.account = %(account_id)s
             order by o.started desc nulls last, t.id
            """,
            {"account_id": account_id},
        )
        return await cursor.fetchall()


async def checkouts_mark(conn: Connection) -> str:
    """A text that is another one after each checkout and each return."""
    cursor = await conn.execute("select coalesce(max(id), 0), count(*) from tool_checkout")
    row = await cursor.fetchone()
    return "" if row is None else f"{row[0]}-{row[1]}"
