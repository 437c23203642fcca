"""The rows as they were at first, so that each form finds what another one has used up."""

from collections.abc import Collection, Iterable

from psycopg import sql

from console.database import Connection

TABLES = """
    select schemaname, tablename,
      (select array_agg(attname order by attnum) from pg_attribute
       where attrelid = format('%I.%I', schemaname, tablename)::regclass
         and attnum > 0 and not attisdropped and attgenerated = '')
    from pg_tables where schemaname in ('public', 'access') order by 1, 2
"""
SESSIONS = "access.session"
"""Who has come since the beginning stays logged in; who was logged out comes back."""


class Snapshot:
    """A copy of all tables, beside them in the database."""

    def __init__(self, connection: Connection) -> None:
        """Empty until `take`; the connection is a superuser's."""
        self._connection = connection
        self._restoring: dict[str, list[sql.Composed]] = {}

    async def take(self) -> None:
        """Keeps everything as it is now."""
        await self._connection.execute("create schema kept")
        cursor = await self._connection.execute(TABLES)
        for schema, table, columns in await cursor.fetchall():
            name, copy = f"{schema}.{table}", sql.Identifier("kept", f"{schema}_{table}")
            there = sql.Identifier(schema, table)
            await self._connection.execute(
                sql.SQL("create table {} as table {}").format(copy, there)
            )
            listed = sql.SQL(", ").join(map(sql.Identifier, columns))
            put_in = sql.SQL(
                "insert into {} ({}) overriding system value select {} from {}"
                " on conflict do nothing"
            ).format(there, listed, listed, copy)
            empty = sql.SQL("delete from {}").format(there)
            self._restoring[name] = [put_in] if name == SESSIONS else [empty, put_in]

    async def restore(self, tables: Iterable[str]) -> None:
        """Puts these back, and all sessions; nobody is told, and nothing is written down of it."""
        async with self._connection.transaction():
            # No triggers, no foreign keys: what comes back was consistent.
            await self._connection.execute("set local session_replication_role = replica")
            for name in {*tables, SESSIONS}:
                for statement in self._restoring[name]:
                    await self._connection.execute(statement)

    async def holds(self, tables: Iterable[str], texts: Collection[str]) -> bool:
        """Whether a column of a row of these tables is one of the texts now."""
        queries = [
            sql.SQL(
                "select from {} t, jsonb_each_text(to_jsonb(t)) field"
                " where field.value = any(%(texts)s)"
            ).format(sql.Identifier(*name.split(".")))
            for name in tables
        ]
        cursor = await self._connection.execute(
            sql.SQL(" union all ").join(queries) + sql.SQL(" limit 1"), {"texts": list(texts)}
        )
        return await cursor.fetchone() is not None
