"""`p2k16-console accounts add`: an account made at the server's prompt, such as the first one.

Decides what is asked and checked; the command line itself is read in `console/__main__.py`.
"""

from collections.abc import Callable, Sequence
from typing import TextIO

import psycopg

from console.accounts import queries
from console.accounts.account import (
    PASSWORD_CHARACTERS_MIN,
    NewAccount,
    is_short,
    mistakes,
    password_text_mistakes,
)
from console.accounts.passwords import PasswordThreads
from console.circles.membership import add_by_program
from console.database import Connection, Database, at_prompt
from console.errors import BadRequest

PASSWORD_LINE_MAX = 2_000


def read_new_password(
    lines: TextIO | None, ask: Callable[[str], str], warn: Callable[[str], object]
) -> str:
    """A new password, given twice: asked for on a terminal (`ask` is getpass), else two lines.

    `lines` None: standard input is closed. `warn` is told of one that pages would refuse.
    Raises: BadRequest when the two differ, or when it is empty or no text.
    """
    if lines is None:
        raise BadRequest("No standard input to read a password from; the account was not made.")
    try:
        if lines.isatty():
            first, second = ask("New password: "), ask("The same again: ")
        else:
            first, second = (lines.readline(PASSWORD_LINE_MAX).rstrip("\r\n") for _ in range(2))
    except EOFError as error:
        raise BadRequest("No password was given; the account was not made.") from error
    except UnicodeDecodeError as error:
        raise BadRequest("A password is UTF-8 text; the account was not made.") from error
    if first != second:
        raise BadRequest("The two passwords differ; the account was not made.")
    wrong = password_text_mistakes(first)
    if wrong:
        raise BadRequest(f"{wrong[0]}; the account was not made.")
    if is_short(first):
        warn(f"The password has fewer than {PASSWORD_CHARACTERS_MIN} characters: easily guessed.")
    return first


async def add_account(
    database: Database,
    *,
    username: str,
    email: str,
    name: str,
    circles: Sequence[str],
    password: str,
) -> int:
    """Makes an account, in `circles`, and returns its id.

    Raises: BadRequest naming every mistake; DatabaseUnavailable.
    """
    new = NewAccount(username=username, email=email, name=name, password=password)
    async with database.reading() as conn:
        wrong = mistakes(new, await queries.taken(conn, username=username, email=email))
    if wrong:
        raise BadRequest("; ".join(wrong))
    threads = PasswordThreads()
    try:
        hashed = await threads.hash(password)
    finally:
        threads.close()
    try:
        async with database.writing(by=at_prompt("accounts add")) as conn:
            await queries.lock_registrations(conn)
            wrong = mistakes(new, await queries.taken(conn, username=username, email=email))
            if wrong:
                raise BadRequest("; ".join(wrong))
            return await _insert(conn, new, hashed, circles)
    except psycopg.errors.UniqueViolation as error:
        raise BadRequest("Username or email was taken a moment ago") from error


async def _insert(conn: Connection, new: NewAccount, hashed: str, circles: Sequence[str]) -> int:
    account_id = await queries.insert_account(
        conn, username=new.username, email=new.email, name=new.name, password=hashed
    )
    system = await queries.system_account(conn)
    if circles and system is None:
        raise BadRequest("The account `system` is missing, and circle memberships need it")
    for circle in dict.fromkeys(circles):
        await add_by_program(conn, circle_name=circle, account_id=account_id, system_id=system or 0)
    return account_id
