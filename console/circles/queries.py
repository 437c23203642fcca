"""What is asked of the tables of circles."""

from datetime import datetime

from msgspec import Struct
from psycopg.rows import class_row, scalar_row

from console.audit.undoing import Removed
from console.circles.circle import Circle, ManagementStyle
from console.database import Connection


class CircleRow(Struct, frozen=True):
    """A circle as the table has it, with the number of its members."""

    circle_id: int
    name: str
    description: str | None
    style: str
    admin_circle_id: int | None
    admin_circle_name: str | None
    needs_comment: bool
    members: int

    def circle(self) -> Circle:
        """For the rules."""
        return Circle(
            circle_id=self.circle_id,
            name=self.name,
            description=self.description,
            style=ManagementStyle(self.style),
            admin_circle_id=self.admin_circle_id,
            admin_circle_name=self.admin_circle_name,
            needs_comment=self.needs_comment,
        )


class MemberRow(Struct, frozen=True):
    """Somebody in a circle, since when, added by whom (None: the program), and why."""

    account_id: int
    username: str
    name: str | None
    comment: str
    since: datetime
    added_by: str | None


class PersonCircleRow(Struct, frozen=True):
    """A circle that somebody is in. `added_by` None: the program did it."""

    circle_id: int
    name: str
    description: str | None
    comment: str
    since: datetime
    added_by: str | None


async def all_circles(conn: Connection) -> list[CircleRow]:
    """Every circle, by name."""
    async with conn.cursor(row_factory=class_row(CircleRow)) as cursor:
        await cursor.execute(
            """
            select c.id as circle_id, c.name, c.description, c.management_style as style,
              c.admin_circle as admin_circle_id, a.name as admin_circle_name,
              coalesce(c.comment_required_for_membership, false) as needs_comment,
              (select count(*) from circle_member m where m.circle = c.id) as members
            from circle c
            left join circle a on a.id = c.admin_circle
            where c.management_style is not null
            order by access.alphabetic(c.name), c.id
            """
        )
        return await cursor.fetchall()


async def circle(conn: Connection, *, circle_id: int) -> CircleRow | None:
    """One circle."""
    async with conn.cursor(row_factory=class_row(CircleRow)) as cursor:
        await cursor.execute(
            """
            select c.id as circle_id, c.name, c.description, c.management_style as style,
              c.admin_circle as admin_circle_id, a.name as admin_circle_name,
              coalesce(c.comment_required_for_membership, false) as needs_comment,
              (select count(*) from circle_member m where m.circle = c.id) as members
            from circle c
            left join circle a on a.id = c.admin_circle
            where c.id = %(circle_id)s and c.management_style is not null
            """,
            {"circle_id": circle_id},
        )
        return await cursor.fetchone()


async def circle_id_of(conn: Connection, *, name: str) -> int | None:
    """The circle with exactly this name."""
    async with conn.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute("select id from circle where name = %(name)s", {"name": name})
        found: int | None = await cursor.fetchone()
        return found


async def lock_circle(conn: Connection, *, circle_id: int) -> None:
    """Lets nobody else change who is in the circle until the transaction ends.

    It doesn't keep others from referring to the circle, so the old web app isn't held up by it.
    """
    await conn.execute(
        "select from circle where id = %(circle_id)s for no key update", {"circle_id": circle_id}
    )


async def members_of(conn: Connection, *, circle_id: int, text: str, limit: int) -> list[MemberRow]:
    """Who is in a circle and has `text` in her name or user name (all for ""), by name."""
    async with conn.cursor(row_factory=class_row(MemberRow)) as cursor:
        await cursor.execute(
            """
            select a.id as account_id, a.username, a.name, coalesce(m.comment, '') as comment,
              m.created_at as since,
              coalesce(nullif(b.name, ''), b.username) as added_by
            from circle_member m
            join account a on a.id = m.account
            left join account b on b.id = m.created_by and not b.system
            where m.circle = %(circle_id)s
              and access.folded(concat_ws(' ', a.username, a.name))
                like all ((select access.patterns(%(text)s))::text[])
            order by access.alphabetic(coalesce(nullif(a.name, ''), a.username)), a.id
            limit %(limit)s
            """,
            {"circle_id": circle_id, "text": text, "limit": limit},
        )
        return await cursor.fetchall()


async def count_members(conn: Connection, *, circle_id: int) -> int:
    """How many people are in a circle."""
    async with conn.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(
            "select count(*) from circle_member where circle = %(circle_id)s",
            {"circle_id": circle_id},
        )
        return int(await cursor.fetchone() or 0)


async def circles_of(conn: Connection, *, account_id: int) -> list[PersonCircleRow]:
    """Which circles somebody is in, by name."""
    async with conn.cursor(row_factory=class_row(PersonCircleRow)) as cursor:
        await cursor.execute(
            """
            select c.id as circle_id, c.name, c.description, coalesce(m.comment, '') as comment,
              m.created_at as since,
              coalesce(nullif(b.name, ''), b.username) as added_by
            from circle_member m
            join circle c on c.id = m.circle
            left join account b on b.id = m.created_by and not b.system
            where m.account = %(account_id)s
            order by access.alphabetic(c.name), c.id
            """,
            {"account_id": account_id},
        )
        return await cursor.fetchall()


async def circle_ids_of(conn: Connection, *, account_id: int) -> frozenset[int]:
    """The same as ids."""
    async with conn.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(
            "select circle::bigint from circle_member where account = %(account_id)s",
            {"account_id": account_id},
        )
        return frozenset(await cursor.fetchall())


async def is_member(conn: Connection, *, circle_id: int, account_id: int) -> bool:
    """Whether somebody is in a circle."""
    async with conn.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(
            """
            select exists (select from circle_member
              where circle = %(circle_id)s and account = %(account_id)s)
            """,
            {"circle_id": circle_id, "account_id": account_id},
        )
        return bool(await cursor.fetchone())


async def insert_member(
    conn: Connection,
    *,
    circle_id: int,
    account_id: int,
    comment: str | None,
    actor_id: int,
    was: Removed | None = None,
) -> bool:
    """Adds somebody, with the actor as author; False: was in the circle already.

    `was`: since when, and added by whom, where that is not now and the actor.
    """
    cursor = await conn.execute(
        """
        insert into circle_member
          (created_at, created_by, updated_at, updated_by, circle, account, comment)
        values (coalesce(%(at)s, now()), coalesce(%(by)s, %(actor_id)s), now(), %(actor_id)s,
          %(circle_id)s, %(account_id)s, %(comment)s)
        on conflict do nothing
        """,
        {
            "at": was and was.made_at,
            "by": was and was.made_by,
            "circle_id": circle_id,
            "account_id": account_id,
            "comment": comment,
            "actor_id": actor_id,
        },
    )
    return cursor.rowcount == 1


async def delete_member(conn: Connection, *, circle_id: int, account_id: int) -> None:
    """Removes somebody."""
    await conn.execute(
        "delete from circle_member where circle = %(circle_id)s and account = %(account_id)s",
        {"circle_id": circle_id, "account_id": account_id},
    )


async def touch_circle(conn: Connection, *, circle_id: int, actor_id: int) -> None:
    """Notes who changed the circle last. Who made it, and when, stays."""
    await conn.execute(
        """
        update circle set updated_at = now(), updated_by = %(actor_id)s
        where id = %(circle_id)s
        """,
        {"circle_id": circle_id, "actor_id": actor_id},
    )


async def names_in(conn: Connection, *, circle: str, limit: int) -> list[str]:
    """Who is in a circle, by name."""
    async with conn.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(
            """
            select coalesce(nullif(a.name, ''), a.username)::text
            from circle c
            join circle_member m on m.circle = c.id
            join account a on a.id = m.account and not a.system
            where c.name = %(circle)s
            order by access.alphabetic(coalesce(nullif(a.name, ''), a.username)), a.id
            limit %(limit)s
            """,
            {"circle": circle, "limit": limit},
        )
        return await cursor.fetchall()
