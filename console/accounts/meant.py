"""Finds the account that a request means by its number or its exact user name.

Accounts of programs, such as `system`, are found, too: the old web app lets them be meant. What is
found can't be deleted before the transaction ends.
"""

from psycopg.rows import class_row

from console.accounts.queries import Person
from console.database import Connection


async def by_id(conn: Connection, *, account_id: int) -> Person | None:
    """The account with this number."""
    async with conn.cursor(row_factory=class_row(Person)) as cursor:
        await cursor.execute(
            """
            select id as account_id, username, name from account
            where id = %(account_id)s
            for key share
            """,
            {"account_id": account_id},
        )
        return await cursor.fetchone()


async def by_username(conn: Connection, *, username: str) -> Person | None:
    """The account with this user name in any case.

    Where two differ by nothing else, the one that is spelled so; where neither is, the older one.
    """
    async with conn.cursor(row_factory=class_row(Person)) as cursor:
        await cursor.execute(
            """
            select id as account_id, username, name from account
            where lower(username) = lower(%(username)s)
            order by username <> %(username)s, id
            limit 1
            for key share
            """,
            {"username": username},
        )
        return await cursor.fetchone()
