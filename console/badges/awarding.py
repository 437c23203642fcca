"""Awards badges: reads, asks the rule, writes, in the caller's transaction.

A badge is found by its exact title; whoever awards one that there isn't makes it.
"""

from console.accounts import meant
from console.badges import queries
from console.badges.badge import TITLE_CHARACTERS_MAX, Given, Kind, Refused, may_award
from console.circles.queries import circle_ids_of
from console.database import Connection
from console.web.one_line import line_mistake


async def award(
    conn: Connection, *, title: str, recipient: str | None, awarder_id: int
) -> Refused | None:
    """Gives the badge to the one with the user name `recipient`, or to the awarder. None: done."""
    to = awarder_id
    known = await queries.kind_called(conn, title=title)
    if known is None and line_mistake(title.strip(), characters_max=TITLE_CHARACTERS_MAX):
        return Refused.NOT_ONE_LINE
    if recipient is not None:
        person = await meant.by_username(conn, username=recipient)
        if person is None:
            return Refused.NO_SUCH_RECIPIENT
        to = person.account_id
    given = Given(to=to, by=awarder_id, author=awarder_id)
    kind = await _kind(conn, title, given)
    if not may_award(kind, await circle_ids_of(conn, account_id=awarder_id)):
        return Refused.NOT_A_CERTIFIER
    await queries.insert_award(conn, kind=kind, given=given)
    return None


async def give(conn: Connection, *, title: str, given: Given) -> None:
    """Gives the badge without asking the rule: the program itself does."""
    await queries.insert_award(conn, kind=await _kind(conn, title, given), given=given)


async def _kind(conn: Connection, title: str, given: Given) -> Kind:
    """What there is of this title; a new one, which anybody may award, where there is none."""
    found = await queries.kind_called(conn, title=title)
    if found is None:
        await queries.lock_titles(conn)
        # Looked at again, now that nobody else can be in between.
        found = await queries.kind_called(conn, title=title)
    if found is None:
        found = Kind(await queries.insert_description(conn, title=title, given=given), None)
    return found
