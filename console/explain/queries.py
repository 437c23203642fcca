"""SQL of what a page that explains has to know: a tap, the rights of that time, whom to ask."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from psycopg.rows import class_row

from console.database import Connection
from sync.events import EventKind
from sync.ids import PointKey

_TAPS = (EventKind.ACCESS_GRANTED, EventKind.ACCESS_DENIED, EventKind.ACCESS_WITHDRAWN)
_ASKED_MAX = 5
"""So many of those who manage a circle are named."""


@dataclass(frozen=True, slots=True)
class TapRow:
    """A tap as it was told, and the card as it is known now.

    `account_id` None: nobody had the card, or has no account any more. `epoch` and `serial` None:
    the controller didn't ask its rights. `withdrawn`: why a yes of the same tap didn't hold.
    """

    event_id: int
    kind: str
    controller: str
    point: str | None
    place: str | None
    is_tool: bool
    tool_id: int | None
    happened_at: datetime
    clock_trusted: bool
    reason: str | None
    assurance: int | None
    account_id: int | None
    name: str | None
    card_id: int | None
    card_label: str | None
    card_type: str | None
    card_since: datetime | None
    card_by: str | None
    lost_at: datetime | None
    epoch: int | None
    serial: int | None
    withdrawn: str | None
    payload: str = field(repr=False)
    site_digest: bytes | None = field(repr=False)
    entry_key: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class SnapshotRow:
    """The rights by which a controller decided. `next_at`: when new ones were made; None: never."""

    made_at: datetime
    next_at: datetime | None
    digest: bytes
    envelope: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CircleRow:
    """A circle, and whom to ask. `manager` None: it manages itself. `badges`: which its managers
    award.
    """

    circle_id: int
    name: str
    manager: str | None
    people: list[str]
    people_more: int
    badges: list[str]


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """A door or tool by its name. `tool_id` None: a door. `circles`: ids."""

    key: str
    name: str
    tool_id: int | None
    circles: list[int]


@dataclass(frozen=True, slots=True)
class NamedRow:
    """Somebody's names."""

    account_id: int
    username: str
    name: str


async def tap(conn: Connection, *, event_id: int) -> TapRow | None:
    """A tap; None: there is no such event, or it is something else."""
    async with conn.cursor(row_factory=class_row(TapRow)) as cursor:
        await cursor.execute(
            """
            select e.id as event_id, e.kind, e.controller, e.point,
                   coalesce(d.name, t.name, e.point) as place,
                   d.key is null and p.key is not null as is_tool, t.id as tool_id,
                   e.happened_at, e.clock_trusted, e.reason, e.assurance,
                   a.id as account_id, coalesce(nullif(a.name, ''), a.username) as name,
                   k.id as card_id, k.label as card_label, e.credential_type as card_type,
                   k.created_at as card_since,
                   coalesce(nullif(b.name, ''), b.username) as card_by, k.lost_at,
                   e.epoch, e.serial, e.payload,
                   coalesce(k.site_digest, e.site_digest) as site_digest, c.entry_key,
                   (select coalesce(w.reason, '') from access.event w
                     where w.controller = e.controller and w.journal_id = e.journal_id
                       and w.seq between e.seq + 1 and e.seq + 200
                       and w.kind = 'access_withdrawn' and w.tap_id = e.tap_id
                     limit 1) as withdrawn
              from access.event e
              join access.controller c on c.id = e.controller
              left join access.door d on d.key = e.point
              left join access.tool_point p on p.key = e.point
              left join tool_description t on t.id = p.tool
              left join access.card k on k.id = e.card
              left join account a on a.id = coalesce(e.account, k.account) and not a.system
              left join account b on b.id = k.created_by
             where e.id = %(event_id)s and e.kind = any(%(kinds)s) and e.command is null
            """,
            {"event_id": event_id, "kinds": list(_TAPS)},
        )
        return await cursor.fetchone()


async def snapshot(
    conn: Connection, *, controller: str, epoch: int, serial: int
) -> SnapshotRow | None:
    """The rights with this number; None: they are not kept any more."""
    async with conn.cursor(row_factory=class_row(SnapshotRow)) as cursor:
        await cursor.execute(
            """
            select s.made_at, s.digest, s.envelope,
                   (select n.made_at from access.snapshot n
                     where n.controller = s.controller
                       and (n.epoch, n.serial) > (s.epoch, s.serial)
                     order by n.epoch, n.serial
                     limit 1) as next_at
              from access.snapshot s
             where s.controller = %(controller)s
               and s.epoch = %(epoch)s and s.serial = %(serial)s
            """,
            {"controller": controller, "epoch": epoch, "serial": serial},
        )
        return await cursor.fetchone()


async def circles(conn: Connection, *, ids: Collection[int]) -> dict[int, CircleRow]:
    """These circles, each with those who may add somebody."""
    async with conn.cursor(row_factory=class_row(CircleRow)) as cursor:
        await cursor.execute(
            """
            select c.id as circle_id, c.name, a.name as manager,
                   coalesce(m.people[:%(most)s], '{}') as people,
                   greatest(coalesce(cardinality(m.people), 0) - %(most)s, 0) as people_more,
                   array(select b.title::text from badge_description b
                          where b.certification_circle = k.id order by lower(b.title)) as badges
              from circle c
              cross join lateral (
                select case when c.management_style = 'ADMIN_CIRCLE' then c.admin_circle
                            else c.id end as id
              ) k
              left join circle a on a.id = k.id and a.id <> c.id
              left join lateral (
                select array_agg(coalesce(nullif(p.name, ''), p.username)::text
                                 order by lower(coalesce(nullif(p.name, ''), p.username)))
                         as people
                  from circle_member i
                  join account p on p.id = i.account and not p.system
                 where i.circle = k.id
              ) m on true
             where c.id = any(%(ids)s::bigint[])
            """,
            {"ids": list(ids), "most": _ASKED_MAX},
        )
        return {row.circle_id: row for row in await cursor.fetchall()}


async def places(conn: Connection) -> list[PlaceRow]:
    """Every door, then every tool, by name."""
    async with conn.cursor(row_factory=class_row(PlaceRow)) as cursor:
        await cursor.execute(
            """
            select d.key, d.name, null::bigint as tool_id,
                   array(select circle from access.door_circle where door = d.key) as circles
              from access.door d
             where d.retired_at is null
            union all
            select coalesce(p.key, 'tool-' || t.id), t.name, t.id,
                   case when t.circle is null then '{}' else array[t.circle]::bigint[] end
              from tool_description t
              left join access.tool_point p on p.tool = t.id
             where t.id not in (select tool from access.retired_tool)
            """
        )
        doors_first = await cursor.fetchall()
    return sorted(doors_first, key=lambda row: (row.tool_id is not None, row.name.lower(), row.key))


async def people_named(conn: Connection, *, accounts: Collection[int]) -> list[NamedRow]:
    """What these people are called, by name."""
    async with conn.cursor(row_factory=class_row(NamedRow)) as cursor:
        await cursor.execute(
            """
            select id as account_id, username, coalesce(nullif(name, ''), username) as name
              from account
             where id = any(%(accounts)s::bigint[])
             order by lower(coalesce(nullif(name, ''), username)), id
            """,
            {"accounts": list(accounts)},
        )
        return await cursor.fetchall()


async def people_like(conn: Connection, *, text: str, limit: int) -> list[NamedRow]:
    """People whose name or user name holds `text`, by name."""
    async with conn.cursor(row_factory=class_row(NamedRow)) as cursor:
        await cursor.execute(
            """
            select id as account_id, username, coalesce(nullif(name, ''), username) as name
              from account
             where not system
               and access.folded(concat_ws(' ', username, name))
                 like all ((select access.patterns(%(text)s))::text[])
             order by lower(coalesce(nullif(name, ''), username)), id
             limit %(limit)s
            """,
            {"text": text, "limit": limit},
        )
        return await cursor.fetchall()


async def point_of_tool(conn: Connection, *, tool_id: int) -> PointKey | None:
    """A tool's key; None: there is no such tool."""
    cursor = await conn.execute(
        """
        select coalesce(p.key, 'tool-' || t.id)
          from tool_description t left join access.tool_point p on p.tool = t.id
         where t.id = %(tool_id)s
        """,
        {"tool_id": tool_id},
    )
    row = await cursor.fetchone()
    return None if row is None else PointKey(row[0])
