"""SQL of retiring tools, and of changing which controller powers one."""

from datetime import datetime

from msgspec import Struct
from psycopg.rows import class_row

from console.database import Connection
from console.rights.facts import Demands
from sync.ids import ControllerId, PointKey


class RetiredRow(Struct, frozen=True):
    """A tool that is out of use. `circle`: whose it was, where that is still there."""

    id: int
    name: str
    circle: int | None
    controller: str | None
    retired_at: datetime


async def lock(conn: Connection, *, tool_id: int) -> bool:
    """Nobody else changes the tool before the transaction ends; False: there is none."""
    cursor = await conn.execute(
        "select from tool_description where id = %(tool_id)s for update", {"tool_id": tool_id}
    )
    return cursor.rowcount == 1


async def tools_named(conn: Connection, *, name: str) -> list[int]:
    """The tools that are called so, in any case, and not retired. Nobody else adds one before the
    transaction ends."""
    # Any number does that nobody else uses.
    await conn.execute("select pg_advisory_xact_lock(7016207031)")
    cursor = await conn.execute(
        """
        select id from tool_description
         where lower(name) = lower(%(name)s)
           and id not in (select tool from access.retired_tool)
         order by id
         limit 10
        """,
        {"name": name},
    )
    return [int(row[0]) for row in await cursor.fetchall()]


async def is_circle(conn: Connection, *, circle: int) -> bool:
    """Whether there is such a circle; it can't be deleted before the transaction ends."""
    cursor = await conn.execute(
        "select from circle where id = %(circle)s for key share", {"circle": circle}
    )
    return cursor.rowcount == 1


async def set_power(
    conn: Connection, *, tool_id: int, controller: ControllerId, key: PointKey, demands: Demands
) -> None:
    """Another controller, key or demands for a tool that has one."""
    await conn.execute(
        """
        update access.tool_point
           set key = %(key)s, controller = %(controller)s, soft_seconds = %(soft_seconds)s,
               hard_seconds = %(hard_seconds)s, requires_fresh = %(requires_fresh)s,
               min_assurance = %(min_assurance)s
         where tool = %(tool_id)s
        """,
        {
            "tool_id": tool_id,
            "key": key,
            "controller": controller,
            "soft_seconds": demands.soft_seconds,
            "hard_seconds": demands.hard_seconds,
            "requires_fresh": demands.requires_fresh,
            "min_assurance": int(demands.min_assurance),
        },
    )


async def retire(conn: Connection, *, tool_id: int, actor: int) -> None:
    """From now on it serves nobody, also in the old web app, and is on no page."""
    await conn.execute(
        """
        insert into access.retired_tool (tool, circle)
        select id, circle from tool_description where id = %(tool_id)s
        on conflict do nothing
        """,
        {"tool_id": tool_id},
    )
    await _set_circle(conn, tool_id=tool_id, circle=None, actor=actor)


async def bring_back(conn: Connection, *, tool_id: int, circle: int | None, actor: int) -> None:
    """From now on it is as any other, and serves this circle."""
    await conn.execute(
        "delete from access.retired_tool where tool = %(tool_id)s", {"tool_id": tool_id}
    )
    await _set_circle(conn, tool_id=tool_id, circle=circle, actor=actor)


async def retired(conn: Connection, *, limit: int, tool_id: int | None = None) -> list[RetiredRow]:
    """Those that are out of use, by name, or the one."""
    async with conn.cursor(row_factory=class_row(RetiredRow)) as cursor:
        await cursor.execute(
            """
            select t.id, t.name::text, c.id as circle, p.controller, r.retired_at
              from access.retired_tool r
              join tool_description t on t.id = r.tool
              left join circle c on c.id = coalesce(t.circle, r.circle)
              left join access.tool_point p on p.tool = t.id
             where %(tool_id)s::bigint is null or t.id = %(tool_id)s
             order by access.alphabetic(t.name), t.id
             limit %(limit)s
            """,
            {"tool_id": tool_id, "limit": limit},
        )
        return await cursor.fetchall()


async def _set_circle(conn: Connection, *, tool_id: int, circle: int | None, actor: int) -> None:
    await conn.execute(
        """
        update tool_description
           set circle = %(circle)s, updated_at = now(), updated_by = %(actor)s
         where id = %(tool_id)s and circle is distinct from %(circle)s::bigint
        """,
        {"tool_id": tool_id, "circle": circle, "actor": actor},
    )
