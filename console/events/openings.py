"""Door openings as the web app writes them: one event row each, and a badge for the first ever.

Decides who gets the badge. Which events are openings, and whose, is for `ingest.py`.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from msgspec import Struct

from console.accounts.queries import system_account
from console.badges import awarding
from console.badges.badge import Given
from console.badges.queries import delete_award
from console.database import Connection
from console.events import opening_queries as queries
from sync.ids import ControllerId

FIRST_OPENING = "first-door-opening"
"""Title of the badge."""


class Opening(Struct, frozen=True):
    """Somebody opened a door. `seq`: of the event that says so."""

    seq: int
    account: int
    door: str
    at: datetime


async def write_openings(
    conn: Connection, openings: Sequence[Opening], *, known_visitors: Collection[int]
) -> dict[int, int]:
    """Writes the event rows, and awards the badge; gives the event row's id for each seq.

    `known_visitors`: people of whom it is known that they have opened a door before.
    """
    newcomers = {opening.account for opening in openings}.difference(known_visitors)
    if newcomers and (first := await _first_time(conn, newcomers)):
        await _award(conn, [opening for opening in openings if opening.account in first])
    return {
        opening.seq: await queries.add_opening(
            conn, account=opening.account, door=opening.door, at=opening.at
        )
        for opening in openings
    }


async def take_back_openings(
    conn: Connection, controller: ControllerId, *, taps: Sequence[str], commands: Sequence[str]
) -> set[int]:
    """Deletes what was written of openings that moved no relay after all; gives whose they were.

    The badge goes, too, unless there was another opening: the next one is the first.
    """
    withdrawn = await queries.delete_withdrawn(
        conn, controller=controller, taps=taps, commands=commands
    )
    people = {opening.account for opening in withdrawn}
    others = await queries.with_opening(conn, accounts=people) if people else set[int]()
    for opening in withdrawn:
        if opening.account not in others:
            await delete_award(
                conn,
                title=FIRST_OPENING,
                account=opening.account,
                by=await system_account(conn),
                at=opening.at,
            )
    return people


async def _first_time(conn: Connection, newcomers: set[int]) -> set[int]:
    """Those who have never opened a door; nobody else finds the same until the commit.

    What counts is events, whoever has which badge. Source: the contract of the old API, §7.
    """
    newcomers = newcomers - await queries.with_opening(conn, accounts=newcomers)
    if not newcomers:
        return newcomers
    await queries.lock_first_openings(conn)
    # Looked at again, now that nobody else can be in between.
    return newcomers - await queries.with_opening(conn, accounts=newcomers)


async def _award(conn: Connection, openings: Sequence[Opening]) -> None:
    awarded_by = await system_account(conn)
    awarded: set[int] = set()
    for opening in openings:
        if opening.account in awarded:
            continue
        awarded.add(opening.account)
        given = Given(to=opening.account, by=awarded_by, author=opening.account, at=opening.at)
        await awarding.give(conn, title=FIRST_OPENING, given=given)
