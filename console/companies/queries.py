"""What is asked of the tables of companies."""

from datetime import datetime

from msgspec import Struct
from psycopg.rows import class_row, scalar_row

from console.audit.undoing import Removed
from console.companies.company import Draft
from console.database import Connection


class Company(Struct, frozen=True):
    """A company. `created_by` and `updated_by` are user names."""

    id: int
    created_at: datetime
    created_by: str
    updated_at: datetime
    updated_by: str
    name: str
    is_active: bool
    contact_id: int


class Employee(Struct, frozen=True):
    """Who works for a company. `created_by` and `updated_by` are user names."""

    id: int
    created_at: datetime
    created_by: str
    updated_at: datetime
    updated_by: str
    company_id: int
    account_id: int
    account_username: str


async def companies(conn: Connection, *, company_id: int | None = None) -> list[Company]:
    """Every company, by id, or the one with this id."""
    async with conn.cursor(row_factory=class_row(Company)) as cursor:
        await cursor.execute(
            """
            select k.id, k.created_at, c.username as created_by, k.updated_at,
              u.username as updated_by, k.name, k.active as is_active, k.contact as contact_id
            from company k
            join account c on c.id = k.created_by
            join account u on u.id = k.updated_by
            where %(company_id)s::bigint is null or k.id = %(company_id)s::bigint
            order by k.id
            """,
            {"company_id": company_id},
        )
        return await cursor.fetchall()


async def employees(conn: Connection, *, company_id: int) -> list[Employee]:
    """Who works for a company, by the id of the employment."""
    async with conn.cursor(row_factory=class_row(Employee)) as cursor:
        await cursor.execute(
            """
            select e.id, e.created_at, c.username as created_by, e.updated_at,
              u.username as updated_by, e.company as company_id, a.id as account_id,
              a.username as account_username
            from company_employee e
            join account a on a.id = e.account
            join account c on c.id = e.created_by
            join account u on u.id = e.updated_by
            where e.company = %(company_id)s
            order by e.id
            """,
            {"company_id": company_id},
        )
        return await cursor.fetchall()


async def hold_company(conn: Connection, *, company_id: int) -> bool:
    """Whether it is there; nobody else changes it until the transaction ends."""
    cursor = await conn.execute(
        "select from company where id = %(company_id)s for no key update",
        {"company_id": company_id},
    )
    return cursor.rowcount == 1


async def insert_company(conn: Connection, *, draft: Draft, actor_id: int) -> int:
    """A new company; its id. Raises: UniqueViolation for a name that there is."""
    async with conn.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(
            """
            insert into company (created_at, created_by, updated_at, updated_by, name, active,
              contact)
            values (now(), %(actor_id)s, now(), %(actor_id)s, %(name)s, %(is_active)s,
              %(contact_id)s)
            returning id
            """,
            {
                "actor_id": actor_id,
                "name": draft.name,
                "is_active": draft.is_active,
                "contact_id": draft.contact_id,
            },
        )
        return int(await cursor.fetchone() or 0)


async def made_just_now(conn: Connection, *, draft: Draft, actor_id: int) -> int | None:
    """Just this company, if the actor has made it within the minute."""
    async with conn.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(
            """
            select id from company
            where (name, active, contact) = (%(name)s, %(is_active)s, %(contact_id)s)
              and created_by = %(actor_id)s and created_at > now() - interval '1 minute'
            """,
            {
                "name": draft.name,
                "is_active": draft.is_active,
                "contact_id": draft.contact_id,
                "actor_id": actor_id,
            },
        )
        found: int | None = await cursor.fetchone()
        return found


async def update_company(conn: Connection, *, company_id: int, draft: Draft, actor_id: int) -> None:
    """Changes a company, if anything of it is different. Who made it, and when, stays.

    Raises: UniqueViolation for a name that another one has.
    """
    await conn.execute(
        """
        update company set name = %(name)s, active = %(is_active)s, contact = %(contact_id)s,
          updated_at = now(), updated_by = %(actor_id)s
        where id = %(company_id)s
          and (name, active, contact) is distinct from
            (%(name)s, %(is_active)s, %(contact_id)s)
        """,
        {
            "company_id": company_id,
            "actor_id": actor_id,
            "name": draft.name,
            "is_active": draft.is_active,
            "contact_id": draft.contact_id,
        },
    )


async def insert_employee(
    conn: Connection,
    *,
    company_id: int,
    account_id: int,
    actor_id: int,
    was: Removed | None = None,
) -> bool:
    """Adds somebody, with the actor as author; False: worked there already.

    `was`: since when, and added by whom, where that is not now and the actor.
    """
    cursor = await conn.execute(
        """
        insert into company_employee (created_at, created_by, updated_at, updated_by, company,
          account)
        values (coalesce(%(at)s, now()), coalesce(%(by)s, %(actor_id)s), now(), %(actor_id)s,
          %(company_id)s, %(account_id)s)
        on conflict do nothing
        """,
        {
            "at": was and was.made_at,
            "by": was and was.made_by,
            "company_id": company_id,
            "account_id": account_id,
            "actor_id": actor_id,
        },
    )
    return cursor.rowcount == 1


async def works_there(conn: Connection, *, company_id: int, account_id: int) -> bool:
    """Whether the company employs somebody."""
    cursor = await conn.execute(
        """
        select from company_employee
        where company = %(company_id)s and account = %(account_id)s
        """,
        {"company_id": company_id, "account_id": account_id},
    )
    return cursor.rowcount >= 1


async def delete_employee(conn: Connection, *, company_id: int, account_id: int) -> bool:
    """Removes somebody; False: didn't work there."""
    cursor = await conn.execute(
        """
        delete from company_employee
        where company = %(company_id)s and account = %(account_id)s
        """,
        {"company_id": company_id, "account_id": account_id},
    )
    return cursor.rowcount >= 1
