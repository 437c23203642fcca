"""SQL of the keys of doors and tools: no two points have the same."""

from msgspec import Struct
from psycopg.rows import class_row

from console.database import Connection
from sync.ids import PointKey


class Keyed(Struct, frozen=True):
    """What has a key, also when it is retired."""

    kind: str
    name: str
    is_retired: bool

    @property
    def words(self) -> str:
        """As it is told at the prompt: `door Front door`, `tool Laser, which is retired`."""
        return f"{self.kind} {self.name}{', which is retired' if self.is_retired else ''}"


async def point_named(conn: Connection, *, key: PointKey) -> Keyed | None:
    """What has this key; None: nothing. Nobody else takes a key before the transaction ends."""
    # Any number does that nobody else uses.
    await conn.execute("select pg_advisory_xact_lock(7016207020)")
    async with conn.cursor(row_factory=class_row(Keyed)) as cursor:
        await cursor.execute(
            """
            select 'door' as kind, name, retired_at is not null as is_retired
              from access.door where key = %(key)s
            union all
            select 'tool', coalesce(t.name, p.tool::text), r.tool is not null
              from access.tool_point p
              left join tool_description t on t.id = p.tool
              left join access.retired_tool r on r.tool = p.tool
             where p.key = %(key)s
             limit 1
            """,
            {"key": key},
        )
        return await cursor.fetchone()
