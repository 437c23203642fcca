"""SQL of the people that rights follow from, and of what they have paid."""

from collections.abc import Collection, Sequence

from msgspec import Struct
from psycopg.rows import class_row

from console.database import Connection
from console.rights.facts import CircleRef, Paid, Person
from sync.ids import AccountRef

SLACK_HOURS = 24
"""A payment holds so much longer than it says. Hours, not a calendar day: no time zone is asked.

Source of both numbers: `access.counting_payments` in the database.
"""

EARLY_SECONDS = 300
"""And it counts so much earlier: Stripe says when it begins, and its clock may be ahead of ours."""


class _PersonRow(Struct, frozen=True):
    id: int
    is_employed: bool
    circles: Sequence[int]
    starts_ms: Sequence[int]
    ends_ms: Sequence[int]


_PAYMENTS = """
  with payment as (
    select account, counts_from, counts_until from access.counting_payments()
"""
_PAYMENTS_OF_SOME = """
  with payment as (
    select o.account, p.counts_from, p.counts_until
      from access.payment_owner o
      join access.counting_payments() p on p.id = o.payment and p.account = o.account
     where o.account = any(%(accounts)s::bigint[])
"""
# Whole milliseconds inside the period: rounded up at its start, down at its end.
_PEOPLE = """
  ), paid as (
    select account,
           array_agg(ceil(extract(epoch from counts_from) * 1000)::bigint) as starts_ms,
           array_agg(floor(extract(epoch from counts_until) * 1000)::bigint) as ends_ms
      from payment
     where counts_until >= to_timestamp(%(ended_after_ms)s::bigint / 1000.0)
     group by account
  ), employed as (
    select distinct e.account
      from company_employee e
      join company c on c.id = e.company
     where c.active
       and (%(accounts)s::bigint[] is null or e.account = any(%(accounts)s))
  ), member as (
    select m.account, array_agg(m.circle::bigint) as circles
      from circle_member m
     where (m.circle in (select circle from access.door_circle)
            or m.circle in (select circle from tool_description))
       and (%(accounts)s::bigint[] is null or m.account = any(%(accounts)s))
     group by m.account
  )
  select a.id,
         employed.account is not null as is_employed,
         coalesce(member.circles, '{}') as circles,
         coalesce(paid.starts_ms, '{}') as starts_ms,
         coalesce(paid.ends_ms, '{}') as ends_ms
    from account a
    left join employed on employed.account = a.id
    left join member on member.account = a.id
    left join paid on paid.account = a.id
   where not a.system
     and (%(accounts)s::bigint[] is null or a.id = any(%(accounts)s))
     and (employed.account is not null or member.account is not null
          or paid.account is not null or %(accounts)s::bigint[] is not null)
   order by a.id
"""


async def people(
    conn: Connection,
    *,
    account: AccountRef | None,
    ended_after_ms: int,
    accounts: Collection[AccountRef] | None = None,
) -> tuple[Person, ...]:
    """Everybody, the one person, or these `accounts`, with the circles of doors and tools.

    Payments that were over at `ended_after_ms`, the slack included, are left out; 0: none is.
    """
    wanted = accounts if account is None else [account]
    payments = _PAYMENTS if wanted is None else _PAYMENTS_OF_SOME
    async with conn.cursor(row_factory=class_row(_PersonRow)) as cursor:
        await cursor.execute(
            payments + _PEOPLE,
            {
                "accounts": None if wanted is None else list(wanted),
                "ended_after_ms": ended_after_ms,
            },
        )
        return tuple(
            Person(
                account=AccountRef(row.id),
                is_employed=row.is_employed,
                circles=frozenset(map(CircleRef, row.circles)),
                paid=tuple(map(Paid, row.starts_ms, row.ends_ms)),
            )
            for row in await cursor.fetchall()
        )


async def accounts_by_name(conn: Connection, *, begin: int, most: int) -> list[AccountRef]:
    """`most` people from number `begin` on, as lists of people are ordered."""
    cursor = await conn.execute(
        """
        select id from account
         where not system
         order by access.alphabetic(coalesce(name, username)), id
         limit %(most)s offset %(begin)s
        """,
        {"begin": begin, "most": most},
    )
    return [AccountRef(row[0]) for row in await cursor.fetchall()]


async def index_payments(conn: Connection) -> None:
    """Mends the index of payments by person, if a trigger was off when they were written."""
    await conn.execute("select access.index_payments()")
