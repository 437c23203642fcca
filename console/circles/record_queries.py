"""Circles and memberships as rows with their whole history of authorship, for the old API."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from psycopg.rows import class_row

from console.database import Connection


class CircleRecord(Struct, frozen=True):
    """A circle. `created_by` and `updated_by` are user names; `member_row_ids`: of memberships.

    None: the column is null.
    """

    id: int
    created_at: datetime
    created_by: str
    updated_at: datetime
    updated_by: str
    name: str
    description: str | None
    needs_comment: bool | None
    style: str | None
    admin_circle_id: int | None
    member_row_ids: Sequence[int]


class MemberRecord(Struct, frozen=True):
    """Somebody's membership in a circle. `created_by` and `updated_by` are user names."""

    id: int
    created_at: datetime
    created_by: str
    updated_at: datetime
    updated_by: str
    account_id: int
    account_username: str
    circle_id: int
    circle_name: str
    comment: str | None


async def records(conn: Connection, *, circle_id: int | None = None) -> list[CircleRecord]:
    """Every circle, by id, or the one with this id."""
    async with conn.cursor(row_factory=class_row(CircleRecord)) as cursor:
        await cursor.execute(
            """
            select k.id, k.created_at, c.username as created_by, k.updated_at,
              u.username as updated_by, k.name, k.description,
              k.comment_required_for_membership as needs_comment, k.management_style as style,
              k.admin_circle as admin_circle_id,
              array(select m.id from circle_member m where m.circle = k.id order by m.id)
                as member_row_ids
            from circle k
            join account c on c.id = k.created_by
            join account u on u.id = k.updated_by
            where %(circle_id)s::bigint is null or k.id = %(circle_id)s::bigint
            order by k.id
            """,
            {"circle_id": circle_id},
        )
        return await cursor.fetchall()


async def member_records(conn: Connection, *, circle_id: int) -> list[MemberRecord]:
    """Who is in a circle, by the id of the membership."""
    async with conn.cursor(row_factory=class_row(MemberRecord)) as cursor:
        await cursor.execute(
            """
            select m.id, m.created_at, c.username as created_by, m.updated_at,
              u.username as updated_by, a.id as account_id, a.username as account_username,
              k.id as circle_id, k.name as circle_name, m.comment
            from circle_member m
            join circle k on k.id = m.circle
            join account a on a.id = m.account
            join account c on c.id = m.created_by
            join account u on u.id = m.updated_by
            where m.circle = %(circle_id)s
            order by m.id
            """,
            {"circle_id": circle_id},
        )
        return await cursor.fetchall()
