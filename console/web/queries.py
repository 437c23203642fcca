"""What the frame asks of the database: sessions and who has them."""

from msgspec import Struct
from psycopg.rows import class_row

from console.database import Connection


class SessionRow(Struct, frozen=True):
    """A session that is valid, with the person as she is now.

    `is_ours` False: it is one of the old web app. `is_due`: its use is to be written down.
    `beside_old`: see V002.004.
    """

    account_id: int
    username: str
    name: str | None
    circles: list[str]
    runs_something: bool
    is_ours: bool
    is_due: bool
    beside_old: bool


async def sessions(
    conn: Connection, *, token_digest: bytes | None, old_account: int | None, quiet_seconds: int
) -> list[SessionRow]:
    """The valid session with this token, then that of the account that the old web app has named.

    Left out: what has expired or was refused, and whose account is gone or is a system account now.
    `is_due` when it wasn't touched for `quiet_seconds`.
    """
    async with conn.cursor(row_factory=class_row(SessionRow)) as cursor:
        await cursor.execute(
            """
            select a.id as account_id, a.username, a.name,
              array(select c.name::text from circle_member m join circle c on c.id = m.circle
                where m.account = a.id order by c.name) as circles,
              exists (select from circle_member m
                join circle c on c.id = m.circle and c.management_style = 'SELF_ADMIN'
                  or c.admin_circle = m.circle and c.management_style = 'ADMIN_CIRCLE'
                where m.account = a.id)
              or exists (select from badge_description b
                join circle_member m on m.circle = b.certification_circle
                where m.account = a.id) as runs_something,
              s.is_ours, s.is_due, s.beside_old
            from (
              select account, true as is_ours, beside_old,
                seen_at < now() - make_interval(secs => %(quiet_seconds)s) as is_due
              from access.session
              where token_digest = %(token_digest)s and expires_at > now()
              union all
              select %(old_account)s::bigint, false, true, false
              where not exists (select from access.old_session_refusal
                where account = %(old_account)s and until > now())
            ) s
            join account a on a.id = s.account and not a.system
            order by s.is_ours desc
            """,
            {
                "token_digest": token_digest,
                "old_account": old_account,
                "quiet_seconds": quiet_seconds,
            },
        )
        return await cursor.fetchall()


async def touch_session(conn: Connection, *, token_digest: bytes, lifetime_seconds: int) -> None:
    """Lets a session last for another whole lifetime from now."""
    await conn.execute(
        """
        update access.session
        set seen_at = now(), expires_at = now() + make_interval(secs => %(lifetime_seconds)s)
        where token_digest = %(token_digest)s and expires_at > now()
        """,
        {"token_digest": token_digest, "lifetime_seconds": lifetime_seconds},
    )


async def add_session(
    conn: Connection,
    *,
    token_digest: bytes,
    account_id: int,
    lifetime_seconds: int,
    address: str,
    user_agent: str,
    beside_old: bool,
) -> None:
    """Records a new session."""
    await conn.execute(
        """
        insert into access.session
          (token_digest, account, expires_at, address, user_agent, beside_old)
        values (%(token_digest)s, %(account_id)s,
          now() + make_interval(secs => %(lifetime_seconds)s), %(address)s, %(user_agent)s,
          %(beside_old)s)
        """,
        {
            "token_digest": token_digest,
            "account_id": account_id,
            "lifetime_seconds": lifetime_seconds,
            "address": address,
            "user_agent": user_agent,
            "beside_old": beside_old,
        },
    )


async def delete_session(conn: Connection, *, token_digest: bytes) -> None:
    """Ends a session; no such session is fine."""
    await conn.execute(
        "delete from access.session where token_digest = %(token_digest)s",
        {"token_digest": token_digest},
    )


async def delete_sessions_of(conn: Connection, *, account_id: int) -> None:
    """Ends all sessions of an account."""
    await conn.execute(
        "delete from access.session where account = %(account_id)s", {"account_id": account_id}
    )


async def refuse_old_sessions(conn: Connection, *, account_id: int, seconds: int) -> None:
    """Refuses an account's cookies of the old web app for so long from now."""
    await conn.execute("delete from access.old_session_refusal where until <= now()")
    await conn.execute(
        """
        insert into access.old_session_refusal (account, until)
        values (%(account_id)s, now() + make_interval(secs => %(seconds)s))
        on conflict (account) do update set until = excluded.until
        """,
        {"account_id": account_id, "seconds": seconds},
    )


async def takes_old_sessions(conn: Connection, *, account_id: int) -> bool:
    """Whether the account's cookies of the old web app aren't refused.

    Its password can't be changed, and so they can't be refused, until the transaction ends.
    """
    await conn.execute(
        "select from account where id = %(account_id)s for no key update",
        {"account_id": account_id},
    )
    cursor = await conn.execute(  # apart, because it is to see what the lock has waited for
        """
        select from access.old_session_refusal
        where account = %(account_id)s and until > now()
        """,
        {"account_id": account_id},
    )
    return cursor.rowcount == 0


async def delete_surplus_sessions(conn: Connection, *, account_id: int, kept: int) -> None:
    """Deletes what has expired, and all but the `kept` most recently used of one account."""
    await conn.execute("delete from access.session where expires_at <= now()")
    await conn.execute(
        """
        delete from access.session where token_digest in (
          select token_digest from access.session where account = %(account_id)s
          order by seen_at desc, created_at desc offset %(kept)s)
        """,
        {"account_id": account_id, "kept": kept},
    )
