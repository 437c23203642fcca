"""What a migration asks of a database, and what it writes down there."""

from collections.abc import Sequence

import psycopg
from msgspec import Struct
from psycopg.rows import TupleRow, class_row

from console.migrations.files import LEGACY, LEGACY_ROLES, Migration

Connection = psycopg.AsyncConnection[TupleRow]

HISTORY = b"""
create schema if not exists access;
create table access.migration (
  version      text primary key,
  name         text not null,
  checksum     text not null,
  applied_at   timestamptz not null default now(),
  already_was  boolean not null
);
"""
"""`already_was`: the database had it before us, so the file was never run here."""


REMOVAL = b"""
do $$
declare
  ours text;
begin
  -- A function takes its triggers along, on whosever tables they are. What somebody else has built
  -- on our tables isn't taken along: then this fails.
  for ours in
    select oid::regprocedure from pg_proc where pronamespace = 'access'::regnamespace
  loop
    execute 'drop function ' || ours || ' cascade';
  end loop;
  select string_agg(oid::regclass::text, ', ') into ours
  from pg_class
  where relnamespace = 'access'::regnamespace and relkind in ('r', 'p');
  execute 'drop table ' || ours;
  drop schema access;
end
$$;
"""
"""Drops the schema `access` and all that is in it; it must be there, and ours."""


class Applied(Struct, frozen=True):
    """A file that the database has, as it was when it ran."""

    version: str
    checksum: str


async def record(connection: Connection, migration: Migration, *, already_was: bool) -> None:
    """Writes down that the database has `migration` from now on."""
    await connection.execute(
        """
        insert into access.migration (version, name, checksum, already_was)
        values (%(version)s, %(name)s, %(checksum)s, %(already_was)s)
        """,
        {
            "version": migration.version,
            "name": migration.name,
            "checksum": migration.checksum,
            "already_was": already_was,
        },
    )


async def history(connection: Connection) -> list[Applied]:
    """What the database has, in order; it must have a history."""
    async with connection.cursor(row_factory=class_row(Applied)) as cursor:
        await cursor.execute("select version, checksum from access.migration order by version")
        return await cursor.fetchall()


async def has_history(connection: Connection) -> bool:
    """Whether we have migrated this database before."""
    cursor = await connection.execute("select to_regclass('access.migration') is not null")
    return await cursor.fetchone() == (True,)


async def has_schema(connection: Connection) -> bool:
    """Whether there is a schema of the name that ours needs."""
    cursor = await connection.execute("select to_regnamespace('access') is not null")
    return await cursor.fetchone() == (True,)


async def relations(connection: Connection) -> list[str]:
    """Tables, views and sequences in `public`, save those that belong to an extension."""
    cursor = await connection.execute(
        """
        select c.relname::text
        from pg_class c
        where c.relnamespace = 'public'::regnamespace
          and c.relkind in ('r', 'p', 'f', 'v', 'm', 'S')
          and not exists (
            select from pg_depend d
            where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
        order by c.relkind = 'S', c.relname
        """
    )
    return [row[0] for row in await cursor.fetchall()]


async def missing_columns(connection: Connection, known: Sequence[Migration]) -> list[str]:
    """What V001 would make and `public` lacks: `table`, or `table.column` of one that it has.

    V001 itself is the list: its tables are made in a schema beside, compared, and taken back.
    """
    async with connection.transaction(force_rollback=True):
        await connection.execute("create schema access_expected")
        await connection.execute("set local search_path = access_expected, pg_temp")
        for migration in known:
            if migration.version.startswith(LEGACY) and migration.version < LEGACY_ROLES:
                await connection.execute(migration.sql)
        cursor = await connection.execute(
            """
            select distinct
              case when p.oid is null then c.relname else c.relname || '.' || a.attname end
            from pg_class c
            join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
            left join pg_class p on p.relnamespace = 'public'::regnamespace
              and (p.relname, p.relkind) = (c.relname, c.relkind)
            where c.relnamespace = 'access_expected'::regnamespace and c.relkind in ('r', 'S')
              and not exists (
                select from pg_attribute q
                where q.attrelid = p.oid and q.attname = a.attname and not q.attisdropped)
            order by 1
            """
        )
        return [row[0] for row in await cursor.fetchall()]
