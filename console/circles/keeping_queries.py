"""What making and removing circles asks of the tables."""

from msgspec import Struct
from psycopg.rows import class_row, scalar_row

from console.circles.circle import Reference, Referrer
from console.circles.draft import Draft
from console.database import Connection

REFERENCES_MAX = 10
"""So many are named; one is enough to keep a circle."""


class _ReferenceRow(Struct, frozen=True):
    referrer: str
    name: str


async def held_circle_id(conn: Connection, *, name: str) -> int | None:
    """The circle with exactly this name, which nobody can remove until the transaction ends."""
    async with conn.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(
            "select id from circle where name = %(name)s for key share", {"name": name}
        )
        found: int | None = await cursor.fetchone()
        return found


async def insert_circle(
    conn: Connection, *, draft: Draft, admin_circle_id: int | None, actor_id: int
) -> int | None:
    """A new circle without members; its id. None: there is a circle of this name."""
    async with conn.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(
            """
            insert into circle (created_at, created_by, updated_at, updated_by, name, description,
              management_style, admin_circle, comment_required_for_membership)
            values (now(), %(actor_id)s, now(), %(actor_id)s, %(name)s, %(description)s, %(style)s,
              %(admin_circle_id)s, %(needs_comment)s)
            on conflict do nothing
            returning id
            """,
            {
                "actor_id": actor_id,
                "name": draft.name,
                "description": draft.description,
                "style": draft.style,
                "admin_circle_id": admin_circle_id,
                "needs_comment": draft.needs_comment,
            },
        )
        found: int | None = await cursor.fetchone()
        return found


async def update_circle(
    conn: Connection,
    *,
    circle_id: int,
    draft: Draft,
    admin_circle_id: int | None,
    actor_id: int,
) -> None:
    """Changes a circle, if anything of it is different. Raises: UniqueViolation for its name."""
    await conn.execute(
        """
        update circle
        set name = %(name)s, description = %(description)s, management_style = %(style)s,
          admin_circle = %(admin_circle_id)s, comment_required_for_membership = %(needs_comment)s,
          updated_at = now(), updated_by = %(actor_id)s
        where id = %(circle_id)s
          and (name, coalesce(description, ''), management_style, admin_circle,
              coalesce(comment_required_for_membership, false))
            is distinct from (%(name)s, %(description)s, %(style)s, %(admin_circle_id)s::bigint,
              %(needs_comment)s)
        """,
        {
            "circle_id": circle_id,
            "actor_id": actor_id,
            "name": draft.name,
            "description": draft.description,
            "style": draft.style,
            "admin_circle_id": admin_circle_id,
            "needs_comment": draft.needs_comment,
        },
    )


async def made_just_now(
    conn: Connection, *, name: str, first_member: str | None, actor_id: int
) -> int | None:
    """The circle of this name, if the actor has made it within the minute; with this member."""
    async with conn.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(
            """
            select c.id from circle c
            where c.name = %(name)s and c.created_by = %(actor_id)s
              and c.created_at > now() - interval '1 minute'
              and (%(first_member)s::text is null or exists (
                select from circle_member m join account a on a.id = m.account
                where m.circle = c.id and a.username = %(first_member)s))
            """,
            {"name": name, "first_member": first_member, "actor_id": actor_id},
        )
        found: int | None = await cursor.fetchone()
        return found


async def lock_whole(conn: Connection, *, circle_id: int) -> None:
    """Lets nobody change the circle or refer to it until the transaction ends."""
    await conn.execute(
        "select from circle where id = %(circle_id)s for update", {"circle_id": circle_id}
    )


async def references(conn: Connection, *, circle_id: int) -> list[Reference]:
    """What refers to the circle, besides its members."""
    async with conn.cursor(row_factory=class_row(_ReferenceRow)) as cursor:
        await cursor.execute(
            """
            select 'circle' as referrer, name from circle
              where admin_circle = %(circle_id)s and id <> %(circle_id)s
            union all
            select 'badge', title from badge_description where certification_circle = %(circle_id)s
            union all
            select 'tool', name from tool_description where circle = %(circle_id)s
            union all
            select 'door', d.name from access.door_circle c join access.door d on d.key = c.door
              where c.circle = %(circle_id)s and d.retired_at is null
            order by 1, 2
            limit %(most)s
            """,
            {"circle_id": circle_id, "most": REFERENCES_MAX},
        )
        return [Reference(Referrer(row.referrer), row.name) for row in await cursor.fetchall()]


async def delete_circle(conn: Connection, *, circle_id: int) -> None:
    """Removes a circle that nobody is in."""
    await conn.execute("delete from circle where id = %(circle_id)s", {"circle_id": circle_id})
