"""SQL of which rights each controller has, as it said last."""

from psycopg.rows import class_row

from console.cards.reach import AtController
from console.database import Connection

SNAPSHOTS_LOOKED_AT = 200
"""Of each controller. Rights older than that are as good as none."""


async def controllers(conn: Connection) -> list[AtController]:
    """Those that are enrolled and have a door or tool, by name."""
    async with conn.cursor(row_factory=class_row(AtController)) as cursor:
        await cursor.execute(
            """
            select p.places, r.received_at as heard_at,
                   coalesce(h.is_newest, false) as has_newest, h.made_at as rights_from
              from access.controller c
              left join access.controller_report r on r.controller = c.id
              left join lateral (
                select s.made_at, s.n = 1 as is_newest
                  from (
                    select made_at, digest,
                           row_number() over (order by epoch desc, serial desc) as n
                      from access.snapshot
                     where controller = c.id
                     order by epoch desc, serial desc
                     limit %(looked_at)s
                  ) s
                 where encode(s.digest, 'hex') = r.report -> 'applied' ->> 'digest'
                 order by s.n
                 limit 1
              ) h on true
             cross join lateral (
                select array_agg(name order by name) as places
                  from (
                    select name from access.door
                     where controller = c.id and retired_at is null
                    union all
                    select t.name::text
                      from access.tool_point q
                      join tool_description t on t.id = q.tool
                     where q.controller = c.id and not exists (
                       select from access.retired_tool o where o.tool = t.id)
                  ) place
             ) p
             where c.enrolled_at is not null and p.places is not null
             order by c.id
            """,
            {"looked_at": SNAPSHOTS_LOOKED_AT},
        )
        return await cursor.fetchall()
