"""SQL of what stands between people and places: doors and tools, their circles, whom to ask."""

from collections.abc import Collection

from msgspec import Struct
from psycopg.rows import class_row

from console.alphabet import alphabetic
from console.database import Connection

_ASKED_MAX = 5
"""So many of those who manage a circle are named."""


class CircleRow(Struct, frozen=True):
    """A circle, and whom to ask. `manager` None: it manages itself. `badges`: which its managers
    award.
    """

    circle_id: int
    name: str
    manager: str | None
    people: list[str]
    people_more: int
    badges: list[str]


class PlaceRow(Struct, frozen=True):
    """A door or tool by its name. `tool_id` None: a door. `circles`: ids."""

    key: str
    name: str
    tool_id: int | None
    circles: list[int]


async def circles(
    conn: Connection, *, ids: Collection[int], asked: Collection[int]
) -> dict[int, CircleRow]:
    """These circles; those that are `asked` for with the people who may add somebody."""
    async with conn.cursor(row_factory=class_row(CircleRow)) as cursor:
        await cursor.execute(
            """
            select c.id as circle_id, c.name, a.name as manager,
                   coalesce(m.people, '{}') as people,
                   greatest((select count(*) from circle_member i
                              join account p on p.id = i.account and not p.system
                             where i.circle = k.id and c.id = any(%(asked)s::bigint[]))
                     - %(most)s, 0) as people_more,
                   array(select b.title::text from badge_description b
                          where b.certification_circle = k.id
                          order by access.alphabetic(b.title)) as badges
              from circle c
              cross join lateral (
                select case when c.management_style = 'ADMIN_CIRCLE' then c.admin_circle
                            else c.id end as id
              ) k
              left join circle a on a.id = k.id and a.id <> c.id
              left join lateral (
                select array_agg(first.name order by access.alphabetic(first.name)) as people
                  from (select coalesce(nullif(p.name, ''), p.username)::text as name
                          from circle_member i
                          join account p on p.id = i.account and not p.system
                         where i.circle = k.id and c.id = any(%(asked)s::bigint[])
                         order by access.alphabetic(coalesce(nullif(p.name, ''), p.username))
                         limit %(most)s) as first
              ) m on true
             where c.id = any(%(ids)s::bigint[])
            """,
            {"ids": list(ids), "asked": list(asked), "most": _ASKED_MAX},
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
    return sorted(
        doors_first, key=lambda row: (row.tool_id is not None, alphabetic(row.name), row.key)
    )
