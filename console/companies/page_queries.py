"""What the pages of companies ask of the tables."""

from datetime import datetime

from msgspec import Struct
from psycopg.rows import class_row

from console.companies.company import Draft
from console.database import Connection
from console.web.versions import version_of


class CompanyRow(Struct, frozen=True):
    """A company. `contact_name` None: the contact has given none."""

    id: int
    name: str
    is_active: bool
    contact_id: int
    contact_username: str
    contact_name: str | None
    employees: int

    @property
    def contact_shown(self) -> str:
        """The contact's name, or the user name of one who has none."""
        return self.contact_name or self.contact_username

    @property
    def draft(self) -> Draft:
        """What a form changes of it."""
        return Draft(self.name, self.contact_id, self.is_active)

    @property
    def version(self) -> str:
        """Of what a form shows."""
        return version_of(self.name, self.contact_id, self.is_active)


class EmployeeRow(Struct, frozen=True):
    """Who works for a company, since when, added by whom; None: the program."""

    account_id: int
    username: str
    name: str | None
    since: datetime
    added_by: str | None

    @property
    def shown_name(self) -> str:
        """The name, or the user name of somebody who has none."""
        return self.name or self.username


async def company_rows(conn: Connection, *, text: str, limit: int) -> list[CompanyRow]:
    """Companies with `text` in their names (all for ""): active ones first, then by name."""
    async with conn.cursor(row_factory=class_row(CompanyRow)) as cursor:
        await cursor.execute(
            """
            select k.id, k.name::text, k.active as is_active, k.contact as contact_id,
              a.username::text as contact_username, a.name::text as contact_name,
              (select count(*) from company_employee e where e.company = k.id) as employees
            from company k
            join account a on a.id = k.contact
            where access.folded(k.name) like all ((select access.patterns(%(text)s))::text[])
            order by not k.active, access.alphabetic(k.name), k.id
            limit %(limit)s
            """,
            {"text": text, "limit": limit},
        )
        return await cursor.fetchall()


async def company_row(conn: Connection, *, company_id: int) -> CompanyRow | None:
    """One company."""
    async with conn.cursor(row_factory=class_row(CompanyRow)) as cursor:
        await cursor.execute(
            """
            select k.id, k.name::text, k.active as is_active, k.contact as contact_id,
              a.username::text as contact_username, a.name::text as contact_name,
              (select count(*) from company_employee e where e.company = k.id) as employees
            from company k
            join account a on a.id = k.contact
            where k.id = %(company_id)s
            """,
            {"company_id": company_id},
        )
        return await cursor.fetchone()


async def employee_rows(
    conn: Connection, *, company_id: int, text: str, limit: int
) -> list[EmployeeRow]:
    """Who works there and has `text` in her name or user name (all for ""), by name."""
    async with conn.cursor(row_factory=class_row(EmployeeRow)) as cursor:
        await cursor.execute(
            """
            select a.id as account_id, a.username, a.name, e.created_at as since,
              coalesce(nullif(c.name, ''), c.username) as added_by
            from company_employee e
            join account a on a.id = e.account
            left join account c on c.id = e.created_by and not c.system
            where e.company = %(company_id)s
              and access.folded(concat_ws(' ', a.username, a.name))
                like all ((select access.patterns(%(text)s))::text[])
            order by access.alphabetic(coalesce(nullif(a.name, ''), a.username)), a.id
            limit %(limit)s
            """,
            {"company_id": company_id, "text": text, "limit": limit},
        )
        return await cursor.fetchall()
