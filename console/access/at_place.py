"""What somebody can open and use, and who can open a door, each with why or why not.

Asks the rule for each; decides nothing.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec import Struct

from console.access import queries
from console.access.queries import CircleRow, PlaceRow
from console.accounts import queries as accounts_queries
from console.accounts.queries import Person as Named
from console.database import Connection
from console.rights import people_queries
from console.rights import queries as rights
from console.rights.access import EVERY_PAYMENT_MS, who_may_open
from console.rights.facts import Door, Person, Tool
from console.rights.missing import Access, Missing, access_to_door, access_to_tool
from console.rights.verdict import Ground, ground_at_door, ground_at_tool, key_of
from sync.ids import AccountRef, PointKey


class AtPlace(Struct, frozen=True):
    """One person at one door or tool. `through`: her circles among those of the place."""

    place: PlaceRow
    access: Access
    through: tuple[CircleRow, ...]
    circles: tuple[CircleRow, ...]


class OfPerson(Struct, frozen=True):
    """The same with her name, for the page of the place."""

    person: Named
    at: AtPlace


async def person_of(conn: Connection, *, account_id: int) -> Person:
    """What decides what somebody may use, all her payments with it."""
    found = await people_queries.people(
        conn, account=AccountRef(account_id), ended_after_ms=EVERY_PAYMENT_MS
    )
    return found[0] if found else _nobody(account_id)


async def accesses_of(conn: Connection, person: Person, *, now_ms: int) -> Sequence[AtPlace]:
    """Every door and tool, for one person."""
    rules = await _rules(conn)
    found = [
        (place, _access(person, rules[PointKey(place.key)], now_ms))
        for place in await queries.places(conn)
        if PointKey(place.key) in rules
    ]
    circles = await _circles(conn, found)
    return [_at(person, place, access, circles) for place, access in found]


async def who_can(
    conn: Connection, *, point: PointKey, now_ms: int
) -> tuple[PlaceRow, Sequence[OfPerson]] | None:
    """Everybody who can open or use it now, by name; None: there is no such place."""
    people = await people_queries.people(conn, account=None, ended_after_ms=now_ms)
    rule = (await _rules(conn)).get(point)
    # Most people lack the circle: the rest is asked of few.
    people = [person for person in people if rule and _ground(person, rule).is_enough]
    return await _people_at(conn, people, point, now_ms, only_yes=True)


async def first_who_can(
    conn: Connection, *, door: PointKey, now_ms: int, most: int
) -> Sequence[OfPerson]:
    """The first `most` by name of those who can open the door."""
    people = await who_may_open(conn, door_key=door, now_ms=now_ms, most=most)
    found = await _people_at(conn, people, door, now_ms, only_yes=True)
    return found[1] if found else []


async def whether_they_can(
    conn: Connection, *, point: PointKey, accounts: Collection[int], now_ms: int
) -> tuple[PlaceRow, Sequence[OfPerson]] | None:
    """The same for these people, whether they can or not."""
    wanted = [AccountRef(account) for account in accounts]
    people = await people_queries.people(
        conn, account=None, accounts=wanted, ended_after_ms=EVERY_PAYMENT_MS
    )
    return await _people_at(conn, people, point, now_ms, only_yes=False)


async def _people_at(
    conn: Connection, people: Iterable[Person], point: PointKey, now_ms: int, *, only_yes: bool
) -> tuple[PlaceRow, Sequence[OfPerson]] | None:
    place = next((row for row in await queries.places(conn) if row.key == point), None)
    rule = (await _rules(conn)).get(point)
    if place is None or rule is None:
        return None
    accesses = [(person, _access(person, rule, now_ms)) for person in people]
    if only_yes:
        accesses = [(person, it) for person, it in accesses if it.decision.is_allowed]
    circles = await _circles(conn, [(place, access) for _, access in accesses])
    each = {person.account: _at(person, place, access, circles) for person, access in accesses}
    names = await accounts_queries.people_named(conn, accounts=each.keys())
    return place, [OfPerson(row, each[AccountRef(row.account_id)]) for row in names]


async def _rules(conn: Connection) -> Mapping[PointKey, Door | Tool]:
    """Each door and tool by its key. Where a tool has a door's, the door counts."""
    tools: dict[PointKey, Door | Tool] = {key_of(tool): tool for tool in await rights.tools(conn)}
    return tools | {door.key: door for door in await rights.doors(conn)}


def _access(person: Person, rule: Door | Tool, now_ms: int) -> Access:
    if isinstance(rule, Door):
        return access_to_door(person, rule, now_ms)
    return access_to_tool(person, rule, now_ms)


async def _circles(
    conn: Connection, found: Iterable[tuple[PlaceRow, Access]]
) -> Mapping[int, CircleRow]:
    """Those of the places. Whom to ask is looked up only where a circle is missing."""
    every, asked = set[int](), set[int]()
    for place, access in found:
        every.update(place.circles)
        if Missing.CIRCLE in access.missing:
            asked.update(place.circles)
    return await queries.circles(conn, ids=every, asked=asked)


def _at(
    person: Person, place: PlaceRow, access: Access, circles: Mapping[int, CircleRow]
) -> AtPlace:
    known = [circles[circle] for circle in place.circles if circle in circles]
    hers = tuple(circle for circle in known if circle.circle_id in person.circles)
    return AtPlace(place, access, hers, tuple(known))


def _ground(person: Person, rule: Door | Tool) -> Ground:
    if isinstance(rule, Door):
        return ground_at_door(person, rule)
    return ground_at_tool(person, rule)


def _nobody(account_id: int) -> Person:
    """Somebody of whom there is nothing to say: a system account."""
    return Person(AccountRef(account_id), False, frozenset(), ())
