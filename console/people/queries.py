"""What pages ask about people as members of the association."""

from datetime import datetime

from msgspec import Struct
from psycopg.rows import class_row

from console.database import Connection
from console.membership.standing import Facts, paid_time


class ListedRow(Struct, frozen=True):
    """A person in the list."""

    account_id: int
    username: str
    name: str | None
    circles: list[str]
    paid_until: datetime | None
    later_from: list[datetime]
    later_until: list[datetime]
    companies: list[str]
    idle_companies: list[str]

    def facts(self) -> Facts:
        """For the sentence about the membership."""
        paid_until, paid_from = paid_time(self.paid_until, self.later_from, self.later_until)
        return Facts(
            paid_until,
            tuple(self.companies),
            paid_from=paid_from,
            idle_companies=tuple(self.idle_companies),
        )


class PrivateRow(Struct, frozen=True):
    """What not everybody sees: see `fields.py`."""

    email: str
    phone: str | None
    member_since: datetime | None


async def people(conn: Connection, *, text: str, limit: int) -> list[ListedRow]:
    """People whose name or user name holds `text` (all for an empty one), by name."""
    async with conn.cursor(row_factory=class_row(ListedRow)) as cursor:
        await cursor.execute(
            # The web app's tables have no index by person: each is read once, not for each person.
            """
            with listed as (
              select id, username, name, access.alphabetic(coalesce(name, username)) as sort
              from account
              where not system
                and access.folded(concat_ws(' ', username, name))
                  like all ((select access.patterns(%(text)s))::text[])
              order by sort, id
              limit %(limit)s
            ), paid as (
              select o.account, max(p.end_date) filter (where p.counts_from <= now()) as until,
                array_agg(p.start_date order by p.start_date, p.end_date)
                  filter (where p.counts_from > now()) as later_from,
                array_agg(p.end_date order by p.start_date, p.end_date)
                  filter (where p.counts_from > now()) as later_until
              from listed l
              join access.payment_owner o on o.account = l.id
              join access.counting_payments() p on p.id = o.payment and p.account = o.account
              group by o.account
            ), belongs as (
              select m.account,
                array_agg(c.name::text order by access.alphabetic(c.name)) as circles
              from circle_member m join circle c on c.id = m.circle
              where m.account in (select id from listed)
              group by m.account
            ), works as (
              select e.account,
                array_agg(o.name::text order by access.alphabetic(o.name))
                  filter (where o.active) as companies,
                array_agg(o.name::text order by access.alphabetic(o.name))
                  filter (where not o.active) as idle_companies
              from company_employee e join company o on o.id = e.company
              where e.account in (select id from listed)
              group by e.account
            )
            select a.id as account_id, a.username, a.name, coalesce(b.circles, '{}') as circles,
              p.until as paid_until,
              coalesce(p.later_from, '{}') as later_from,
              coalesce(p.later_until, '{}') as later_until,
              coalesce(w.companies, '{}') as companies,
              coalesce(w.idle_companies, '{}') as idle_companies
            from listed a
            left join paid p on p.account = a.id
            left join belongs b on b.account = a.id
            left join works w on w.account = a.id
            order by a.sort, a.id
            """,
            {"text": text, "limit": limit},
        )
        return await cursor.fetchall()


async def count_people(conn: Connection, *, text: str) -> int:
    """How many people `people` would list without a limit."""
    cursor = await conn.execute(
        """
        select count(*) from account a
        where not a.system
          and access.folded(concat_ws(' ', a.username, a.name))
            like all ((select access.patterns(%(text)s))::text[])
        """,
        {"text": text},
    )
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def private_facts(conn: Connection, *, account_id: int) -> PrivateRow | None:
    """One person's address, and since when she is a member."""
    async with conn.cursor(row_factory=class_row(PrivateRow)) as cursor:
        await cursor.execute(
            """
            select a.email, a.phone,
              (select min(m.first_membership) from membership m where m.created_by = a.id)
                as member_since
            from account a
            where a.id = %(account_id)s and not a.system
            """,
            {"account_id": account_id},
        )
        return await cursor.fetchone()
