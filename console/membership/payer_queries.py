"""People by how they pay: those who do, those who have stopped, those whose payment failed."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct
from psycopg.rows import class_row

from console.database import Connection


class Listing(StrEnum):
    """Which people."""

    ACTIVE = "active"
    ENDED = "ended"
    FAILED = "failed"


class MoneyRow(Struct, frozen=True):
    """A person in a list. `amount`: of the latest payment, in crowns. `renews` None: not known."""

    account_id: int
    username: str
    name: str | None
    paid_until: datetime | None
    amount: Decimal | None
    failed_at: datetime | None
    renews: bool | None

    @property
    def shown_name(self) -> str:
        """The name, or the user name of somebody who has none."""
        return self.name or self.username


class Counts(Struct, frozen=True):
    """How many people are in each list."""

    active: int
    ended: int
    failed: int


_PEOPLE = """
  with paid as (
    select account, max(end_date) filter (where counts_from <= now()) as until,
      bool_or(counts_until >= now()) filter (where counts_from <= now()) as is_active,
      max(paid_at) as latest
    from access.counting_payments()
    group by account
  ), failure as (
    select c.created_by as account, max(f.failed_at) as failed_at
    from access.failed_payment f join stripe_customer c on c.stripe_id = f.customer
    where f.dropped_at is null
      and not exists (select from stripe_payment s where s.stripe_id = f.invoice)
    group by c.created_by
  ), person as (
    select a.id as account_id, a.username::text, a.name::text, p.until as paid_until,
      case when f.failed_at >= coalesce(p.latest, '-infinity') then f.failed_at end as failed_at,
      p.is_active
    from account a
    left join paid p on p.account = a.id
    left join failure f on f.account = a.id
    where not a.system and (p.until is not null or f.failed_at is not null)
  )
"""


async def counts(conn: Connection) -> Counts:
    """How many people are in each list."""
    async with conn.cursor(row_factory=class_row(Counts)) as cursor:
        await cursor.execute(
            _PEOPLE  # noqa: S608 both parts are constants
            + """
            select count(*) filter (where is_active) as active,
              count(*) filter (where not is_active) as ended,
              count(*) filter (where failed_at is not null) as failed
            from person
            """
        )
        return await cursor.fetchone() or Counts(0, 0, 0)


async def people(conn: Connection, *, listing: Listing, text: str, limit: int) -> list[MoneyRow]:
    """Those of a list whose name or user name holds `text`.

    Failed payments come by their date, ended memberships by their end, both newest first; the
    others by name.
    """
    async with conn.cursor(row_factory=class_row(MoneyRow)) as cursor:
        await cursor.execute(
            _PEOPLE  # noqa: S608 both parts are constants
            + """
            , listed as (
              select *, access.alphabetic(coalesce(name, username)) as sort
              from person
              where case %(listing)s::text when 'active' then is_active
                  when 'ended' then not is_active else failed_at is not null end
                and access.folded(concat_ws(' ', username, name))
                  like all ((select access.patterns(%(text)s))::text[])
              order by case %(listing)s::text when 'ended' then paid_until
                when 'failed' then failed_at end desc nulls last, sort, account_id
              limit %(limit)s
            ), latest as (
              select distinct on (account) account, amount
              from access.counting_payments()
              where account in (select account_id from listed)
              order by account, paid_at desc, id desc
            ), goes_on as (
              select c.created_by, bool_or(s.renews) as renews
              from access.stripe_subscription s join stripe_customer c on c.stripe_id = s.customer
              group by c.created_by
            )
            select l.account_id, l.username, l.name, l.paid_until, p.amount, l.failed_at, g.renews
            from listed l
            left join latest p on p.account = l.account_id
            left join goes_on g on g.created_by = l.account_id
            order by case %(listing)s::text when 'ended' then paid_until
              when 'failed' then failed_at end desc nulls last, sort, account_id
            """,
            {"listing": listing.value, "text": text, "limit": limit},
        )
        return await cursor.fetchall()
