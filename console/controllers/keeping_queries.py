"""SQL of retiring controllers."""

from datetime import datetime

from msgspec import Struct
from psycopg.rows import class_row

from console.database import Connection
from sync.ids import ControllerId

HANGING_MAX = 20


class RetiredRow(Struct, frozen=True):
    """A controller that is out of use."""

    id: str
    retired_at: datetime


async def lock(conn: Connection, *, controller: ControllerId) -> bool:
    """Nobody hangs anything there before the transaction ends; False: there is none."""
    cursor = await conn.execute(
        "select from access.controller where id = %(controller)s for update",
        {"controller": controller},
    )
    return cursor.rowcount == 1


async def hanging(conn: Connection, *, controller: ControllerId) -> list[str]:
    """Names of the doors and tools there that are in use, the first of them."""
    cursor = await conn.execute(
        """
        select name from access.door
         where controller = %(controller)s and retired_at is null
        union all
        select t.name::text
          from access.tool_point p join tool_description t on t.id = p.tool
         where p.controller = %(controller)s
           and t.id not in (select tool from access.retired_tool)
         order by 1
         limit %(most)s
        """,
        {"controller": controller, "most": HANGING_MAX},
    )
    return [str(row[0]) for row in await cursor.fetchall()]


async def retire(conn: Connection, *, controller: ControllerId) -> None:
    """Takes its keys: from the commit on nothing that it says is believed."""
    await conn.execute(
        """
        update access.controller
           set public_key = null, entry_key = null, broker_password_hash = null,
               enrolled_at = null, quarantined_at = null, quarantine_reason = null,
               retired_at = now()
         where id = %(controller)s and retired_at is null
        """,
        {"controller": controller},
    )
    await conn.execute(
        "delete from access.controller_report where controller = %(controller)s",
        {"controller": controller},
    )


async def retired(conn: Connection, *, limit: int) -> list[RetiredRow]:
    """Those that are out of use, by name."""
    async with conn.cursor(row_factory=class_row(RetiredRow)) as cursor:
        await cursor.execute(
            """
            select id, retired_at from access.controller
             where retired_at is not null
             order by id
             limit %(limit)s
            """,
            {"limit": limit},
        )
        return await cursor.fetchall()
