"""What the treasurer asks of all payments together: months, companies, one row after the other."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from msgspec import Struct
from psycopg.rows import class_row

from console.database import Connection
from console.membership.money import MonthRow


class CompanyRow(Struct, frozen=True):
    """A company. `names` and `accounts` belong together: who works there, the first ones by name.

    `payers`: how many of them pay for themselves as well.
    """

    name: str
    is_active: bool
    employees: int
    payers: int
    names: Sequence[str]
    accounts: Sequence[int]


class ExportRow(Struct, frozen=True):
    """A payment with who made it. `paid_at`: when, or where that isn't known when it begins."""

    id: int
    paid_at: datetime
    username: str
    name: str | None
    start_date: datetime
    end_date: datetime
    amount: Decimal
    invoice: str


class _SlotRow(Struct, frozen=True):
    slot: int
    revenue: Decimal
    payers: int
    joined: int
    left: int


BREAK_DAYS = 31
"""Whoever pays again within it has not left meanwhile."""


async def months(conn: Connection, *, begins: Sequence[datetime]) -> list[MonthRow]:
    """The months that begin at `begins`, but for the last of these, which is the end."""
    async with conn.cursor(row_factory=class_row(_SlotRow)) as cursor:
        await cursor.execute(
            """
            with border as (
              select %(begins)s::timestamptz[] as begins
            ), came as (
              select width_bucket(coalesce(payment_date, start_date), begins) as slot,
                sum(amount) as revenue,
                count(distinct created_by) filter (where amount > 0) as payers
              from stripe_payment, border
              where amount <> 'NaN' and coalesce(payment_date, start_date) >= begins[1]
                and coalesce(payment_date, start_date) < begins[array_upper(begins, 1)]
              group by 1
            ), period as (
              select account, start_date, end_date,
                max(end_date) over (w rows between unbounded preceding and 1 preceding)
                  as paid_before,
                lead(start_date) over w as paid_next,
                max(counts_until) over (w rows between unbounded preceding and current row)
                  as counts_until
              from access.counting_payments(), border
              where end_date >= begins[1] - make_interval(days => %(break_days)s)
                and counts_from <= now()
              window w as (partition by account order by start_date, end_date, id)
            ), begun as (
              select width_bucket(start_date, begins) as slot, count(*) as people
              from period, border
              where paid_before is null
                or start_date > paid_before + make_interval(days => %(break_days)s)
              group by 1
            ), ended as (
              select width_bucket(greatest(end_date, paid_before), begins) as slot,
                count(*) as people
              from period, border
              where counts_until < now()
                and (paid_next is null or paid_next
                  > greatest(end_date, paid_before) + make_interval(days => %(break_days)s))
              group by 1
            )
            select s.slot, coalesce(c.revenue, 0) as revenue, coalesce(c.payers, 0) as payers,
              coalesce(b.people, 0) as joined, coalesce(o.people, 0) as left
            from generate_series(1, array_length(%(begins)s::timestamptz[], 1) - 1) as s(slot)
            left join came c on c.slot = s.slot
            left join begun b on b.slot = s.slot
            left join ended o on o.slot = s.slot
            order by s.slot
            """,
            {"begins": list(begins), "break_days": BREAK_DAYS},
        )
        return [
            MonthRow(begins[row.slot - 1], row.revenue, row.payers, row.joined, row.left)
            for row in await cursor.fetchall()
        ]


async def companies(conn: Connection, *, limit: int, names: int) -> list[CompanyRow]:
    """Companies, those that count first, each with the first `names` who work there."""
    async with conn.cursor(row_factory=class_row(CompanyRow)) as cursor:
        await cursor.execute(
            """
            with paying as (
              select distinct account from access.counting_payments()
              where now() between counts_from and counts_until
            ), works as (
              select e.company, a.id, coalesce(nullif(a.name, ''), a.username)::text as name,
                p.account is not null as is_paying,
                row_number() over (partition by e.company
                  order by access.alphabetic(coalesce(nullif(a.name, ''), a.username)), a.id
                ) as place
              from company_employee e
              join account a on a.id = e.account and not a.system
              left join paying p on p.account = a.id
            )
            select o.name::text, o.active as is_active, count(w.id) as employees,
              count(*) filter (where w.is_paying) as payers,
              coalesce(array_agg(w.name order by w.place)
                filter (where w.place <= %(names)s), '{}') as names,
              coalesce(array_agg(w.id order by w.place)
                filter (where w.place <= %(names)s), '{}') as accounts
            from company o left join works w on w.company = o.id
            group by o.id, o.name, o.active
            order by o.active desc, access.alphabetic(o.name), o.id
            limit %(limit)s
            """,
            {"limit": limit, "names": names},
        )
        return await cursor.fetchall()


async def export(
    conn: Connection,
    *,
    begins: datetime,
    ends: datetime,
    after: tuple[datetime, int] | None,
    limit: int,
) -> list[ExportRow]:
    """Payments of a time, by when they were made; the next ones after that moment and id."""
    moment, last_id = after or (begins, -1)
    async with conn.cursor(row_factory=class_row(ExportRow)) as cursor:
        await cursor.execute(
            """
            select p.id, coalesce(p.payment_date, p.start_date) as paid_at, a.username::text,
              a.name::text, p.start_date, p.end_date, p.amount, p.stripe_id::text as invoice
            from stripe_payment p join account a on a.id = p.created_by
            where coalesce(p.payment_date, p.start_date) >= %(begins)s
              and coalesce(p.payment_date, p.start_date) < %(ends)s
              and (coalesce(p.payment_date, p.start_date), p.id) > (%(moment)s, %(last_id)s)
            order by coalesce(p.payment_date, p.start_date), p.id
            limit %(limit)s
            """,
            {
                "begins": begins,
                "ends": ends,
                "moment": moment,
                "last_id": last_id,
                "limit": limit,
            },
        )
        return await cursor.fetchall()
