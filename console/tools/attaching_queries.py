"""SQL of which controller powers which tool."""

from msgspec import Struct
from psycopg.rows import class_row

from console.database import Connection
from console.rights.facts import Demands
from sync.ids import ControllerId, PointKey


class FoundRow(Struct, frozen=True):
    """A tool. `key` and `controller` None: no controller powers it."""

    id: int
    name: str
    has_circle: bool
    key: str | None
    controller: str | None


async def tools_called(conn: Connection, *, text: str) -> list[FoundRow]:
    """The tool with this number, else those with this name; it stays until the transaction ends."""
    async with conn.cursor(row_factory=class_row(FoundRow)) as cursor:
        await cursor.execute(
            """
            with called as (
              select id, name, circle, id::text = %(text)s as is_number
                from tool_description
               where (id::text = %(text)s or lower(name) = lower(%(text)s))
                 and id not in (select tool from access.retired_tool)
                 for key share
            )
            select t.id, t.name, t.circle is not null as has_circle, p.key, p.controller
              from called t
              left join access.tool_point p on p.tool = t.id
             where t.is_number or not exists (select from called where is_number)
             order by t.id
             limit 10
            """,
            {"text": text},
        )
        return await cursor.fetchall()


async def attach(
    conn: Connection, *, tool: int, key: PointKey, controller: ControllerId, demands: Demands
) -> None:
    """From now on this controller powers it."""
    await conn.execute(
        """
        insert into access.tool_point
          (key, tool, controller, soft_seconds, hard_seconds, requires_fresh, min_assurance)
        values
          (%(key)s, %(tool)s, %(controller)s, %(soft_seconds)s, %(hard_seconds)s,
           %(requires_fresh)s, %(min_assurance)s)
        """,
        {
            "key": key,
            "tool": tool,
            "controller": controller,
            "soft_seconds": demands.soft_seconds,
            "hard_seconds": demands.hard_seconds,
            "requires_fresh": demands.requires_fresh,
            "min_assurance": int(demands.min_assurance),
        },
    )


async def detach(conn: Connection, *, key: str) -> str | None:
    """From now on none does; the tool's name, None: there is none with this key."""
    cursor = await conn.execute(
        """
        with gone as (delete from access.tool_point where key = %(key)s returning tool)
        select coalesce(t.name, gone.tool::text)
          from gone left join tool_description t on t.id = gone.tool
        """,
        {"key": key},
    )
    row = await cursor.fetchone()
    return None if row is None else str(row[0])
