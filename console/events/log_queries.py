"""SQL of the log: what controllers told, orders of which none told, tools taken without one."""

from collections.abc import Collection, Sequence
from datetime import datetime

from msgspec import Struct
from psycopg.rows import class_row

from console.database import Connection
from console.events.paging import Before
from console.events.queries import AS_ROWS, RecentRow
from sync.commands import Operation

LOOKED_AT = 40_000
"""The web app's table `event` has no index by time: of its ids so many of the latest are looked at
for tools, which may be years."""
BOOK_IDS = 10**15
"""Taken from the ids of that table, so that none is an event's of ours."""
NEIGHBOURS = 20
"""Rows of that table that are written at once may have ids in another order than their times."""
PLACES_MAX = 500
_OPENING = (Operation.OPEN, Operation.UNLOCK_UNTIL)


class PlaceRow(Struct, frozen=True):
    """A door or tool. `path`: of its page. `point` None: no controller powers this tool."""

    path: str
    name: str
    is_tool: bool
    point: str | None


class Search(Struct, frozen=True):
    """Which events are meant. None: whichever.

    `since` is the first moment and `until` the first one after the last. `of_tools`: only at tools,
    or only at doors; then orders that opened nothing are left out as well.
    """

    kinds: tuple[str, ...]
    place: PlaceRow | None = None
    person: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    of_tools: bool | None = None


async def places(conn: Connection) -> list[PlaceRow]:
    """Doors, then tools, by name; also those that are retired, for their past."""
    async with conn.cursor(row_factory=class_row(PlaceRow)) as cursor:
        await cursor.execute(
            """
            select '/doors/' || key as path, name, false as is_tool, key as point
              from access.door
            union all
            select '/tools/' || t.id, t.name, true, p.key
              from tool_description t left join access.tool_point p on p.tool = t.id
             order by is_tool, name, path
             limit %(limit)s
            """,
            {"limit": PLACES_MAX},
        )
        return await cursor.fetchall()


async def happened(
    conn: Connection, *, search: Search, before: Before | None, limit: int
) -> list[RecentRow]:
    """The events that are meant, the newest first. `before` None: from the latest on."""
    place = search.place
    async with conn.cursor(row_factory=class_row(RecentRow)) as cursor:
        await cursor.execute(
            """
            with told as (
              select e.id, e.kind, e.point, e.reason, e.account, e.card, e.command, e.clock_trusted,
                e.happened_at as at, null::text as called
              from access.event e
              where e.kind = any(%(kinds)s)
                and (not %(has_place)s or e.point = %(point)s)
                and (%(person)s::bigint is null or e.account = %(person)s)
                and (%(since)s::timestamptz is null or e.happened_at >= %(since)s)
                and (%(until)s::timestamptz is null or e.happened_at < %(until)s)
                and (%(at)s::timestamptz is null
                  or (e.happened_at, e.id) < (%(at)s::timestamptz, %(event_id)s::bigint))
                and (%(of_tools)s::bool is null or %(of_tools)s::bool
                  = coalesce(e.point in (select key from access.tool_point), false))
                and (coalesce(%(of_tools)s::bool, true) or e.kind <> 'command_executed'
                  or exists (select from access.command c
                    where c.id = e.command and c.operation = any(%(opening)s)))
              order by e.happened_at desc, e.id desc
              limit %(limit)s
            ), asked as (
              select 0::bigint, case when c.result is null then 'command_asked'
                  when c.result = 'executed' then 'command_executed'
                  else 'command_refused' end as kind,
                c.point, c.result, c.actor, null::bigint, c.id, true, c.issued_at, null::text
              from access.command c
              where (c.controller is null or c.result is null)
                and (not %(has_place)s or c.point = %(point)s)
                and (%(person)s::bigint is null or c.actor = %(person)s)
                and (%(since)s::timestamptz is null or c.issued_at >= %(since)s)
                and (%(until)s::timestamptz is null or c.issued_at < %(until)s)
                and (%(at)s::timestamptz is null
                  or (c.issued_at, 0) < (%(at)s::timestamptz, %(event_id)s::bigint))
                and case when c.result is null then 'command_asked'
                  when c.result = 'executed' then 'command_executed'
                  else 'command_refused' end = any(%(kinds)s)
                and (%(of_tools)s::bool is null or %(of_tools)s::bool
                  = (c.point in (select key from access.tool_point)))
                and (coalesce(%(of_tools)s::bool, true) or c.operation = any(%(opening)s))
              order by c.issued_at desc
              limit %(limit)s
            ), taken as (
              select b.id - %(book_ids)s::bigint as id,
                case b.name when 'checkout' then 'tool_taken' else 'tool_given_back' end,
                null::text, null::text, b.created_by, null::bigint, null::uuid, true,
                b.created_at, b.text1::text
              from event b
              where %(tools)s and b.id > (select max(id) from event) - %(looked_at)s
                and b.domain = 'tool' and b.name in ('checkout', 'checkin')
                and (not %(has_place)s or b.text1 = %(called)s)
                and (%(person)s::bigint is null or b.created_by = %(person)s)
                and (%(since)s::timestamptz is null or b.created_at >= %(since)s)
                and (%(until)s::timestamptz is null or b.created_at < %(until)s)
                and (%(at)s::timestamptz is null or (b.created_at, b.id - %(book_ids)s::bigint)
                  < (%(at)s::timestamptz, %(event_id)s::bigint))
              order by b.id desc  -- almost the order in which it happened, and has an index
              limit %(limit)s + %(neighbours)s
            ), arrived as (
              select * from told union all select * from asked union all select * from taken
            )
            """  # noqa: S608 both parts are constants
            + AS_ROWS,
            {
                "kinds": list(search.kinds),
                "has_place": place is not None,
                "point": place and place.point,
                "called": place.name if place is not None and place.is_tool else None,
                "person": search.person,
                "since": search.since,
                "until": search.until,
                "of_tools": search.of_tools,
                "opening": list(_OPENING),
                "tools": "tool_taken" in search.kinds,
                "at": before and before.at,
                "event_id": before and before.event_id,
                "limit": limit,
                "looked_at": LOOKED_AT,
                "book_ids": BOOK_IDS,
                "neighbours": NEIGHBOURS,
            },
            # Planned for what is asked: a plan for whatever is asked would use no index.
            prepare=False,
        )
        return await cursor.fetchall()


async def payloads(
    conn: Connection, *, ids: Collection[int], kinds: Sequence[str]
) -> dict[int, str]:
    """What controllers told, word for word, of those of these events that are of these kinds."""
    cursor = await conn.execute(
        "select id, payload from access.event where id = any(%(ids)s) and kind = any(%(kinds)s)",
        {"ids": list(ids), "kinds": list(kinds)},
    )
    return dict(await cursor.fetchall())


async def mark(conn: Connection) -> str:
    """Another one whenever there is something new."""
    cursor = await conn.execute(
        """
        select md5(concat_ws(' ', (select max(id) from access.event), (select max(id) from event),
          (select concat_ws(' ', id, result) from access.command
            order by issued_at desc limit 1)))
        """
    )
    row = await cursor.fetchone()
    return "" if row is None else str(row[0])
