"""SQL of the keys of doors and tools: no two points have the same."""

from console.database import Connection
from sync.ids import PointKey


async def point_named(conn: Connection, *, key: PointKey) -> str | None:
    """What has this key: `door Front door`, `tool Laser`; None: nothing.

    Nobody else takes a key before the transaction ends.
    """
    # Any number does that nobody else uses.
    await conn.execute("select pg_advisory_xact_lock(7016207020)")
    cursor = await conn.execute(
        """
        select 'door ' || name from access.door where key = %(key)s
        union all
        select 'tool ' || coalesce(t.name, p.tool::text)
          from access.tool_point p left join tool_description t on t.id = p.tool
         where p.key = %(key)s
         limit 1
        """,
        {"key": key},
    )
    row = await cursor.fetchone()
    return None if row is None else str(row[0])
