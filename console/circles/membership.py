"""Adds people to circles and removes them: reads, asks the rules, writes, in the caller's
transaction.

Decides nothing itself; the rules are in `circle.py`. Memberships change only through here and
through `keeping.py`.
"""

from console.audit.undoing import just_removed
from console.circles import queries
from console.circles.circle import (
    NoSuchCircle,
    Reason,
    Refused,
    check_addition,
    check_removal,
    may_manage,
)
from console.database import Connection
from console.errors import BadRequest


async def add(
    conn: Connection,
    *,
    circle_id: int,
    account_id: int,
    comment: str,
    actor_id: int,
) -> Refused | NoSuchCircle | None:
    """Adds `account_id` on behalf of `actor_id`. None: done."""
    await queries.lock_circle(conn, circle_id=circle_id)
    row = await queries.circle(conn, circle_id=circle_id)
    if row is None:
        return NoSuchCircle()
    circle, comment = row.circle(), comment.strip()
    reason = check_addition(
        circle,
        actor_circles=await queries.circle_ids_of(conn, account_id=actor_id),
        is_member=await queries.is_member(conn, circle_id=circle_id, account_id=account_id),
        comment=comment,
    )
    if reason is not None:
        return Refused(reason, circle)
    is_new = await queries.insert_member(
        conn,
        circle_id=circle_id,
        account_id=account_id,
        comment=comment,
        actor_id=actor_id,
    )
    if not is_new:  # The old web app, which takes no lock, came first.
        return Refused(Reason.ALREADY_IN, circle)
    await queries.touch_circle(conn, circle_id=circle_id, actor_id=actor_id)
    return None


async def remove(
    conn: Connection, *, circle_id: int, account_id: int, actor_id: int
) -> Refused | NoSuchCircle | None:
    """Removes `account_id` on behalf of `actor_id`. None: done."""
    await queries.lock_circle(conn, circle_id=circle_id)
    row = await queries.circle(conn, circle_id=circle_id)
    if row is None:
        return NoSuchCircle()
    circle = row.circle()
    reason = check_removal(
        circle,
        actor_circles=await queries.circle_ids_of(conn, account_id=actor_id),
        is_member=await queries.is_member(conn, circle_id=circle_id, account_id=account_id),
        members=row.members,
    )
    if reason is not None:
        return Refused(reason, circle)
    await queries.delete_member(conn, circle_id=circle_id, account_id=account_id)
    await queries.touch_circle(conn, circle_id=circle_id, actor_id=actor_id)
    return None


async def put_back(
    conn: Connection, *, circle_id: int, account_id: int, actor_id: int
) -> Refused | NoSuchCircle | None:
    """Makes it as if `actor_id` had not just removed `account_id`. None: done.

    Raises: BadRequest: she has not.
    """
    await queries.lock_circle(conn, circle_id=circle_id)
    row = await queries.circle(conn, circle_id=circle_id)
    if row is None:
        return NoSuchCircle()
    circle = row.circle()
    if not may_manage(circle, await queries.circle_ids_of(conn, account_id=actor_id)):
        return Refused(Reason.NOT_A_MANAGER, circle)
    if await queries.is_member(conn, circle_id=circle_id, account_id=account_id):
        return None  # as when it is sent twice
    (was, *_) = await just_removed(
        conn,
        actor_id=actor_id,
        place="public.circle_member",
        account_id=account_id,
        column="circle",
        of=circle_id,
    )
    await queries.insert_member(
        conn,
        circle_id=circle_id,
        account_id=account_id,
        comment=was.comment,
        actor_id=actor_id,
        was=was,
    )
    await queries.touch_circle(conn, circle_id=circle_id, actor_id=actor_id)
    return None


async def add_by_program(
    conn: Connection, *, circle_name: str, account_id: int, system_id: int
) -> None:
    """Adds a new account at the server's prompt, where the circle's own rules don't apply.

    Raises: BadRequest for an unknown circle.
    """
    circle_id = await queries.circle_id_of(conn, name=circle_name)
    if circle_id is None:
        raise BadRequest(f"No such circle: {circle_name}")
    await queries.insert_member(
        conn,
        circle_id=circle_id,
        account_id=account_id,
        comment="added at the server's prompt",
        actor_id=system_id,
    )
    await queries.touch_circle(conn, circle_id=circle_id, actor_id=system_id)
