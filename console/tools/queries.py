"""SQL of tools and of who has one checked out."""

from datetime import datetime

from msgspec import Struct
from psycopg.rows import class_row, scalar_row

from console.database import Connection
from console.tools.tool import Holder, Tool


class ToolRow(Struct, frozen=True):
    """A tool. `created_by` and `updated_by` are user names; `holder…` None: it is free."""

    id: int
    created_at: datetime
    created_by: str
    updated_at: datetime
    updated_by: str
    name: str
    description: str | None
    circle: str | None
    holder_id: int | None
    holder: str | None
    started: datetime | None

    def tool(self) -> Tool:
        """For the rules."""
        holder = None
        if self.holder_id is not None and self.holder is not None:
            holder = Holder(self.holder_id, self.holder, self.started)
        return Tool(self.id, self.name, self.circle, holder)


async def tools(conn: Connection, *, tool_id: int | None = None) -> list[ToolRow]:
    """All tools that are not retired, by id, or the one.

    Of two checkouts of one tool, the later counts.
    """
    async with conn.cursor(row_factory=class_row(ToolRow)) as cursor:
        await cursor.execute(
            """
            with checkout as (
              select distinct on (tool_description) tool_description, account, started
              from tool_checkout
              order by tool_description, id desc
            )
            select t.id, t.created_at, c.username as created_by, t.updated_at,
              u.username as updated_by, t.name, t.description, k.name as circle,
              h.id as holder_id, h.username as holder, o.started
            from tool_description t
            join account c on c.id = t.created_by
            join account u on u.id = t.updated_by
            left join circle k on k.id = t.circle
            left join checkout o on o.tool_description = t.id
            left join account h on h.id = o.account
            where (%(tool_id)s::bigint is null or t.id = %(tool_id)s)
              and t.id not in (select tool from access.retired_tool)
            order by t.id
            """,
            {"tool_id": tool_id},
        )
        return await cursor.fetchall()


async def lock_tool(conn: Connection, *, tool_id: int) -> None:
    """Nobody else takes or returns it before the transaction ends."""
    await conn.execute(
        "select from tool_description where id = %(tool_id)s for update", {"tool_id": tool_id}
    )


async def circle_id(conn: Connection, *, name: str) -> int | None:
    """The circle with exactly this name; it can't be deleted before the transaction ends."""
    async with conn.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(
            "select id::bigint from circle where name = %(name)s for key share", {"name": name}
        )
        found: int | None = await cursor.fetchone()
        return found


async def add_tool(
    conn: Connection, *, name: str, description: str | None, circle: int, actor: int
) -> int:
    """Makes a tool; gives its id."""
    async with conn.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(
            """
            insert into tool_description
              (created_at, created_by, updated_at, updated_by, name, description, circle)
            values (now(), %(actor)s, now(), %(actor)s, %(name)s, %(description)s, %(circle)s)
            returning id::bigint
            """,
            {"name": name, "description": description, "circle": circle, "actor": actor},
        )
        made: int | None = await cursor.fetchone()
    if made is None:
        raise AssertionError("an insert gave no id")
    return made


async def change_tool(
    conn: Connection,
    *,
    tool_id: int,
    name: str,
    description: str | None,
    circle: int,
    actor: int,
) -> None:
    """Changes a tool, unless it is so already."""
    await conn.execute(
        """
        update tool_description
           set name = %(name)s, description = %(description)s, circle = %(circle)s,
               updated_at = now(), updated_by = %(actor)s
         where id = %(tool_id)s
           and (name, description, circle)
             is distinct from (%(name)s, %(description)s::text, %(circle)s)
        """,
        {
            "tool_id": tool_id,
            "name": name,
            "description": description,
            "circle": circle,
            "actor": actor,
        },
    )


async def take(conn: Connection, *, tool_id: int, actor: int) -> None:
    """Writes down that `actor` has it now."""
    await conn.execute(
        """
        insert into tool_checkout
          (created_at, created_by, updated_at, updated_by, tool_description, account, started)
        values (now(), %(actor)s, now(), %(actor)s, %(tool_id)s, %(actor)s, now())
        """,
        {"tool_id": tool_id, "actor": actor},
    )


async def release(conn: Connection, *, tool_id: int) -> None:
    """Writes down that nobody has it any more."""
    await conn.execute(
        "delete from tool_checkout where tool_description = %(tool_id)s", {"tool_id": tool_id}
    )


async def add_event(conn: Connection, *, name: str, tool_name: str, actor: int) -> None:
    """The event row of a checkout or checkin, as the old web app writes it."""
    await conn.execute(
        """
        insert into event (created_at, created_by, domain, name, text1)
        values (now(), %(actor)s, 'tool', %(name)s, %(tool_name)s)
        """,
        {"name": name, "tool_name": tool_name, "actor": actor},
    )


async def holder_name(conn: Connection, *, account_id: int) -> str:
    """What somebody is called who has a tool."""
    cursor = await conn.execute(
        "select coalesce(name, username) from account where id = %(account_id)s",
        {"account_id": account_id},
    )
    row = await cursor.fetchone()
    return "" if row is None else str(row[0])
