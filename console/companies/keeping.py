"""Makes and changes companies, and who works there, in the caller's transaction.

Who may do so is for the route.
"""

from psycopg.errors import UniqueViolation

from console.accounts import meant
from console.audit.undoing import just_removed
from console.companies import queries
from console.companies.company import Draft, Flaw, Refused
from console.database import Connection


async def save(
    conn: Connection, draft: Draft, *, company_id: int | None, actor_id: int
) -> int | Flaw:
    """Changes the company, or makes one where `company_id` is None; gives its id."""
    if await meant.by_id(conn, account_id=draft.contact_id) is None:
        return Flaw.NO_SUCH_CONTACT
    if company_id is not None and not await queries.hold_company(conn, company_id=company_id):
        return Flaw.NO_SUCH_COMPANY
    try:
        async with conn.transaction():
            if company_id is None:
                return await queries.insert_company(conn, draft=draft, actor_id=actor_id)
            await queries.update_company(
                conn, company_id=company_id, draft=draft, actor_id=actor_id
            )
            return company_id
    except UniqueViolation:
        return Flaw.NAME_TAKEN


async def employ(
    conn: Connection, *, company_id: int, account_id: int, actor_id: int
) -> Refused | None:
    """Adds an employee. None: done."""
    missing = await _missing(conn, company_id=company_id, account_id=account_id)
    if missing is not None:
        return missing
    is_new = await queries.insert_employee(
        conn, company_id=company_id, account_id=account_id, actor_id=actor_id
    )
    return None if is_new else Refused.ALREADY_EMPLOYED


async def dismiss(conn: Connection, *, company_id: int, account_id: int) -> Refused | None:
    """Removes an employee. None: done."""
    missing = await _missing(conn, company_id=company_id, account_id=account_id)
    if missing is not None:
        return missing
    was_there = await queries.delete_employee(conn, company_id=company_id, account_id=account_id)
    return None if was_there else Refused.NOT_EMPLOYED


async def put_back(
    conn: Connection, *, company_id: int, account_id: int, actor_id: int
) -> Refused | None:
    """Makes it as if `actor_id` had not just removed an employee. None: done.

    Raises: BadRequest: she has not.
    """
    missing = await _missing(conn, company_id=company_id, account_id=account_id)
    if missing is not None:
        return missing
    if await queries.works_there(conn, company_id=company_id, account_id=account_id):
        return None  # as when it is sent twice
    (was, *_) = await just_removed(
        conn,
        actor_id=actor_id,
        place="public.company_employee",
        account_id=account_id,
        column="company",
        of=company_id,
    )
    await queries.insert_employee(
        conn, company_id=company_id, account_id=account_id, actor_id=actor_id, was=was
    )
    return None


async def _missing(conn: Connection, *, company_id: int, account_id: int) -> Refused | None:
    if not await queries.hold_company(conn, company_id=company_id):
        return Refused.NO_SUCH_COMPANY
    if await meant.by_id(conn, account_id=account_id) is None:
        return Refused.NO_SUCH_ACCOUNT
    return None
