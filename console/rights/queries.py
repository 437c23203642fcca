"""SQL of the facts that rights follow from."""

from collections.abc import Sequence

from msgspec import Struct
from psycopg.rows import class_row

from console.database import Connection
from console.rights.facts import (
    NOTHING_SPECIAL,
    Card,
    CircleRef,
    Controller,
    Demands,
    Door,
    Facts,
    Tool,
    WeeklyHours,
)
from console.rights.people_queries import people
from sync.ids import AccountRef, ControllerId, PointKey, SiteDigest
from sync.rights import Assurance


class _ControllerRow(Struct, frozen=True):
    id: str
    entry_key: bytes


class _DoorRow(Struct, frozen=True):
    key: str
    controller: str | None
    open_seconds: int
    circles: Sequence[int]
    soft_seconds: int
    hard_seconds: int
    requires_fresh: bool
    min_assurance: int
    weekdays: Sequence[int]
    opens: Sequence[int]
    closes: Sequence[int]


class _ToolRow(Struct, frozen=True):
    id: int
    circle: int | None
    key: str | None
    controller: str | None
    soft_seconds: int
    hard_seconds: int
    requires_fresh: bool
    min_assurance: int


class _CardRow(Struct, frozen=True):
    account: int
    site_digest: bytes
    is_break_glass: bool


async def facts(conn: Connection, *, now_ms: int) -> Facts:
    """All facts of one moment, in one transaction. Periods that were over at `now_ms` are left out.

    `conn` must not be in a transaction.
    """
    async with conn.transaction():
        await conn.execute("set transaction isolation level repeatable read, read only")
        return Facts(
            controllers=await controllers(conn),
            doors=await doors(conn),
            people=await people(conn, account=None, ended_after_ms=now_ms),
            cards=await cards(conn),
            tools=await tools(conn),
        )


async def controllers(conn: Connection) -> tuple[Controller, ...]:
    """Those that are to get snapshots: also in quarantine, where a revocation must still arrive."""
    async with conn.cursor(row_factory=class_row(_ControllerRow)) as cursor:
        await cursor.execute(
            """
            select id, entry_key
              from access.controller
             where enrolled_at is not null
             order by id
            """
        )
        return tuple(
            Controller(ControllerId(row.id), bytes(row.entry_key))
            for row in await cursor.fetchall()
        )


async def doors(conn: Connection, *, key: PointKey | None = None) -> tuple[Door, ...]:
    """All doors that are not retired, or the one with this key."""
    async with conn.cursor(row_factory=class_row(_DoorRow)) as cursor:
        await cursor.execute(
            """
            select d.key, d.controller, d.open_seconds,
                   array(select c.circle from access.door_circle c
                          where c.door = d.key) as circles,
                   d.soft_seconds, d.hard_seconds, d.requires_fresh, d.min_assurance,
                   h.weekdays, h.opens, h.closes
              from access.door d
              cross join lateral (
                select coalesce(array_agg(weekday order by weekday, opens_minute), '{}')
                         as weekdays,
                       coalesce(array_agg(opens_minute order by weekday, opens_minute), '{}')
                         as opens,
                       coalesce(array_agg(closes_minute order by weekday, opens_minute), '{}')
                         as closes
                  from access.open_hours
                 where door = d.key
              ) h
             where d.retired_at is null and (%(key)s::text is null or d.key = %(key)s)
             order by d.key
            """,
            {"key": key},
        )
        return tuple(
            Door(
                PointKey(row.key),
                None if row.controller is None else ControllerId(row.controller),
                row.open_seconds,
                frozenset(map(CircleRef, row.circles)),
                _demands(row),
                tuple(map(WeeklyHours, row.weekdays, row.opens, row.closes)),
            )
            for row in await cursor.fetchall()
        )


async def tools(conn: Connection, *, tool: int | None = None) -> tuple[Tool, ...]:
    """All tools that are not retired, or the one with this id."""
    async with conn.cursor(row_factory=class_row(_ToolRow)) as cursor:
        await cursor.execute(
            """
            select t.id, t.circle, p.key, p.controller,
                   coalesce(p.soft_seconds, %(soft_seconds)s) as soft_seconds,
                   coalesce(p.hard_seconds, %(hard_seconds)s) as hard_seconds,
                   coalesce(p.requires_fresh, false) as requires_fresh,
                   coalesce(p.min_assurance, 0) as min_assurance
              from tool_description t
              left join access.tool_point p on p.tool = t.id
             where (%(tool)s::bigint is null or t.id = %(tool)s)
               and t.id not in (select tool from access.retired_tool)
             order by t.id
            """,
            {
                "tool": tool,
                "soft_seconds": NOTHING_SPECIAL.soft_seconds,
                "hard_seconds": NOTHING_SPECIAL.hard_seconds,
            },
        )
        return tuple(
            Tool(
                row.id,
                None if row.circle is None else CircleRef(row.circle),
                None if row.key is None else PointKey(row.key),
                None if row.controller is None else ControllerId(row.controller),
                _demands(row),
            )
            for row in await cursor.fetchall()
        )


async def accounts(conn: Connection, *, account: int | None = None) -> frozenset[int]:
    """The ids of all accounts, or of the one, if it exists; system accounts as well."""
    cursor = await conn.execute(
        "select id from account where %(account)s::bigint is null or id = %(account)s",
        {"account": account},
    )
    return frozenset(row[0] for row in await cursor.fetchall())


async def cards(conn: Connection) -> tuple[Card, ...]:
    """Those that are not lost."""
    async with conn.cursor(row_factory=class_row(_CardRow)) as cursor:
        await cursor.execute(
            """
            select k.account, k.site_digest, b.card is not null as is_break_glass
              from access.card k
              left join access.break_glass_card b on b.card = k.id
             where k.lost_at is null
            """
        )
        return tuple(
            Card(AccountRef(row.account), SiteDigest(bytes(row.site_digest)), row.is_break_glass)
            for row in await cursor.fetchall()
        )


def _demands(row: _DoorRow | _ToolRow) -> Demands:
    return Demands(
        row.soft_seconds, row.hard_seconds, row.requires_fresh, Assurance(row.min_assurance)
    )
