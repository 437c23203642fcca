"""SQL of door openings in the web app's own tables: its event rows."""

from collections.abc import Collection, Sequence
from datetime import datetime

from msgspec import Struct
from psycopg.rows import class_row

from console.database import Connection
from sync.ids import ControllerId


async def existing_accounts(conn: Connection, *, accounts: Collection[int]) -> set[int]:
    """Those that are there; they can't be deleted before the transaction ends."""
    cursor = await conn.execute(
        "select id from account where id = any(%(accounts)s::bigint[]) order by id for key share",
        {"accounts": list(accounts)},
    )
    return {int(row[0]) for row in await cursor.fetchall()}


async def door_keys(conn: Connection, *, keys: Collection[str]) -> set[str]:
    """Those of these points that are doors."""
    cursor = await conn.execute(
        "select key from access.door where key = any(%(keys)s::text[])", {"keys": list(keys)}
    )
    return {str(row[0]) for row in await cursor.fetchall()}


async def lock_first_openings(conn: Connection) -> None:
    """One at a time looks whether somebody opens a door for the first time."""
    # Any number does that nobody else uses.
    await conn.execute("select pg_advisory_xact_lock(7016207017)")


async def with_opening(conn: Connection, *, accounts: Collection[int]) -> set[int]:
    """Those who have opened a door before, by whatever means. Reads the whole table."""
    cursor = await conn.execute(
        """
        select distinct created_by
          from event
         where domain = 'door' and name = 'open' and created_by = any(%(accounts)s::bigint[])
        """,
        {"accounts": list(accounts)},
    )
    return {int(row[0]) for row in await cursor.fetchall()}


async def add_opening(conn: Connection, *, account: int, door: str, at: datetime) -> int:
    """The event row of an opened door; gives its id."""
    cursor = await conn.execute(
        """
        insert into event (created_at, created_by, domain, name, text1)
        values (%(at)s, %(account)s, 'door', 'open', %(door)s)
        returning id
        """,
        {"account": account, "door": door, "at": at},
    )
    return _id(await cursor.fetchone())


class Withdrawn(Struct, frozen=True):
    """The event row of somebody's opening, now deleted."""

    account: int
    at: datetime


async def delete_withdrawn(
    conn: Connection, *, controller: ControllerId, taps: Sequence[str], commands: Sequence[str]
) -> list[Withdrawn]:
    """Deletes the event rows of openings that moved no relay after all."""
    async with conn.cursor(row_factory=class_row(Withdrawn)) as cursor:
        await cursor.execute(
            """
            with withdrawn as (
              update access.event e
                 set legacy_event = null
                from access.event old
               where old.id = e.id
                 and e.controller = %(controller)s
                 and e.legacy_event is not null
                 and (e.tap_id = any(%(taps)s::text[])
                      or e.command = any(%(commands)s::text[]::uuid[]))
              returning old.legacy_event
            )
            delete from event where id in (select legacy_event from withdrawn)
            returning created_by as account, created_at as at
            """,
            {"controller": controller, "taps": list(taps), "commands": list(commands)},
        )
        return await cursor.fetchall()


def _id(row: Sequence[object] | None) -> int:
    if row is None or not isinstance(row[0], int):
        raise AssertionError("an insert gave no id")
    return row[0]
