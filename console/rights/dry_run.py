"""Tries a change out before it is saved, and says in names who gains and who loses what.

The change is really made, in a transaction that is rolled back unless somebody has seen just this
effect: so there is no second idea of what a change does, and what is saved is what was seen.

A form posts the change; what comes back is a `Preview`, which `rights/preview.html` shows with a
form that posts the same again, and with it `seen`.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from msgspec import Struct
from psycopg import Rollback

from console.alphabet import alphabetic
from console.database import Connection
from console.rights import people_queries, preview_queries, queries
from console.rights.preview import Effect, Rules, effect
from console.rights.verdict import key_of
from console.rights.weekly_hours import words
from console.web import times
from sync.ids import AccountRef, PointKey

Refusal = TypeVar("Refusal")

SHOWN = 30
"""So many people of each list are named; of the others it is said how many they are."""


class Named(Struct, frozen=True):
    """A person, and the names of doors and tools."""

    account_id: int
    name: str
    places: tuple[str, ...]


class Listed(Struct, frozen=True):
    """People by name; `more` are not listed."""

    people: Sequence[Named]
    more: int


class HoursOf(Struct, frozen=True):
    """A door, and when it will stand unlocked for everybody; empty: never."""

    place: str
    hours: str


class Preview(Struct, frozen=True):
    """What saving would do. The lists are as in `Effect`.

    `seen`: what the form posts to say that somebody has seen it. `has_changed`: she has seen
    another effect before, and something else was changed meanwhile.
    """

    gains: Listed
    loses: Listed
    keeps: Listed
    waits: Listed
    hours: Sequence[HoursOf]
    seen: str
    has_changed: bool


class SaveForm(Struct, frozen=True):
    """A preview with the form that saves it, as `rights/preview.html` shows them.

    `fields`: the change as it was posted; the new `seen` takes the place of one. `back`: a path,
    for whoever thinks better of it. `is_danger`: it takes something away. `also`: what it does
    beside doors and tools.
    """

    told: Preview
    title: str
    action: str
    fields: Mapping[str, str]
    back: str
    save: str
    is_danger: bool = False
    also: Sequence[str] = ()


async def dry_run(
    conn: Connection,
    change: Callable[[Connection], Awaitable[Refusal | None]],
    *,
    seen: str,
    account: AccountRef | None = None,
    always: bool = False,
) -> Refusal | Preview | None:
    """Makes the change if its effect was seen. None: it is made, and the caller commits it.

    `conn` is in a transaction. `change` gives a refusal if it can't be made. `seen` is empty, or
    from the preview. `account`: the one whom it concerns; None: that may be anybody. `always`: it
    is shown also where nothing changes for anybody.
    """
    await take_turn(conn)
    now_ms = times.ms(times.now())
    before = await _rules(conn, account, now_ms)
    outcome: Refusal | Effect | None = None
    made: Mapping[PointKey, str] = {}
    async with conn.transaction() as savepoint:
        outcome = await change(conn)
        if outcome is None:
            named = await preview_queries.place_names(conn)
            after, made = _with_new_tool(before, await _rules(conn, account, now_ms), named)
            found = await asyncio.to_thread(effect, before, after, now_ms)
            if found.seen == seen or (found.is_nothing and not found.waits and not always):
                return None
            outcome = found
        raise Rollback(savepoint)
    if isinstance(outcome, Effect):
        return await _preview(conn, outcome, made, has_changed=bool(seen))
    return outcome


async def take_turn(conn: Connection) -> None:
    """One change at a time is tried and saved, until the transaction ends.

    Else two that let nobody in by themselves, but do together, would both be saved unseen. Whoever
    locks rows before `dry_run` takes her turn before that: others may wait for them in theirs.
    """
    # Any number does that nobody else uses.
    await conn.execute("select pg_advisory_xact_lock(7016207032)")


def _with_new_tool(
    before: Rules, after: Rules, names: Mapping[PointKey, str]
) -> tuple[Rules, Mapping[PointKey, str]]:
    """The rules, and the names in them, with a new tool as number 0: each try gives it another."""
    known = {tool.id for tool in before.tools}
    new = {tool: replace(tool, id=0) for tool in after.tools if tool.id not in known}
    tools = tuple(new.get(tool, tool) for tool in after.tools)
    new_names = {key_of(new[tool]): names.get(key_of(tool), "") for tool in new}
    return Rules(after.people, after.doors, tools), {**names, **new_names}


async def _rules(conn: Connection, account: AccountRef | None, now_ms: int) -> Rules:
    return Rules(
        people=await people_queries.people(conn, account=account, ended_after_ms=now_ms),
        doors=await queries.doors(conn),
        tools=await queries.tools(conn),
    )


async def _preview(
    conn: Connection, found: Effect, made: Mapping[PointKey, str], *, has_changed: bool
) -> Preview:
    """`made`: what places are called once the change is made; some are only there then."""
    lists = (found.gains, found.loses, found.keeps, found.waits)
    accounts = {concern.account for concerns in lists for concern in concerns}
    people = await preview_queries.people_names(conn, accounts=accounts)
    places = {**made, **await preview_queries.place_names(conn)}
    gains, loses, keeps, waits = (
        _listed(
            (people.get(concern.account, ""), concern.account, places.get(concern.point, ""))
            for concern in concerns
        )
        for concerns in lists
    )
    hours = [
        HoursOf(places.get(door, door), words(*changed)) for door, changed in found.hours.items()
    ]
    return Preview(gains, loses, keeps, waits, hours, found.seen, has_changed)


def _listed(concerns: Iterable[tuple[str, AccountRef, str]]) -> Listed:
    """`concerns`: a person's name, her account, a place's name."""
    places: defaultdict[tuple[str, AccountRef], list[str]] = defaultdict(list)
    for name, account, place in concerns:
        places[name, account].append(place)
    ordered = sorted(places, key=lambda person: (alphabetic(person[0]), person[1]))
    named = [
        Named(account, name, tuple(sorted(places[name, account], key=alphabetic)))
        for name, account in ordered[:SHOWN]
    ]
    return Listed(named, len(ordered) - len(named))
