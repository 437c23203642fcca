"""Who may open what, for pages and remote openings: by the rule that the controllers use.

Decides nothing of its own: the person's right is derived as for a card of hers, and weighed by
`sync.rights.decide`. What a no is called on a page, and what would change it, is for the pages.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from console.database import Connection
from console.rights import queries
from console.rights.derive import Window, point, right_of, window_of
from console.rights.facts import Door, Person
from sync.ids import AccountRef, PointKey
from sync.rights import Assurance, Decision, Moment, Reason, decide

EVERY_PAYMENT_MS = 0
"""Also those that are over: they tell a membership that has ended from none at all."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The decision, and what it rests on. `window` None: has never paid."""

    decision: Decision
    is_employed: bool
    is_in_circle: bool
    window: Window | None


@dataclass(frozen=True, slots=True)
class Opener:
    """Somebody who may open a door now, and why."""

    account: AccountRef
    answer: Answer


NOBODY = Answer(Decision(Reason.NO_RIGHT), is_employed=False, is_in_circle=False, window=None)


def weigh(person: Person, door: Door, now_ms: int) -> Answer:
    """Whether the person may open the door now."""
    right = right_of(person, (door,), now_ms)
    moment = Moment(now_ms, is_trusted=True)
    return Answer(
        # As a card without a second factor: a password alone proves no more.
        decision=decide(point(door), right, Assurance.UID, moment),
        is_employed=person.is_employed,
        is_in_circle=bool(person.circles & door.circles),
        window=window_of(person, now_ms),
    )


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


async def who_may_open(conn: Connection, *, door_key: PointKey, now_ms: int) -> Sequence[Opener]:
    """Everybody who may open the door now, with a card or from here."""
    doors = await queries.doors(conn, key=door_key)
    people = await queries.people(conn, account=None, ended_after_ms=now_ms)
    answers = ((p.account, weigh(p, door, now_ms)) for door in doors for p in people)
    return [Opener(account, answer) for account, answer in answers if answer.decision.is_allowed]


async def _person(conn: Connection, account_id: int) -> Person | None:
    people = await queries.people(
        conn, account=AccountRef(account_id), ended_after_ms=EVERY_PAYMENT_MS
    )
    return people[0] if people else None
