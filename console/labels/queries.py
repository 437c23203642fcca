"""SQL of the labels."""

from psycopg.rows import class_row

from console.database import Connection
from console.labels.label import Owner


async def owner(conn: Connection, *, account_id: int) -> Owner | None:
    """What a label says of this account; None: there is none."""
    async with conn.cursor(row_factory=class_row(Owner)) as cursor:
        await cursor.execute(
            "select username, id, name, phone, email from account where id = %(account_id)s",
            {"account_id": account_id},
        )
        return await cursor.fetchone()
