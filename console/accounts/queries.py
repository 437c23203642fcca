"""What is asked of the tables of accounts."""

from collections.abc import Collection

from msgspec import Struct
from psycopg.rows import class_row, scalar_row

from console.accounts.account import Registration, Taken
from console.database import Connection


class LoginRow(Struct, frozen=True):
    """An account that may log in. `password` is a hash of some kind, or None."""

    account_id: int
    username: str
    password: str | None


class Person(Struct, frozen=True):
    """Whom a name stands for. `name` None: has given none."""

    account_id: int
    username: str
    name: str | None

    @property
    def shown_name(self) -> str:
        """The name, or the user name of somebody who has none."""
        return self.name or self.username

    @property
    def handle(self) -> str:
        """What, where a name is typed, means nobody else, whatever others call themselves."""
        return f"@{self.username}"


async def login_candidates(conn: Connection, *, username: str) -> list[LoginRow]:
    """Accounts of people with this user name in any case; there should be one at most."""
    async with conn.cursor(row_factory=class_row(LoginRow)) as cursor:
        await cursor.execute(
            """
            select id as account_id, username, password
            from account
            where lower(username) = lower(%(username)s) and not system
            order by id limit 5
            """,
            {"username": username},
        )
        return await cursor.fetchall()


async def still_has_password(conn: Connection, *, account_id: int, stored: str | None) -> bool:
    """Whether `stored` is what is stored; then it stays so until the transaction ends."""
    cursor = await conn.execute(
        """
        select from account
        where id = %(account_id)s and password is not distinct from %(stored)s and not system
        for no key update
        """,
        {"account_id": account_id, "stored": stored},
    )
    return cursor.rowcount == 1


async def replace_password(
    conn: Connection, *, account_id: int, stored: str, replacement: str
) -> None:
    """Stores another hash of the same password, unless the password was changed meanwhile."""
    await conn.execute(
        """
        update account set password = %(replacement)s, updated_at = now()
        where id = %(account_id)s and password = %(stored)s
        """,
        {"account_id": account_id, "stored": stored, "replacement": replacement},
    )


async def person(conn: Connection, *, account_id: int) -> Person | None:
    """One person; None for system accounts, too."""
    async with conn.cursor(row_factory=class_row(Person)) as cursor:
        await cursor.execute(
            """
            select id as account_id, username, name
            from account
            where id = %(account_id)s and not system
            """,
            {"account_id": account_id},
        )
        return await cursor.fetchone()


async def people_called(conn: Connection, *, text: str) -> list[Person]:
    """Whoever has exactly this user name, and whoever has exactly this name, in any case.

    After an @, only whoever has the user name: anybody may take another's name or user name for
    her name.
    """
    async with conn.cursor(row_factory=class_row(Person)) as cursor:
        await cursor.execute(
            """
            with found as (
              select id as account_id, username, name,
                case when '@' || username = %(text)s then 1
                  when '@' || lower(username) = lower(%(text)s) then 2
                  when username = %(text)s then 3
                  when lower(username) = lower(%(text)s) then 4 else 5 end as rank
              from account
              where not system
                and (lower(%(text)s) in (lower(username), '@' || lower(username), lower(name)))
            ), best as (select min(rank) as rank from found)
            select f.account_id, f.username, f.name
            from found f, best b
            where f.rank = b.rank or (b.rank > 2 and lower(f.name) = lower(%(text)s))
            order by f.account_id limit 5
            """,
            {"text": text},
        )
        return await cursor.fetchall()


async def people_like(conn: Connection, *, text: str, limit: int) -> list[Person]:
    """People whose name or user name holds `text`; beginnings of words first."""
    async with conn.cursor(row_factory=class_row(Person)) as cursor:
        await cursor.execute(
            """
            select id as account_id, username, name
            from account
            where not system
              and access.folded(concat_ws(' ', username, name))
                like all ((select access.patterns(%(text)s))::text[])
            order by not (starts_with(lower(username), lower(%(text)s))
                or starts_with(lower(coalesce(name, '')), lower(%(text)s))),
              access.alphabetic(coalesce(name, username)), id
            limit %(limit)s
            """,
            {"text": text, "limit": limit},
        )
        return await cursor.fetchall()


async def people_named(conn: Connection, *, accounts: Collection[int]) -> list[Person]:
    """What these people are called, by name."""
    async with conn.cursor(row_factory=class_row(Person)) as cursor:
        await cursor.execute(
            """
            select id as account_id, username, name
              from account
             where id = any(%(accounts)s::bigint[])
             order by access.alphabetic(coalesce(nullif(name, ''), username)), id
            """,
            {"accounts": list(accounts)},
        )
        return await cursor.fetchall()


async def taken(conn: Connection, *, username: str, email: str) -> Taken:
    """Which of the two somebody has already, in any case."""
    async with conn.cursor(row_factory=class_row(Taken)) as cursor:
        await cursor.execute(
            """
            select exists (select from account where lower(username) = lower(%(username)s))
                as username,
              exists (select from account where lower(email) = lower(%(email)s)) as email
            """,
            {"username": username, "email": email},
        )
        return await cursor.fetchone() or Taken(username=True, email=True)


async def made_just_now(conn: Connection, *, new: Registration, actor_id: int | None) -> int | None:
    """Just such an account, if the actor has made it within the minute. None as actor: nobody."""
    async with conn.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(
            """
            select account from access.audit
            where place = 'public.account' and operation = 'added'
              and happened_at > now() - interval '1 minute'
              and actor is not distinct from %(actor_id)s
              and new ->> 'username' = %(username)s and new ->> 'email' = %(email)s
              and new ->> 'name' = %(name)s and new ->> 'phone' is not distinct from %(phone)s
            """,
            {
                "actor_id": actor_id,
                "username": new.username,
                "email": new.email,
                "name": new.name or "",
                "phone": new.phone,
            },
        )
        found: int | None = await cursor.fetchone()
        return found


async def lock_registrations(conn: Connection) -> None:
    """One new account at a time, until the transaction ends: user names that differ only in case
    don't collide in the table."""
    # Any number does that nobody else uses.
    await conn.execute("select pg_advisory_xact_lock(7016207019)")


async def insert_account(
    conn: Connection,
    *,
    username: str,
    email: str,
    name: str,
    password: str,
    phone: str | None = None,
) -> int:
    """A new account of a person; `password` is a hash. Returns its id."""
    async with conn.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(
            """
            insert into account
              (created_at, updated_at, username, email, name, password, phone, system)
            values (now(), now(), %(username)s, %(email)s, %(name)s, %(password)s, %(phone)s, false)
            returning id
            """,
            {
                "username": username,
                "email": email,
                "name": name,
                "password": password,
                "phone": phone,
            },
        )
        return int(await cursor.fetchone() or 0)


async def set_phone(conn: Connection, *, account_id: int, phone: str) -> None:
    """Stores a phone number, where it is another one."""
    await conn.execute(
        """
        update account set phone = %(phone)s, updated_at = now()
        where id = %(account_id)s and phone is distinct from %(phone)s
        """,
        {"account_id": account_id, "phone": phone},
    )


async def system_account(conn: Connection) -> int | None:
    """The account `system`, which stands for the program itself."""
    async with conn.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute("select id from account where username = 'system' and system")
        found: int | None = await cursor.fetchone()
        return found
