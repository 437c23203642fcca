"""What is asked of the database for somebody's own account: who she says she is, her sessions."""

from datetime import datetime
from typing import Literal

from msgspec import Struct
from psycopg.rows import class_row, scalar_row

from console.accounts.account import Profile
from console.database import Connection

SHOWN_DIGITS = 16
"""So much of a session's digest names it on the page of whom it belongs to."""


class OwnSessionRow(Struct, frozen=True):
    """Where somebody is logged in. `id`: the beginning of its digest, in hexadecimal digits."""

    id: str
    is_this: bool
    created_at: datetime
    seen_at: datetime
    address: str | None
    user_agent: str | None


async def profile(conn: Connection, *, account_id: int, is_locking: bool = False) -> Profile | None:
    """What somebody says of herself. `is_locking`: it stays so until the transaction ends."""
    query = """
        select username, coalesce(name, '') as name, email, coalesce(phone, '') as phone
        from account where id = %(account_id)s and not system
        """
    async with conn.cursor(row_factory=class_row(Profile)) as cursor:
        if is_locking:
            await cursor.execute(
                "select from account where id = %(account_id)s for no key update",
                {"account_id": account_id},
            )
        await cursor.execute(query, {"account_id": account_id})
        return await cursor.fetchone()


async def is_email_taken(conn: Connection, *, account_id: int, email: str) -> bool:
    """Whether somebody else has this address, in any case."""
    cursor = await conn.execute(
        """
        select from account
        where lower(email) = lower(%(email)s) and id <> %(account_id)s limit 1
        """,
        {"account_id": account_id, "email": email},
    )
    return cursor.rowcount > 0


async def set_profile(
    conn: Connection, *, account_id: int, name: str, email: str, phone: str
) -> None:
    """Stores who somebody is. A link for a new password that went to another address is void."""
    await conn.execute(
        """
        update account
        set name = %(name)s, email = %(email)s::varchar, phone = %(phone)s, updated_at = now(),
          reset_token = case when email = %(email)s::varchar then reset_token end,
          reset_token_validity = case when email = %(email)s::varchar then reset_token_validity end
        where id = %(account_id)s
        """,
        {"account_id": account_id, "name": name, "email": email, "phone": phone},
    )


async def circles_of(conn: Connection, *, account_id: int) -> list[str]:
    """The names of the circles that somebody is in."""
    async with conn.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(
            """
            select c.name::text
            from circle_member m join circle c on c.id = m.circle
            where m.account = %(account_id)s
            order by access.alphabetic(c.name)
            """,
            {"account_id": account_id},
        )
        return await cursor.fetchall()


async def own_sessions(
    conn: Connection, *, account_id: int, token_digest: bytes | None
) -> list[OwnSessionRow]:
    """Where an account is logged in, this browser first, then the most recently used."""
    async with conn.cursor(row_factory=class_row(OwnSessionRow)) as cursor:
        await cursor.execute(
            """
            select left(encode(token_digest, 'hex'), %(digits)s) as id,
              token_digest is not distinct from %(token_digest)s as is_this,
              created_at, seen_at, address, user_agent
            from access.session
            where account = %(account_id)s and expires_at > now()
            order by token_digest is not distinct from %(token_digest)s desc, seen_at desc
            limit 50
            """,
            {"account_id": account_id, "token_digest": token_digest, "digits": SHOWN_DIGITS},
        )
        return await cursor.fetchall()


async def end_session(conn: Connection, *, account_id: int, session_id: str) -> None:
    """Ends one session of an account, and writes that down; none of that name is fine."""
    await conn.execute(
        """
        with ended as (
          delete from access.session
          where account = %(account_id)s
            and left(encode(token_digest, 'hex'), %(digits)s) = %(session_id)s
          returning account
        )
        insert into access.session_end (account, browsers)
        select distinct account, 'one' from ended
        """,
        {"account_id": account_id, "session_id": session_id, "digits": SHOWN_DIGITS},
    )


async def add_session_end(
    conn: Connection, *, account_id: int, browsers: Literal["others", "all"]
) -> None:
    """Writes down that an account's sessions were ended."""
    await conn.execute(
        "insert into access.session_end (account, browsers) values (%(account_id)s, %(browsers)s)",
        {"account_id": account_id, "browsers": browsers},
    )
