"""SQL of the names in a preview."""

from collections.abc import Collection

from console.database import Connection
from sync.ids import AccountRef, PointKey


async def people_names(
    conn: Connection, *, accounts: Collection[AccountRef]
) -> dict[AccountRef, str]:
    """What these people are called."""
    cursor = await conn.execute(
        """
        select id, coalesce(nullif(name, ''), username)
          from account
         where id = any(%(accounts)s::bigint[])
        """,
        {"accounts": list(accounts)},
    )
    return {AccountRef(row[0]): str(row[1]) for row in await cursor.fetchall()}


async def place_names(conn: Connection) -> dict[PointKey, str]:
    """What doors and tools are called; a tool without a controller goes by `tool-` and its id."""
    cursor = await conn.execute(
        """
        select coalesce(p.key, 'tool-' || t.id), t.name::text
          from tool_description t
          left join access.tool_point p on p.tool = t.id
        union all
        select key, name from access.door
        """
    )
    return {PointKey(row[0]): str(row[1]) for row in await cursor.fetchall()}
