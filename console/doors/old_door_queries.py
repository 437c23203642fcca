"""SQL of the doors that no controller of ours moves."""

from collections.abc import Collection
from datetime import datetime

from msgspec import Struct
from psycopg.rows import class_row

from console.database import Connection
from sync.commands import Operation


class MovedRow(Struct, frozen=True):
    """What moves a door. `topic` None: of another driver than mqtt."""

    key: str
    name: str
    driver: str
    topic: str | None
    open_seconds: int


async def moved(conn: Connection, *, keys: Collection[str]) -> dict[str, MovedRow]:
    """Those of these doors that there are, by key."""
    async with conn.cursor(row_factory=class_row(MovedRow)) as cursor:
        await cursor.execute(
            """
            select key, name, driver, topic, open_seconds
              from access.door
             where key = any(%(keys)s::text[]) and retired_at is null
            """,
            {"keys": list(keys)},
        )
        return {row.key: row for row in await cursor.fetchall()}


async def ask(conn: Connection, *, command: str, door: str, actor: int) -> None:
    """Writes down that somebody is about to open a door."""
    await conn.execute(
        """
        insert into access.command (id, point, operation, actor)
        values (%(command)s::uuid, %(door)s, %(operation)s, %(actor)s)
        """,
        {"command": command, "door": door, "operation": Operation.OPEN, "actor": actor},
    )


async def answer(conn: Connection, *, command: str, result: str, at: datetime) -> bool:
    """Writes down what became of it, and tells the pages that are open. False: it was already."""
    cursor = await conn.execute(
        """
        with answered as (
          update access.command
             set result = %(result)s, result_at = %(at)s
           where id = %(command)s::uuid and controller is null and result is null
          returning point
        )
        select pg_notify('access_event', 'door ' || point) from answered
        """,
        {"command": command, "result": result, "at": at},
    )
    return cursor.rowcount == 1
