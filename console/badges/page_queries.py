"""What the pages of badges ask of the tables."""

from collections.abc import Collection
from datetime import datetime

from msgspec import Struct
from psycopg.rows import class_row, scalar_row

from console.badges.badge import Kind
from console.database import Connection
from console.web.versions import version_of


class BadgeRow(Struct, frozen=True):
    """A badge. `circle_id` None: anybody may award it. `category` empty: it has none."""

    id: int
    title: str
    description: str
    circle_id: int | None
    circle_name: str | None
    category: str
    made_by_id: int
    holders: int

    @property
    def kind(self) -> Kind:
        """For the rules."""
        return Kind(self.id, self.circle_id)

    @property
    def version(self) -> str:
        """Of what a form shows."""
        return version_of(self.title, self.description, self.circle_id, self.category)


class HolderRow(Struct, frozen=True):
    """Somebody who has a badge, since when. `by_…` None: it isn't known who gave it to her."""

    account_id: int
    username: str
    name: str | None
    since: datetime
    by_id: int | None
    by_name: str | None

    @property
    def shown_name(self) -> str:
        """The name, or the user name of somebody who has none."""
        return self.name or self.username


class HeldRow(Struct, frozen=True):
    """A badge that somebody has, since when. `by_name` None: it isn't known who gave it to her.

    `circle_id` None: anybody may award it.
    """

    badge_id: int
    title: str
    category: str
    circle_id: int | None
    since: datetime
    by_name: str | None


class FoundRow(Struct, frozen=True):
    """A person who was found, for a list to tick. `has_it`: the badge."""

    account_id: int
    username: str
    name: str | None
    has_it: bool

    @property
    def shown_name(self) -> str:
        """The name, or the user name of somebody who has none."""
        return self.name or self.username


async def badge_rows(conn: Connection, *, text: str, category: str, limit: int) -> list[BadgeRow]:
    """Badges with `text` in title or description and of a category (all for ""), by title.

    Of a title or a description that is very long the beginning.
    """
    async with conn.cursor(row_factory=class_row(BadgeRow)) as cursor:
        await cursor.execute(
            """
            with holders as (
              select badge_description, count(*) as people
              from (select distinct badge_description, account from account_badge) b
              group by badge_description
            )
            select d.id, left(d.title, 120) as title, left(coalesce(d.description, ''), 160)
                as description,
              d.certification_circle as circle_id, c.name::text as circle_name,
              coalesce(k.category, '') as category, d.created_by as made_by_id,
              coalesce(h.people, 0) as holders
            from badge_description d
            left join holders h on h.badge_description = d.id
            left join circle c on c.id = d.certification_circle
            left join access.badge_category k on k.badge_description = d.id
            where (%(category)s = '' or k.category = %(category)s)
              and access.folded(concat_ws(' ', d.title, d.description))
                like all ((select access.patterns(%(text)s))::text[])
            order by access.alphabetic(d.title), d.id
            limit %(limit)s
            """,
            {"text": text, "category": category, "limit": limit},
        )
        return await cursor.fetchall()


async def badge_row(conn: Connection, *, badge_id: int) -> BadgeRow | None:
    """One badge."""
    async with conn.cursor(row_factory=class_row(BadgeRow)) as cursor:
        await cursor.execute(
            """
            select d.id, d.title::text, coalesce(d.description, '') as description,
              d.certification_circle as circle_id, c.name::text as circle_name,
              coalesce(k.category, '') as category, d.created_by as made_by_id,
              (select count(distinct b.account) from account_badge b
                where b.badge_description = d.id) as holders
            from badge_description d
            left join circle c on c.id = d.certification_circle
            left join access.badge_category k on k.badge_description = d.id
            where d.id = %(badge_id)s
            """,
            {"badge_id": badge_id},
        )
        return await cursor.fetchone()


async def categories(conn: Connection, *, limit: int) -> list[str]:
    """Those that a badge is in, by name."""
    async with conn.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(
            """
            select category from access.badge_category
            group by category
            order by access.alphabetic(category), category
            limit %(limit)s
            """,
            {"limit": limit},
        )
        return [str(name) for name in await cursor.fetchall()]


async def holder_rows(conn: Connection, *, badge_id: int, text: str, limit: int) -> list[HolderRow]:
    """Who has a badge and has `text` in her name or user name (all for ""), by name.

    Of somebody who was given it several times, the first time.
    """
    async with conn.cursor(row_factory=class_row(HolderRow)) as cursor:
        await cursor.execute(
            """
            with first as (
              select distinct on (b.account) b.account, b.created_at, b.awarded_by
              from account_badge b
              where b.badge_description = %(badge_id)s
              order by b.account, b.created_at, b.id
            )
            select a.id as account_id, a.username, a.name, f.created_at as since,
              w.id as by_id, coalesce(nullif(w.name, ''), w.username) as by_name
            from first f
            join account a on a.id = f.account
            left join account w on w.id = f.awarded_by and not w.system
            where access.folded(concat_ws(' ', a.username, a.name))
              like all ((select access.patterns(%(text)s))::text[])
            order by access.alphabetic(coalesce(nullif(a.name, ''), a.username)), a.id
            limit %(limit)s
            """,
            {"badge_id": badge_id, "text": text, "limit": limit},
        )
        return await cursor.fetchall()


async def held_by(conn: Connection, *, account_id: int, limit: int) -> list[HeldRow]:
    """The badges of a person, newest first; each once, since the first time."""
    async with conn.cursor(row_factory=class_row(HeldRow)) as cursor:
        await cursor.execute(
            """
            with first as (
              select distinct on (b.badge_description) b.id, b.badge_description, b.created_at,
                b.awarded_by
              from account_badge b
              where b.account = %(account_id)s
              order by b.badge_description, b.created_at, b.id
            )
            select d.id as badge_id, left(d.title, 120) as title,
              coalesce(k.category, '') as category, d.certification_circle as circle_id,
              f.created_at as since, coalesce(nullif(w.name, ''), w.username) as by_name
            from first f
            join badge_description d on d.id = f.badge_description
            left join access.badge_category k on k.badge_description = d.id
            left join account w on w.id = f.awarded_by and not w.system
            order by f.created_at desc, f.id desc
            limit %(limit)s
            """,
            {"account_id": account_id, "limit": limit},
        )
        return await cursor.fetchall()


async def people_to_tick(
    conn: Connection, *, badge_id: int, text: str, ids: Collection[int], limit: int
) -> list[FoundRow]:
    """Those of `ids`, then at most `limit` others with `text` in their names (nobody for "")."""
    async with conn.cursor(row_factory=class_row(FoundRow)) as cursor:
        await cursor.execute(
            """
            with meant as (
              select id, username, name, id = any(%(ids)s::bigint[]) as is_ticked
              from account
              where not system and (id = any(%(ids)s::bigint[])
                or %(text)s <> '' and access.folded(concat_ws(' ', username, name))
                  like all ((select access.patterns(%(text)s))::text[]))
              order by not id = any(%(ids)s::bigint[]),
                access.alphabetic(coalesce(name, username)), id
              limit %(limit)s + cardinality(%(ids)s::bigint[])
            )
            select id as account_id, username, name,
              exists (select from account_badge b
                where b.account = m.id and b.badge_description = %(badge_id)s) as has_it
            from meant m
            order by not is_ticked, access.alphabetic(coalesce(name, username)), id
            """,
            {"badge_id": badge_id, "text": text, "ids": list(ids), "limit": limit},
        )
        return await cursor.fetchall()
