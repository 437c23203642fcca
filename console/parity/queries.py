"""SQL of what the old rule looks at, and of names."""

from collections.abc import Sequence

from msgspec import Struct
from psycopg.rows import class_row, scalar_row

from console.database import Connection
from console.parity.old_rule import OldPerson, Payment


class _PersonRow(Struct, frozen=True):
    account: int
    username: str
    is_system: bool
    is_employed: bool
    circles: Sequence[int]
    starts_ms: Sequence[int]
    ends_ms: Sequence[int]
    above_zero: Sequence[bool]


async def old_people(conn: Connection, *, now_ms: int) -> list[OldPerson]:
    """Everybody, by id; without payments that were over three days ago, which no rule counts."""
    async with conn.cursor(row_factory=class_row(_PersonRow)) as cursor:
        await cursor.execute(
            # Instants are cut as in access.counting_payments, so that both rules see the same.
            """
            with payment as (
              select created_by as account,
                     least(greatest(start_date, '1970-01-01 00:00+00'), '9000-01-01 00:00+00')
                       as starts,
                     least(greatest(end_date, '1970-01-01 00:00+00'), '9000-01-01 00:00+00')
                       as ends,
                     amount > 0 and amount <> 'NaN' as above_zero
                from stripe_payment
               where end_date >= to_timestamp(%(now_ms)s::bigint / 1000.0) - interval '3 days'
            ), paid as (
              select account,
                     array_agg(ceil(extract(epoch from starts) * 1000)::bigint) as starts_ms,
                     array_agg(floor(extract(epoch from ends) * 1000)::bigint) as ends_ms,
                     array_agg(above_zero) as above_zero
                from payment
               group by account
            ), employed as (
              select distinct e.account
                from company_employee e
                join company c on c.id = e.company
               where c.active
            ), member as (
              select account, array_agg(circle::bigint) as circles
                from circle_member
               group by account
            )
            select a.id as account, a.username, a.system as is_system,
                   employed.account is not null as is_employed,
                   coalesce(member.circles, '{}') as circles,
                   coalesce(paid.starts_ms, '{}') as starts_ms,
                   coalesce(paid.ends_ms, '{}') as ends_ms,
                   coalesce(paid.above_zero, '{}') as above_zero
              from account a
              left join employed on employed.account = a.id
              left join member on member.account = a.id
              left join paid on paid.account = a.id
             order by a.id
            """,
            {"now_ms": now_ms},
        )
        return [
            OldPerson(
                account=row.account,
                username=row.username,
                is_system=row.is_system,
                is_employed=row.is_employed,
                circles=frozenset(row.circles),
                payments=tuple(map(Payment, row.starts_ms, row.ends_ms, row.above_zero)),
            )
            for row in await cursor.fetchall()
        ]


async def offset_ms(conn: Connection, *, now_ms: int) -> int:
    """How far the old application's sessions are east of UTC, a day before now.

    They have the zone of its role or of the database, if one is set there, else the server's.
    """
    async with conn.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(
            """
            with zone as (
              select coalesce(
                (select split_part(entry, '=', 2)
                   from pg_db_role_setting s, unnest(s.setconfig) entry
                  where lower(split_part(entry, '=', 1)) = 'timezone'
                    and s.setrole in (0, coalesce(to_regrole('"p2k16-web"')::oid, 0))
                    and s.setdatabase in (
                      0, (select oid from pg_database where datname = current_database()))
                  order by s.setrole <> 0 desc, s.setdatabase <> 0 desc
                  limit 1),
                (select reset_val from pg_settings where name = 'TimeZone')) as name
            ), day_before as (
              select to_timestamp(%(now_ms)s::bigint / 1000.0) at time zone 'UTC'
                - interval '1 day' as moment
            )
            select (extract(epoch from (d.moment at time zone 'UTC')
                     - (d.moment at time zone z.name)) * 1000)::bigint
              from day_before d, zone z
            """,
            {"now_ms": now_ms},
        )
        return int(await cursor.fetchone() or 0)


async def door_names(conn: Connection) -> dict[str, str]:
    """What people call the doors, by key."""
    cursor = await conn.execute("select key, name from access.door")
    return {row[0]: row[1] for row in await cursor.fetchall()}


async def tool_names(conn: Connection) -> dict[int, str]:
    """What people call the tools, by id."""
    cursor = await conn.execute("select id, name from tool_description")
    return {row[0]: row[1] for row in await cursor.fetchall()}
