"""What making and changing badges, and awarding one to several, asks of the tables."""

from collections.abc import Collection, Sequence

from msgspec import Struct
from psycopg.rows import class_row, scalar_row

from console.accounts.queries import Person
from console.database import Connection


class NamedRow(Struct, frozen=True):
    """A user name as somebody has typed it, and whose it is."""

    typed: str
    account_id: int
    username: str
    name: str | None

    @property
    def person(self) -> Person:
        """Whose it is."""
        return Person(self.account_id, self.username, self.name)


class HasItRow(Struct, frozen=True):
    """Somebody who has a badge. `is_just_given`: by whom it is about, a moment ago."""

    account_id: int
    is_just_given: bool


async def lock_badge(conn: Connection, *, badge_id: int) -> bool:
    """Whether it is there; nobody else changes it, or awards it on a page, until the end."""
    cursor = await conn.execute(
        "select from badge_description where id = %(badge_id)s for no key update",
        {"badge_id": badge_id},
    )
    return cursor.rowcount == 1


async def is_title_taken(conn: Connection, *, title: str, by_other_than: int | None) -> bool:
    """Whether another badge has this title, in any case."""
    cursor = await conn.execute(
        """
        select from badge_description
        where lower(title) = lower(%(title)s) and id is distinct from %(badge_id)s::bigint
        limit 1
        """,
        {"title": title, "badge_id": by_other_than},
    )
    return cursor.rowcount > 0


async def insert_badge(
    conn: Connection, *, title: str, description: str, circle_id: int | None, actor_id: int
) -> int:
    """A new badge; its id."""
    async with conn.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(
            """
            insert into badge_description
              (created_at, created_by, updated_at, updated_by, title, description,
                certification_circle)
            values (now(), %(actor_id)s, now(), %(actor_id)s, %(title)s,
              nullif(%(description)s, ''), %(circle_id)s)
            returning id
            """,
            {
                "title": title,
                "description": description,
                "circle_id": circle_id,
                "actor_id": actor_id,
            },
        )
        return int(await cursor.fetchone() or 0)


async def update_badge(
    conn: Connection,
    *,
    badge_id: int,
    title: str,
    description: str,
    circle_id: int | None,
    actor_id: int,
) -> None:
    """Changes a badge, if anything of it is different."""
    await conn.execute(
        """
        update badge_description
        set title = %(title)s, description = nullif(%(description)s, ''),
          certification_circle = %(circle_id)s, updated_at = now(), updated_by = %(actor_id)s
        where id = %(badge_id)s
          and (title, coalesce(description, ''), certification_circle) is distinct from
            (%(title)s, %(description)s, %(circle_id)s::bigint)
        """,
        {
            "badge_id": badge_id,
            "title": title,
            "description": description,
            "circle_id": circle_id,
            "actor_id": actor_id,
        },
    )


async def set_category(conn: Connection, *, badge_id: int, category: str) -> None:
    """Puts a badge into a category, spelled as for other badges; "" takes it out of it."""
    if not category:
        await conn.execute(
            "delete from access.badge_category where badge_description = %(badge_id)s",
            {"badge_id": badge_id},
        )
        return
    await conn.execute(
        """
        insert into access.badge_category (badge_description, category)
        select %(badge_id)s, coalesce((select k.category from access.badge_category k
          where lower(k.category) = lower(%(category)s) and k.badge_description <> %(badge_id)s
          order by k.badge_description limit 1), %(category)s)
        on conflict (badge_description) do update set category = excluded.category
          where badge_category.category <> excluded.category
        """,
        {"badge_id": badge_id, "category": category},
    )


async def people_named(conn: Connection, *, usernames: Sequence[str]) -> list[NamedRow]:
    """Whose user names these are, in any case; where two differ by it, the one spelled so."""
    async with conn.cursor(row_factory=class_row(NamedRow)) as cursor:
        await cursor.execute(
            """
            select distinct on (t.typed) t.typed, a.id as account_id, a.username, a.name
            from unnest(%(usernames)s::text[]) t (typed)
            join account a on lower(a.username) = lower(t.typed) and not a.system
            order by t.typed, a.username <> t.typed, a.id
            """,
            {"usernames": list(usernames)},
        )
        return await cursor.fetchall()


async def people_of(conn: Connection, *, ids: Collection[int]) -> list[Person]:
    """These people, by name; without accounts that aren't there."""
    async with conn.cursor(row_factory=class_row(Person)) as cursor:
        await cursor.execute(
            """
            select id as account_id, username, name from account
            where id = any(%(ids)s::bigint[]) and not system
            order by access.alphabetic(coalesce(name, username)), id
            """,
            {"ids": list(ids)},
        )
        return await cursor.fetchall()


async def who_has_it(
    conn: Connection, *, badge_id: int, ids: Collection[int], awarder_id: int, seconds: int
) -> list[HasItRow]:
    """Which of these people have the badge, and whether the awarder gave it just so long ago."""
    async with conn.cursor(row_factory=class_row(HasItRow)) as cursor:
        await cursor.execute(
            """
            select account as account_id,
              bool_and(awarded_by is not distinct from %(awarder_id)s
                and created_at > now() - make_interval(secs => %(seconds)s)) as is_just_given
            from account_badge
            where badge_description = %(badge_id)s and account = any(%(ids)s::bigint[])
            group by account
            """,
            {
                "badge_id": badge_id,
                "ids": list(ids),
                "awarder_id": awarder_id,
                "seconds": seconds,
            },
        )
        return await cursor.fetchall()
