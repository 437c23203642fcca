"""What is asked of the tables of badges."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from console.database import Connection


@dataclass(frozen=True, slots=True)
class Award:
    """A badge that somebody has. `created_by` and `updated_by` are user names.

    `awarded_by_…` None: not known any more.
    """

    id: int
    created_at: datetime
    created_by: str
    updated_at: datetime
    updated_by: str
    account_id: int
    account_username: str
    awarded_by_id: int | None
    awarded_by_username: str | None
    description_id: int


@dataclass(frozen=True, slots=True)
class Description:
    """What a badge is for. `created_by` and `updated_by` are user names.

    All that may be None was not given. `certification_circle_id` None: anybody may award it.
    """

    id: int
    created_at: datetime
    created_by: str
    updated_at: datetime
    updated_by: str
    title: str
    description: str | None
    slug: str | None
    icon: str | None
    color: str | None
    certification_circle_id: int | None


async def awards(
    conn: Connection,
    *,
    accounts: Collection[int] | None = None,
    ids: Collection[int] | None = None,
    newest: int | None = None,
) -> list[Award]:
    """Badges that were awarded, by id; each None: whosever, whichever, however many.

    With `newest`, only so many, and the newest first.
    """
    async with conn.cursor(row_factory=class_row(Award)) as cursor:
        await cursor.execute(
            """
            select b.id, b.created_at, c.username as created_by, b.updated_at,
              u.username as updated_by, b.account as account_id, a.username as account_username,
              b.awarded_by as awarded_by_id, w.username as awarded_by_username,
              b.badge_description as description_id
            from account_badge b
            join account a on a.id = b.account
            join account c on c.id = b.created_by
            join account u on u.id = b.updated_by
            left join account w on w.id = b.awarded_by
            where (%(accounts)s::bigint[] is null or b.account = any(%(accounts)s::bigint[]))
              and (%(ids)s::bigint[] is null or b.id = any(%(ids)s::bigint[]))
            order by case when %(newest)s::int is not null then b.created_at end desc,
              case when %(newest)s::int is not null then b.id end desc, b.id
            limit %(newest)s
            """,
            {
                "accounts": None if accounts is None else list(accounts),
                "ids": None if ids is None else list(ids),
                "newest": newest,
            },
        )
        return await cursor.fetchall()


async def descriptions(conn: Connection) -> list[Description]:
    """What there are badges for, by id."""
    async with conn.cursor(row_factory=class_row(Description)) as cursor:
        await cursor.execute(
            """
            select d.id, d.created_at, c.username as created_by, d.updated_at,
              u.username as updated_by, d.title, d.description, d.slug, d.icon, d.color,
              d.certification_circle as certification_circle_id
            from badge_description d
            join account c on c.id = d.created_by
            join account u on u.id = d.updated_by
            order by d.id
            """
        )
        return await cursor.fetchall()
