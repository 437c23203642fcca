"""SQL of what the database says of itself and of the circles that are known by their names."""

from collections.abc import Collection
from datetime import datetime

from msgspec import Struct
from psycopg.rows import class_row

from console.database import Connection


class DatabaseRow(Struct, frozen=True):
    """Its version, and the newest file that its tables come from. None: there is none."""

    server_version: str
    migration: str | None
    migrations: int
    migrated_at: datetime | None


async def database(conn: Connection) -> DatabaseRow:
    """The database that answers."""
    async with conn.cursor(row_factory=class_row(DatabaseRow)) as cursor:
        await cursor.execute(
            """
            select current_setting('server_version') as server_version,
              max(version) as migration, count(*) as migrations, max(applied_at) as migrated_at
            from access.migration
            """
        )
        row = await cursor.fetchone()
    if row is None:
        raise AssertionError("an aggregate gave no row")
    return row


async def members(conn: Connection, *, circles: Collection[str]) -> dict[str, tuple[int, int]]:
    """By its name the number of each of these circles, and how many people are in it."""
    cursor = await conn.execute(
        """
        select c.name::text, c.id, (select count(*) from circle_member m where m.circle = c.id)
        from circle c
        where c.name = any(%(circles)s)
        """,
        {"circles": list(circles)},
    )
    return {str(row[0]): (int(row[1]), int(row[2])) for row in await cursor.fetchall()}
