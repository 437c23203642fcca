"""What is asked of the audit: changes, newest first, and what the things in them are called."""

from collections import defaultdict
from collections.abc import Iterable
from typing import LiteralString

from psycopg.rows import class_row

from console.audit.change import ChangeRow, Known, Named, Thing
from console.audit.search import Point, Search
from console.database import Connection

_MEANT: LiteralString = """
            with meant as materialized (
              select id, happened_at, actor, address, doing, place, object, account, operation, old,
                new, about
              from access.audit
              where (%(person)s::bigint is null or account = %(person)s
                  or (actor = %(person)s and not %(concerns_only)s))
                and (%(place)s::text is null or place = %(place)s)
                and (%(since)s::timestamptz is null or happened_at >= %(since)s)
                and (%(until)s::timestamptz is null or happened_at < %(until)s)
                and (%(before_id)s::bigint is null
                  or (happened_at, id) < (%(before)s::timestamptz, %(before_id)s::bigint))
              order by happened_at desc, id desc
              limit %(looked_at)s
            )
            """
"""The newest `looked_at` changes that a search means, whatever text it looks for."""


async def changes(
    conn: Connection, *, search: Search, limit: int, looked_at: int
) -> list[ChangeRow]:
    """The newest changes that are meant; a text is looked for in the newest `looked_at` of them."""
    async with conn.cursor(row_factory=class_row(ChangeRow)) as cursor:
        await cursor.execute(
            _MEANT  # noqa: S608 both parts are constants
            + """
            , named as (
              select unnest(array['account', 'created_by', 'contact', 'lost_by']) as field, id::text
                from account
               where %(text)s <> ''
                 and strpos(lower(concat_ws(' ', name, username)), lower(%(text)s)) > 0
              union all
              select unnest(array['circle', 'admin_circle', 'certification_circle']), id::text
                from circle where %(text)s <> '' and strpos(lower(name), lower(%(text)s)) > 0
              union all
              select 'company', id::text
                from company where %(text)s <> '' and strpos(lower(name), lower(%(text)s)) > 0
              union all
              select 'badge_description', id::text from badge_description
               where %(text)s <> '' and strpos(lower(title), lower(%(text)s)) > 0
              union all
              select unnest(array['tool', 'tool_description']), id::text from tool_description
               where %(text)s <> '' and strpos(lower(name), lower(%(text)s)) > 0
              union all
              select unnest(array['door', 'point']), key from access.door
               where %(text)s <> '' and strpos(lower(name), lower(%(text)s)) > 0
            ), found as (
              select * from meant
              where %(text)s = ''
                or strpos(lower(concat_ws(' ', doing, object, old, new, about, address)),
                  lower(%(text)s)) > 0
                or ('account', actor::text) in (select field, id from named)
                or ('account', account::text) in (select field, id from named)
                or exists (
                  select from unnest(array[old, new, about]) as part, jsonb_each_text(part) as e
                   where (e.key, e.value) in (select field, id from named))
              order by happened_at desc, id desc
              limit %(limit)s
            )
            select f.id, f.happened_at, f.actor,
              coalesce(nullif(a.name, ''), a.username) as actor_name,
              f.address, f.doing, f.place, f.object, f.account,
              coalesce(nullif(p.name, ''), p.username) as account_name,
              f.operation, f.old, f.new, f.about
            from found f
            left join account a on a.id = f.actor
            left join account p on p.id = f.account
            order by f.happened_at desc, f.id desc
            """,
            {**_meant(search), "text": search.text, "limit": limit, "looked_at": looked_at},
            # Planned for what is asked: a plan for whatever is asked would use no index.
            prepare=False,
        )
        return await cursor.fetchall()


async def end_of(conn: Connection, *, search: Search, looked_at: int) -> Point | None:
    """The oldest of those `looked_at`; None: there are not so many."""
    async with conn.cursor(row_factory=class_row(Point)) as cursor:
        await cursor.execute(
            _MEANT  # noqa: S608 both parts are constants
            + """
            select happened_at, id from meant
            order by happened_at desc, id desc
            limit 1 offset %(looked_at)s - 1
            """,
            {**_meant(search), "looked_at": looked_at},
            prepare=False,
        )
        return await cursor.fetchone()


async def point(conn: Connection, *, change_id: int) -> Point | None:
    """Where a change stands in the list."""
    async with conn.cursor(row_factory=class_row(Point)) as cursor:
        await cursor.execute(
            "select happened_at, id from access.audit where id = %(change_id)s",
            {"change_id": change_id},
        )
        return await cursor.fetchone()


async def known(conn: Connection, *, things: Iterable[Named]) -> Known:
    """What they are called; what is gone, as it was called last."""
    wanted: defaultdict[Thing, list[str]] = defaultdict(list)
    for thing, key in things:
        wanted[thing].append(key)
    if not wanted:
        return {}
    cursor = await conn.execute(
        """
        select case place when 'public.badge_description' then 'badge'
            when 'public.tool_description' then 'tool' when 'access.door' then 'point'
            else split_part(place, '.', 2) end,
          object, coalesce(old ->> 'name', old ->> 'title', old ->> 'label', old ->> 'username')
        from access.audit
        where operation = 'removed' and (
          (place = 'public.account' and object = any (%(account)s))
          or (place = 'public.circle' and object = any (%(circle)s))
          or (place = 'public.badge_description' and object = any (%(badge)s))
          or (place = 'public.company' and object = any (%(company)s))
          or (place = 'public.tool_description' and object = any (%(tool)s))
          or (place = 'access.door' and object = any (%(point)s))
          or (place = 'access.card' and object = any (%(card)s)))
        union all
        select 'account', id::text, coalesce(name, username) from account
        where id = any (%(account)s::bigint[])
        union all
        select 'circle', id::text, name from circle where id = any (%(circle)s::bigint[])
        union all
        select 'badge', id::text, title from badge_description
        where id = any (%(badge)s::bigint[])
        union all
        select 'company', id::text, name from company where id = any (%(company)s::bigint[])
        union all
        select 'tool', id::text, name from tool_description where id = any (%(tool)s::bigint[])
        union all
        select 'point', p.key, t.name
        from access.tool_point p join tool_description t on t.id = p.tool
        where p.key = any (%(point)s)
        union all
        select 'point', key, name from access.door where key = any (%(point)s)
        union all
        select 'card', id::text, label from access.card where id = any (%(card)s::bigint[])
        """,
        {thing.value: wanted[thing] for thing in Thing},
    )
    return {(Thing(thing), key): name async for thing, key, name in cursor if name}


def _meant(search: Search) -> dict[str, object]:
    before = search.before
    return {
        "person": search.person,
        "concerns_only": search.concerns_only,
        "place": search.place,
        "since": search.since,
        "until": search.until,
        "before": before and before.happened_at,
        "before_id": before and before.id,
    }
