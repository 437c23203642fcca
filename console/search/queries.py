"""SQL of the search: what holds the text, what is called just so first."""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import LiteralString

from msgspec import Struct
from psycopg.rows import class_row
from psycopg.sql import SQL

from console.database import Connection
from console.search.hit import Group

PHONE_DIGITS_MIN = 4
"""Fewer are found in too many phone numbers."""


class HitRow(Struct, frozen=True):
    """A thing that was found. `id`: of its page. `detail`: what tells it from others."""

    id: str
    title: str
    detail: str
    is_exact: bool


class CardRow(Struct, frozen=True):
    """A card that was found, and whose it is."""

    account_id: int
    label: str
    credential_type: str
    owner: str
    is_lost: bool


PEOPLE: LiteralString = """
with asked as materialized (
  select access.folded(%(text)s) as low, access.patterns(%(text)s) as patterns
), person as materialized (
  -- Each name is folded once.
  select id, username, name, phone, access.folded(username) as low,
         access.folded(coalesce(name, '')) as low_name,
         case when %(contact)s then lower(email) else '' end as low_email
    from account
   where not system
), found as (
  select id, username, coalesce(nullif(name, ''), username) as title,
         p.low = a.low as is_exact,
         case when p.low = a.low then 0
              when starts_with(p.low, a.low) or starts_with(low_name, a.low) then 1
              when strpos(p.low, a.low) > 0 or strpos(low_name, a.low) > 0 then 2
              else 3 end as rank
    from person p, asked a
   where concat_ws(' ', p.low, low_name, low_email) like all (a.patterns)
      or (%(digits)s::text is not null
        and strpos(regexp_replace(phone, '[^0-9]', '', 'g'), %(digits)s) > 0)
)
select id::text, title, username as detail, is_exact
  from found
 order by rank, access.alphabetic(title), id
 limit %(limit)s
"""

CARDS: LiteralString = """
select a.id as account_id, k.label, k.credential_type,
       coalesce(nullif(a.name, ''), a.username) as owner, k.lost_at is not null as is_lost
  from access.card k
  join account a on a.id = k.account
 where (%(cards_of)s::bigint is null or k.account = %(cards_of)s)
   and (access.folded(k.label) like all ((select access.patterns(%(text)s))::text[])
   or k.site_digest = any(%(numbers)s::bytea[]))
 order by k.lost_at is not null, access.alphabetic(k.label), k.id
 limit %(limit)s
"""

_NAMED: Mapping[Group, LiteralString] = MappingProxyType(
    {
        Group.DOORS: """
            select key as id, name as title, key as detail, access.folded(name) as name,
                   key as other
              from access.door where retired_at is null
        """,
        Group.TOOLS: """
            select t.id::text as id, t.name::text as title, coalesce(p.key, '') as detail,
                   access.folded(t.name) as name, coalesce(p.key, '') as other
              from tool_description t left join access.tool_point p on p.tool = t.id
             where t.id not in (select tool from access.retired_tool)
        """,
        Group.CIRCLES: """
            select id::text as id, name::text as title, coalesce(description::text, '') as detail,
                   access.folded(name) as name, access.folded(coalesce(description, '')) as other
              from circle
        """,
        Group.BADGES: """
            select id::text as id, title::text as title, '' as detail, access.folded(title) as name,
                   '' as other
              from badge_description
        """,
        Group.COMPANIES: """
            select id::text as id, name::text as title, '' as detail, access.folded(name) as name,
                   '' as other
              from company
        """,
        Group.CONTROLLERS: """
            select id, id as title, '' as detail, id as name, '' as other
              from access.controller where retired_at is null
        """,
    }
)


async def people(conn: Connection, *, text: str, contact: bool, limit: int) -> list[HitRow]:
    """By name and user name; with `contact` by e-mail address and phone as well."""
    digits = "".join(character for character in text if character.isdecimal())
    is_phone = len(digits) >= PHONE_DIGITS_MIN and not any(map(str.isalpha, text))
    values = {
        "text": text,
        "contact": contact,
        "digits": digits if is_phone and contact else None,
        "limit": limit,
    }
    async with conn.cursor(row_factory=class_row(HitRow)) as cursor:
        await cursor.execute(PEOPLE, values)
        return await cursor.fetchall()


async def cards(
    conn: Connection,
    *,
    text: str,
    numbers: Collection[bytes],
    cards_of: int | None,
    limit: int,
) -> list[CardRow]:
    """By label, and by the digests `numbers`. `cards_of`: one person's; None: everybody's."""
    values = {"text": text, "numbers": list(numbers), "cards_of": cards_of, "limit": limit}
    async with conn.cursor(row_factory=class_row(CardRow)) as cursor:
        await cursor.execute(CARDS, values)
        return await cursor.fetchall()


async def named(conn: Connection, group: Group, *, text: str, limit: int) -> list[HitRow]:
    """What has a name, by it or by its key or description."""
    async with conn.cursor(row_factory=class_row(HitRow)) as cursor:
        await cursor.execute(
            SQL(
                """
            with asked as materialized (
              select access.folded(%(text)s) as low, access.patterns(%(text)s) as patterns
            ), thing as ({named})
            select id, title, detail, name = low as is_exact
              from thing, asked
             where concat_ws(' ', name, other) like all (patterns)
             order by name <> low, not starts_with(name, low), access.alphabetic(title), id
             limit %(limit)s
            """
            ).format(named=SQL(_NAMED[group])),
            {"text": text, "limit": limit},
        )
        return await cursor.fetchall()


async def owners(conn: Connection, *, numbers: Collection[bytes]) -> list[int]:
    """Whose cards in use have these digests."""
    cursor = await conn.execute(
        """
        select distinct k.account
          from access.card k join account a on a.id = k.account
         where k.site_digest = any(%(numbers)s::bytea[]) and k.lost_at is null
         limit 2
        """,
        {"numbers": list(numbers)},
    )
    return [int(row[0]) for row in await cursor.fetchall()]
