"""What a database's catalogue says of its `public` schema, in the form of schema.json."""

from typing import Any

import psycopg
from psycopg.rows import DictRow

Catalogue = dict[str, Any]
Connection = psycopg.Connection[DictRow]

COLUMNS = """
    select a.attname as name, format_type(a.atttypid, a.atttypmod) as type,
      not a.attnotnull as nullable, pg_get_expr(d.adbin, d.adrelid) as default
    from pg_attribute a left join pg_attrdef d on (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
    where a.attrelid = %(table)s::regclass and a.attnum > 0 and not a.attisdropped
    order by a.attnum
"""

CONSTRAINTS = """
    select conname as name, contype::text as kind, pg_get_constraintdef(oid) as definition,
      confrelid::regclass::text as references,
      case confdeltype when 'a' then 'NO ACTION' else confdeltype::text end as on_delete
    from pg_constraint where conrelid = %(table)s::regclass and contype in ('p', 'u', 'f', 'c')
    order by conname
"""

INDEXES = """
    select indexname as name, indexdef as definition from pg_indexes
    where schemaname = 'public' and tablename = %(name)s order by indexname
"""

GRANTS = """
    select grantee, string_agg(privilege_type, ',' order by privilege_type) as privileges
    from information_schema.role_table_grants
    where table_schema = 'public' and table_name = %(name)s
      and privilege_type <> 'MAINTAIN'  -- newer than the catalogue that we compare with
    group by grantee
"""

SEQUENCES = """
    select sequencename as name, start_value as start, increment_by as increment, last_value,
      data_type::text as type, min_value as min, max_value as max
    from pg_sequences where schemaname = 'public'
"""

TABLES = "select tablename as name from pg_tables where schemaname = 'public'"


def read_catalogue(connection: Connection) -> Catalogue:
    """Tables and sequences of `public`; the connection's rows are dictionaries."""
    names = [row["name"] for row in connection.execute(TABLES)]
    return {
        "tables": {name: _table(connection, name) for name in names},
        "sequences": {row.pop("name"): row for row in connection.execute(SEQUENCES)},
    }


def _table(connection: Connection, name: str) -> Catalogue:
    parameters = {"name": name, "table": f'public."{name}"'}
    constraints = connection.execute(CONSTRAINTS, parameters).fetchall()

    def of(kind: str, *keys: str) -> list[dict[str, Any]]:
        return [{key: c[key] for key in keys} for c in constraints if c["kind"] == kind]

    return {
        "columns": connection.execute(COLUMNS, parameters).fetchall(),
        "primary_key": of("p", "name", "definition"),
        "unique": of("u", "name", "definition"),
        "foreign_keys": of("f", "name", "definition", "references", "on_delete"),
        "check": of("c", "name", "definition"),
        "indexes": connection.execute(INDEXES, parameters).fetchall(),
        "grants": {
            row["grantee"]: row["privileges"] for row in connection.execute(GRANTS, parameters)
        },
    }
