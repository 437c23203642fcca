"""What somebody has just done: how it is said, and what the audit keeps of it to put it back."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Self

from msgspec import Struct
from psycopg.rows import class_row

from console.database import Connection
from console.errors import BadRequest
from console.words import Text


class Done(Struct, frozen=True):
    """What was just done, and the form that takes it back: it posts `fields` to `action`.

    No fields: it can't be taken back.
    """

    told: Text
    action: str
    fields: Mapping[str, str]

    @classmethod
    def of(cls, told: Text, action: str, *, seen: str | None) -> Self:
        """`seen`: what taking it back would do now (`Preview.seen`); None: it can't be."""
        return cls(told, action, {} if seen is None else {"undo": "yes", "seen": seen})


class Removed(Struct, frozen=True):
    """A row as it was. `awarded_by` is a badge's, `comment` a circle's."""

    made_at: datetime
    made_by: int
    awarded_by: int | None
    comment: str | None


async def just_removed(
    conn: Connection, *, actor_id: int, place: str, account_id: int, column: str, of: int
) -> Sequence[Removed]:
    """The rows about a person and one thing that the actor removed within the hour.

    `column` and `of` say which thing. Not those that somebody has added again since.
    Raises: BadRequest: there are none.
    """
    async with conn.cursor(row_factory=class_row(Removed)) as cursor:
        await cursor.execute(
            """
            select (a.old ->> 'created_at')::timestamptz as made_at,
              (a.old ->> 'created_by')::bigint as made_by,
              (a.old ->> 'awarded_by')::bigint as awarded_by, a.old ->> 'comment' as comment
            from access.audit a
            where a.account = %(account_id)s and a.place = %(place)s and a.actor = %(actor_id)s
              and a.operation = 'removed' and (a.old ->> %(column)s)::bigint = %(of)s
              and a.happened_at > now() - interval '1 hour'
              and not exists (
                select from access.audit b
                where b.account = a.account and b.place = a.place and b.id > a.id
                  and b.operation = 'added' and (b.new ->> %(column)s)::bigint = %(of)s)
            order by a.id
            """,
            {
                "account_id": account_id,
                "place": place,
                "actor_id": actor_id,
                "column": column,
                "of": of,
            },
        )
        rows = await cursor.fetchall()
    if not rows:
        raise BadRequest(Text("This can’t be undone any more: nothing was put back."))
    return rows
