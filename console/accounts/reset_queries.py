"""What new passwords and the resets of forgotten ones ask of the table of accounts."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from psycopg.rows import class_row, scalar_row

from console.database import Connection


class Forgetful(Struct, frozen=True):
    """Somebody who may get a link for a new password."""

    account_id: int
    username: str
    email: str


class Token(Struct, frozen=True):
    """What is stored of a token, and until when it is valid. None: there is none."""

    form: str | None
    valid_until: datetime | None


async def called(conn: Connection, *, text: str) -> list[Forgetful]:
    """People with this user name or e-mail address, in any case."""
    async with conn.cursor(row_factory=class_row(Forgetful)) as cursor:
        await cursor.execute(
            """
            select id as account_id, username, email
            from account
            where (lower(username) = lower(%(text)s) or lower(email) = lower(%(text)s))
              and not system
            order by id limit 5
            """,
            {"text": text},
        )
        return await cursor.fetchall()


async def store_token(
    conn: Connection, *, account_id: int, email: str, token_form: str, valid_hours: int
) -> Token | None:
    """Lets a token be valid from now on, and gives the one before.

    None: there is no such account, or `email` is not its address any more.
    """
    async with conn.cursor(row_factory=class_row(Token)) as cursor:
        await cursor.execute(
            """
            update account a set reset_token = %(token_form)s, updated_at = now(),
              reset_token_validity = now() + make_interval(hours => %(valid_hours)s)
            from (
              select id, reset_token as form, reset_token_validity as valid_until from account
              where id = %(account_id)s and email = %(email)s and not system for update
            ) before
            where a.id = before.id
            returning before.form::text, before.valid_until
            """,
            {
                "account_id": account_id,
                "email": email,
                "token_form": token_form,
                "valid_hours": valid_hours,
            },
        )
        return await cursor.fetchone()


async def restore_token(
    conn: Connection, *, account_id: int, token_form: str, token: Token
) -> None:
    """Puts `token` back in place of the one of `token_form`, if that is still there."""
    await conn.execute(
        """
        update account set reset_token = %(form)s, updated_at = now(),
          reset_token_validity = %(valid_until)s
        where id = %(account_id)s and reset_token = %(token_form)s
        """,
        {
            "account_id": account_id,
            "token_form": token_form,
            "form": token.form,
            "valid_until": token.valid_until,
        },
    )


async def holder(conn: Connection, *, token_forms: Sequence[str]) -> str | None:
    """The user name of whom a token was sent to; None: it isn't valid."""
    async with conn.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(
            """
            select username::text from account
            where reset_token = any(%(token_forms)s) and reset_token_validity > now()
              and not system
            """,
            {"token_forms": list(token_forms)},
        )
        found: str | None = await cursor.fetchone()
        return found


async def use_token(
    conn: Connection, *, token_forms: Sequence[str], replacement: str
) -> int | None:
    """Stores another hash by a valid token, which is gone then; returns the account.

    None: the token isn't valid.
    """
    async with conn.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(
            """
            update account set password = %(replacement)s, updated_at = now(),
              reset_token = null, reset_token_validity = null
            where reset_token = any(%(token_forms)s) and reset_token_validity > now()
              and not system
            returning id
            """,
            {"token_forms": list(token_forms), "replacement": replacement},
        )
        found: int | None = await cursor.fetchone()
        return found


async def change_password(
    conn: Connection, *, account_id: int, stored: str | None, replacement: str
) -> bool:
    """Stores another hash and drops a token; False when `stored` is no longer what is stored."""
    cursor = await conn.execute(
        """
        update account set password = %(replacement)s, updated_at = now(),
          reset_token = null, reset_token_validity = null
        where id = %(account_id)s and password is not distinct from %(stored)s
        """,
        {"account_id": account_id, "stored": stored, "replacement": replacement},
    )
    return cursor.rowcount == 1
