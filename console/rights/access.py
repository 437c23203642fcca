"""Who may use what, for pages and remote openings: by the rule that the controllers use.

Decides nothing of its own: the person's right is derived as for a card of hers, and weighed by
`sync.rights.decide`. What a no is called on a page, and what would change it, is for the pages.
"""

from collections.abc import Sequence
from dataclasses import replace

from msgspec import Struct

from console.database import Connection
from console.rights import people_queries, queries
from console.rights.derive import point, points_of, right, tool_point
from console.rights.facts import Door, Person, Tool
from console.rights.verdict import Window, window_of
from sync.ids import AccountRef, MemberRef, PointKey
from sync.rights import Assurance, Decision, Moment, Point, Reason, Right, decide

EVERY_PAYMENT_MS = 0
"""Also those that are over: they tell a membership that has ended from none at all."""


class Answer(Struct, frozen=True):
    """The decision, and what it rests on. `window` None: has never paid."""

    decision: Decision
    is_employed: bool
    is_in_circle: bool
    window: Window | None


class Standing(Struct, frozen=True):
    """Whether somebody is a member now, the slack after a payment included. Both can be."""

    is_paying: bool
    is_employed: bool


FIRST_WEIGHED = 100
"""So many people are weighed first where only some of those are asked for who may."""

NO_MEMBER = MemberRef(bytes(8))
"""Stands where a right is weighed for a person rather than for a card."""
NO_RIGHT = Right(NO_MEMBER, frozenset())

NOBODY = Answer(Decision(Reason.NO_RIGHT), is_employed=False, is_in_circle=False, window=None)


def weigh(person: Person, door: Door, now_ms: int) -> Answer:
    """Whether the person may open the door now."""
    in_circle = bool(person.circles & door.circles)
    return _answer(person, point(door), points_of(person, (door,)), in_circle, now_ms)


def weigh_tool(person: Person, tool: Tool, now_ms: int) -> Answer:
    """Whether the person may use the tool now."""
    points = points_of(person, (), (tool,))
    return _answer(person, tool_point(tool), points, bool(points), now_ms)


async def may_open(
    conn: Connection, *, account_id: int, door_key: PointKey, now_ms: int
) -> Answer | None:
    """Whether this person may open the door now; None: there is no such door."""
    doors = await queries.doors(conn, key=door_key)
    if not doors:
        return None
    person = await _person(conn, account_id)
    return NOBODY if person is None else weigh(person, doors[0], now_ms)


async def may_open_which(
    conn: Connection, *, account_id: int, now_ms: int
) -> dict[PointKey, Answer]:
    """The same for every door."""
    person = await _person(conn, account_id)
    return {
        door.key: NOBODY if person is None else weigh(person, door, now_ms)
        for door in await queries.doors(conn)
    }


async def who_may_open(
    conn: Connection, *, door_key: PointKey, now_ms: int, most: int
) -> Sequence[Person]:
    """The first `most` by name who may open the door now, with a card or from here."""
    doors = await queries.doors(conn, key=door_key)
    found: list[Person] = []
    begin, size = 0, FIRST_WEIGHED
    # Thousands can open a front door: a page that names thirty needn't weigh them all.
    while doors and len(found) < most:
        some = await people_queries.accounts_by_name(conn, begin=begin, most=size)
        people = await people_queries.people(
            conn, account=None, accounts=some, ended_after_ms=now_ms
        )
        let_in = {p.account: p for p in people if weigh(p, doors[0], now_ms).decision.is_allowed}
        found += [let_in[account] for account in some if account in let_in]
        if len(some) < size:
            break
        begin, size = begin + size, size * 4
    return found[:most]


async def may_use_tool(
    conn: Connection, *, account_id: int, tool: int, now_ms: int
) -> Answer | None:
    """Whether this person may use the tool now; None: there is no such tool."""
    tools = await queries.tools(conn, tool=tool)
    if not tools:
        return None
    person = await _person(conn, account_id)
    return NOBODY if person is None else weigh_tool(person, tools[0], now_ms)


async def standings(
    conn: Connection, *, now_ms: int, account_id: int | None = None
) -> dict[int, Standing]:
    """Who is a member now, by account id: everybody, or only the one, if there is such an account.

    A system account is none, whatever its rows say.
    """
    account = None if account_id is None else AccountRef(account_id)
    everybody = await queries.accounts(conn, account=account_id)
    people = await people_queries.people(conn, account=account, ended_after_ms=now_ms)
    nothing = dict.fromkeys(everybody, Standing(is_paying=False, is_employed=False))
    return nothing | {person.account: _standing(person, now_ms) for person in people}


def _standing(person: Person, now_ms: int) -> Standing:
    paid = window_of(replace(person, is_employed=False), now_ms)
    return Standing(
        is_paying=paid is not None and paid.has_begun(now_ms) and not paid.is_over(now_ms),
        is_employed=person.is_employed,
    )


def _answer(
    person: Person, place: Point, points: frozenset[PointKey], in_circle: bool, now_ms: int
) -> Answer:
    """`points`: those that her grounds are enough for."""
    window = window_of(person, now_ms)
    hers = NO_RIGHT if window is None else right(NO_MEMBER, points, window)
    # As a card without a second factor: a password alone proves no more.
    decision = decide(place, hers, Assurance.UID, Moment(now_ms, is_trusted=True))
    return Answer(decision, person.is_employed, in_circle, window)


async def _person(conn: Connection, account_id: int) -> Person | None:
    people = await people_queries.people(
        conn, account=AccountRef(account_id), ended_after_ms=EVERY_PAYMENT_MS
    )
    return people[0] if people else None
