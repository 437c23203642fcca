"""SQL of who gave which badges."""

from collections.abc import Collection

from console.database import Connection


async def givers(conn: Connection, *, badge_id: int, account_id: int) -> frozenset[int | None]:
    """Who gave her the badge, each time; None: not known. Empty: she doesn't have it."""
    cursor = await conn.execute(
        "select awarded_by from account_badge"
        " where badge_description = %(badge_id)s and account = %(account_id)s",
        {"badge_id": badge_id, "account_id": account_id},
    )
    return frozenset(row[0] for row in await cursor.fetchall())


async def given_only_by(
    conn: Connection, *, giver_id: int, badges: Collection[int], accounts: Collection[int]
) -> frozenset[tuple[int, int]]:
    """Badge and person: those of these that nobody else has given her as well."""
    cursor = await conn.execute(
        """
        select badge_description, account
        from account_badge
        where badge_description = any(%(badges)s::bigint[])
          and account = any(%(accounts)s::bigint[])
        group by badge_description, account
        having bool_and(awarded_by is not distinct from %(giver_id)s)
        """,
        {"giver_id": giver_id, "badges": list(badges), "accounts": list(accounts)},
    )
    return frozenset((int(badge), int(account)) for badge, account in await cursor.fetchall())
