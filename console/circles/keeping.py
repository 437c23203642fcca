"""Makes circles and removes them: reads, asks the rules, writes, in the caller's transaction.

Decides nothing itself; the rules are in `draft.py` and `circle.py`.
"""

from console.accounts import meant
from console.circles import keeping_queries, queries
from console.circles.circle import Kept, ManagementStyle, NoSuchCircle, check_end
from console.circles.draft import Draft, Flaw, check_draft
from console.database import Connection


async def create(conn: Connection, draft: Draft, *, actor_id: int) -> int | Flaw:
    """Makes the circle and gives its id, or says what is wrong with it.

    Whether the actor may make circles at all is for the route.
    """
    match draft.style:
        case ManagementStyle.ADMIN_CIRCLE:
            admin_circle_id = await _admin_circle_id(conn, draft)
            first_member_id = None
        case ManagementStyle.SELF_ADMIN:
            admin_circle_id = None
            first_member_id = await _first_member_id(conn, draft)
    flaw = check_draft(draft, admin_circle_id=admin_circle_id, first_member_id=first_member_id)
    if flaw is not None:
        return flaw
    circle_id = await keeping_queries.insert_circle(
        conn, draft=draft, admin_circle_id=admin_circle_id, actor_id=actor_id
    )
    if circle_id is None:
        return Flaw.NAME_TAKEN
    if first_member_id is not None:
        await queries.insert_member(
            conn,
            circle_id=circle_id,
            account_id=first_member_id,
            comment=draft.comment.strip(),
            actor_id=actor_id,
        )
    return circle_id


async def remove(conn: Connection, *, circle_id: int, actor_id: int) -> Kept | NoSuchCircle | None:
    """Removes the circle on behalf of `actor_id`, and her own membership with it. None: done."""
    await keeping_queries.lock_whole(conn, circle_id=circle_id)
    row = await queries.circle(conn, circle_id=circle_id)
    if row is None:
        return NoSuchCircle()
    circle = row.circle()
    references = await keeping_queries.references(conn, circle_id=circle_id)
    hindrance = check_end(
        circle,
        actor_circles=await queries.circle_ids_of(conn, account_id=actor_id),
        members=row.members,
        references=references,
    )
    if hindrance is not None:
        return Kept(hindrance, circle, references)
    await queries.delete_member(conn, circle_id=circle_id, account_id=actor_id)
    await keeping_queries.delete_circle(conn, circle_id=circle_id)
    return None


async def _admin_circle_id(conn: Connection, draft: Draft) -> int | None:
    if draft.admin_circle is None:
        return None
    return await keeping_queries.held_circle_id(conn, name=draft.admin_circle)


async def _first_member_id(conn: Connection, draft: Draft) -> int | None:
    if draft.first_member is None:
        return None
    person = await meant.by_username(conn, username=draft.first_member)
    return None if person is None else person.account_id
