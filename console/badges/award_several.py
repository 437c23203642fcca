"""Awards a badge to several people at once: all of them or nobody, in the caller's transaction."""

from collections.abc import Sequence

from msgspec import Struct

from console.accounts.queries import Person
from console.badges import keeping_queries, queries
from console.badges.badge import AWARDED_MAX, Given, may_award
from console.badges.page_queries import BadgeRow
from console.circles.queries import circle_ids_of
from console.database import Connection
from console.words import Text, quoted

AGAIN_SECONDS = 60
"""Whoever awards the same to the same people so soon has sent the form twice."""
UNKNOWN_SHOWN = 10


class Wanted(Struct, frozen=True):
    """To whom a badge is to go: people who were ticked, and user names, as typed."""

    ticked: frozenset[int]
    usernames: Sequence[str]


class Refused(Struct, frozen=True):
    """Nobody got it. `field`: the one of the form that it is about."""

    words: Text
    field: str


async def award_all(
    conn: Connection, badge: BadgeRow, wanted: Wanted, *, awarder_id: int
) -> Refused | Sequence[Person]:
    """Gives the badge, which is locked; who has it now."""
    circles = await circle_ids_of(conn, account_id=awarder_id)
    if not may_award(badge.kind, circles):
        return Refused(not_a_certifier(badge), "usernames")
    people = await _people(conn, wanted)
    if isinstance(people, Refused):
        return people
    has_it = await keeping_queries.who_has_it(
        conn,
        badge_id=badge.id,
        ids=[person.account_id for person in people],
        awarder_id=awarder_id,
        seconds=AGAIN_SECONDS,
    )
    if has_it:
        if len(has_it) == len(people) and all(row.is_just_given for row in has_it):
            return people
        had = {row.account_id for row in has_it}
        names = [person.username for person in people if person.account_id in had]
        field = "usernames" if wanted.usernames else "people"
        return Refused(
            Text.plural(
                "{names} has this badge already. Nobody was given it: leave her out.",
                "{names} have this badge already. Nobody was given it: leave them out.",
                len(names),
                names=_listed(names),
            ),
            field,
        )
    for person in people:
        given = Given(to=person.account_id, by=awarder_id, author=awarder_id)
        await queries.insert_award(conn, kind=badge.kind, given=given)
    return people


def not_a_certifier(badge: BadgeRow) -> Text:
    """Why somebody may not award it: who may."""
    return Text(
        "This badge is awarded by members of the circle {circle}.",
        circle=quoted(badge.circle_name or ""),
    )


async def _people(conn: Connection, wanted: Wanted) -> Refused | Sequence[Person]:
    """Who is meant, each once."""
    if len(wanted.ticked) + len(wanted.usernames) > AWARDED_MAX:
        return Refused(Text("At most {n} people at once.", n=AWARDED_MAX), "usernames")
    named = await keeping_queries.people_named(conn, usernames=wanted.usernames)
    known = {row.typed for row in named}
    unknown = [typed[:50] for typed in wanted.usernames if typed not in known]
    if unknown:
        words = Text(
            "Nobody has the user name {names}. Nobody was given it.", names=_listed(unknown)
        )
        return Refused(words, "usernames")
    ticked = await keeping_queries.people_of(conn, ids=wanted.ticked)
    if len(ticked) < len(wanted.ticked):
        return Refused(Text("Somebody who was ticked has no account any more."), "people")
    people = {person.account_id: person for person in [*ticked, *(row.person for row in named)]}
    if not people:
        return Refused(Text("Tick somebody, or type a user name."), "usernames")
    return list(people.values())


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:UNKNOWN_SHOWN])
    if len(names) > UNKNOWN_SHOWN:
        return Text("{names} and {n} more", names=shown, n=len(names) - UNKNOWN_SHOWN)
    return shown
