"""What one person can open and use now, in words, for any page that shows it."""

from collections.abc import Collection, Mapping, Sequence

from console.access.at_place import OfPerson, accesses_of, person_of, whether_they_can
from console.access.wording import Reasons, reasons
from console.accounts.queries import Person
from console.database import Connection
from console.web import times
from sync.ids import PointKey


async def access_lines(conn: Connection, *, account_id: int) -> Sequence[Reasons]:
    """Every door, then every tool, for one person; those first that she can use."""
    now = times.now()
    person = await person_of(conn, account_id=account_id)
    told = [reasons(at, now) for at in await accesses_of(conn, person, now_ms=times.ms(now))]
    return sorted(told, key=lambda one: (one.at.place.tool_id is not None, not one.is_yes))


def by_door(lines: Sequence[Reasons]) -> Mapping[str, Reasons]:
    """Those of doors, by their keys."""
    return {one.at.place.key: one for one in lines if one.at.place.tool_id is None}


def by_tool(lines: Sequence[Reasons]) -> Mapping[int, Reasons]:
    """Those of tools, by their ids."""
    return {one.at.place.tool_id: one for one in lines if one.at.place.tool_id is not None}


async def lines_at(
    conn: Connection, point: PointKey, accounts: Collection[int]
) -> Sequence[tuple[Person, Reasons]]:
    """These people at one door or tool, by name; none: there is no such place."""
    now = times.now()
    found = await whether_they_can(conn, point=point, accounts=accounts, now_ms=times.ms(now))
    return lines_of(found[1]) if found else []


def lines_of(
    people: Sequence[OfPerson], *, tells_standing: bool = True
) -> Sequence[tuple[Person, Reasons]]:
    """Each with the words."""
    now = times.now()
    return [(one.person, reasons(one.at, now, tells_standing=tells_standing)) for one in people]
