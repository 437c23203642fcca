"""SQL of the avatars."""

from dataclasses import dataclass, field

from psycopg.rows import class_row

from console.database import Connection


@dataclass(frozen=True, slots=True)
class AvatarRow:
    """Somebody's picture. `version` is another one for another picture."""

    version: str
    jpeg: bytes = field(repr=False)


async def avatar(conn: Connection, *, account_id: int) -> AvatarRow | None:
    """The picture; None: there is none."""
    async with conn.cursor(row_factory=class_row(AvatarRow)) as cursor:
        await cursor.execute(
            """
            select v.version, v.jpeg
              from access.avatar v join account a on a.id = v.account
             where v.account = %(account_id)s
            """,
            {"account_id": account_id},
        )
        return await cursor.fetchone()


async def avatar_version(conn: Connection, *, account_id: int) -> str | None:
    """Which picture it is; None: there is none."""
    cursor = await conn.execute(
        "select version from access.avatar where account = %(account_id)s",
        {"account_id": account_id},
    )
    row = await cursor.fetchone()
    return None if row is None else str(row[0])


async def set_avatar(conn: Connection, *, account_id: int, version: str, jpeg: bytes) -> None:
    """This is her picture from now on."""
    await conn.execute(
        """
        insert into access.avatar (account, version, jpeg)
        values (%(account_id)s, %(version)s, %(jpeg)s)
        on conflict (account) do update
           set version = excluded.version, jpeg = excluded.jpeg, changed_at = now()
         where access.avatar.version <> excluded.version
        """,
        {"account_id": account_id, "version": version, "jpeg": jpeg},
    )


async def remove_avatar(conn: Connection, *, account_id: int) -> None:
    """She has none any more."""
    await conn.execute(
        "delete from access.avatar where account = %(account_id)s", {"account_id": account_id}
    )
