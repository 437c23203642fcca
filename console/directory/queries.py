"""What is asked of the table of accounts for a directory."""

from psycopg.rows import class_row

from console.database import Connection
from console.directory.entry import Entry


async def entries(conn: Connection) -> list[Entry]:
    """Everybody, with password hashes, by id. System accounts are no people."""
    async with conn.cursor(row_factory=class_row(Entry)) as cursor:
        await cursor.execute(
            """
            select id as account_id, username, email, name, password
            from account
            where not system
            order by id
            """
        )
        return await cursor.fetchall()
