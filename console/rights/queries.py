"""SQL of the facts that rights follow from."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

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
    Paid,
    Person,
    Tool,
    WeeklyHours,
)
from sync.ids import AccountRef, ControllerId, PointKey, SiteDigest
from sync.rights import Assurance

GRACE_HOURS = 24
"""A payment holds so much longer than it says. Hours, not a calendar day: no time zone is asked."""

EARLY_SECONDS = 300
"""And it counts so much earlier: Stripe says when it begins, and its clock may be ahead of ours."""


@dataclass(frozen=True, slots=True)
class _ControllerRow:
    id: str
    entry_key: bytes


@dataclass(frozen=True, slots=True)
class _DoorRow:
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


@dataclass(frozen=True, slots=True)
class _ToolRow:
    id: int
    circle: int | None
    key: str | None
    controller: str | None
    soft_seconds: int
    hard_seconds: int
    requires_fresh: bool
    min_assurance: int


@dataclass(frozen=True, slots=True)
class _PersonRow:
    id: int
    is_employed: bool
    circles: Sequence[int]
    starts_ms: Sequence[int]
    ends_ms: Sequence[int]


@dataclass(frozen=True, slots=True)
class _CardRow:
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


async def people(
    conn: Connection,
    *,
    account: AccountRef | None,
    ended_after_ms: int,
    accounts: Collection[AccountRef] | None = None,
) -> tuple[Person, ...]:
    """Everybody, the one person, or these `accounts`, with the circles of doors and tools.

    Payments that were over at `ended_after_ms`, the grace included, are left out; 0: none is.
    """
    wanted = accounts if account is None else [account]
    async with conn.cursor(row_factory=class_row(_PersonRow)) as cursor:
        await cursor.execute(
            # Instants are cut to what a wire number holds; 'infinity' is an instant here, too.
            # Whole milliseconds inside the period: rounded up at its start, down at its end.
            """
            with payment as (
              select created_by as account,
                     least(greatest(start_date, '1970-01-02 00:00+00'), '9000-01-01 00:00+00')
                       - make_interval(secs => %(early_seconds)s) as starts,
                     least(greatest(end_date, '1970-01-01 00:00+00'), '9000-01-01 00:00+00')
                       + make_interval(hours => %(grace_hours)s) as ends
                from stripe_payment
               where amount > 0 and amount <> 'NaN'
                 and (%(accounts)s::bigint[] is null or created_by = any(%(accounts)s))
                 and end_date >= to_timestamp(%(ended_after_ms)s::bigint / 1000.0)
                   - make_interval(hours => %(grace_hours)s)
            ), paid as (
              select account,
                     array_agg(ceil(extract(epoch from starts) * 1000)::bigint) as starts_ms,
                     array_agg(floor(extract(epoch from ends) * 1000)::bigint) as ends_ms
                from payment
               group by account
            ), employed as (
              select distinct e.account
                from company_employee e
                join company c on c.id = e.company
               where c.active
                 and (%(accounts)s::bigint[] is null or e.account = any(%(accounts)s))
            ), member as (
              select m.account, array_agg(m.circle::bigint) as circles
                from circle_member m
               where (m.circle in (select circle from access.door_circle)
                      or m.circle in (select circle from tool_description))
                 and (%(accounts)s::bigint[] is null or m.account = any(%(accounts)s))
               group by m.account
            )
            select a.id,
                   employed.account is not null as is_employed,
                   coalesce(member.circles, '{}') as circles,
                   coalesce(paid.starts_ms, '{}') as starts_ms,
                   coalesce(paid.ends_ms, '{}') as ends_ms
              from account a
              left join employed on employed.account = a.id
              left join member on member.account = a.id
              left join paid on paid.account = a.id
             where not a.system
               and (%(accounts)s::bigint[] is null or a.id = any(%(accounts)s))
               and (employed.account is not null or member.account is not null
                    or paid.account is not null or %(accounts)s::bigint[] is not null)
             order by a.id
            """,
            {
                "accounts": None if wanted is None else list(wanted),
                "ended_after_ms": ended_after_ms,
                "grace_hours": GRACE_HOURS,
                "early_seconds": EARLY_SECONDS,
            },
        )
        return tuple(
            Person(
                account=AccountRef(row.id),
                is_employed=row.is_employed,
                circles=frozenset(map(CircleRef, row.circles)),
                paid=tuple(map(Paid, row.starts_ms, row.ends_ms)),
            )
            for row in await cursor.fetchall()
        )


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
