"""Takes badges back: asks the rule, writes, in the caller's transaction; and who is offered that.

Somebody who was given a badge several times has it no more afterwards: all of them go.
"""

from collections.abc import Collection, Sequence

from msgspec import Struct

from console.accounts.queries import Person
from console.audit.undoing import Done, just_removed
from console.badges import page_queries, queries, taking_back_queries
from console.badges.badge import Given, Kind, may_take_back
from console.badges.page_queries import BadgeRow, HeldRow
from console.circles.queries import circle_ids_of
from console.database import Connection
from console.words import Text, any_of, quoted


class Actor(Struct, frozen=True):
    """Who takes a badge back."""

    account_id: int
    is_admin: bool


class Held(Struct, frozen=True):
    """Badges of a person, those of them that the visitor may take back, and what she just took."""

    person: Person
    badges: Sequence[HeldRow]
    takeable: frozenset[int]
    is_me: bool
    done: Done | None = None


async def take_back(
    conn: Connection, badge: BadgeRow, *, account_id: int, actor: Actor, admin_circle: str
) -> Text | None:
    """Takes the badge, which is locked, from somebody who may have it. A text: who may do that."""
    givers = await taking_back_queries.givers(conn, badge_id=badge.id, account_id=account_id)
    may = may_take_back(
        badge.kind,
        is_giver=givers <= {actor.account_id},
        actor_circles=await circle_ids_of(conn, account_id=actor.account_id),
        is_admin=actor.is_admin,
    )
    if not may:
        return _who_may(badge, admin_circle)
    await queries.delete_awards(conn, badge_id=badge.id, account=account_id)
    return None


async def put_back(
    conn: Connection, badge: BadgeRow, *, account_id: int, actor: Actor, admin_circle: str
) -> Text | None:
    """Makes it as if the actor had not just taken the badge, which is locked. A text: see above.

    Raises: BadRequest: she has not.
    """
    if await taking_back_queries.givers(conn, badge_id=badge.id, account_id=account_id):
        return None  # as when it is sent twice
    every = await just_removed(
        conn,
        actor_id=actor.account_id,
        place="public.account_badge",
        account_id=account_id,
        column="badge_description",
        of=badge.id,
    )
    may = may_take_back(
        badge.kind,
        is_giver={was.awarded_by for was in every} <= {actor.account_id},
        actor_circles=await circle_ids_of(conn, account_id=actor.account_id),
        is_admin=actor.is_admin,
    )
    if not may:
        return _who_may(badge, admin_circle)
    for was in every:
        given = Given(to=account_id, by=was.awarded_by, author=was.made_by, at=was.made_at)
        await queries.insert_award(conn, kind=badge.kind, given=given)
    return None


async def held_of(
    conn: Connection, person: Person, *, actor: Actor, limit: int, done: Done | None = None
) -> Held:
    """The badges of a person for this visitor, newest first."""
    badges = await page_queries.held_by(conn, account_id=person.account_id, limit=limit)
    pairs = {(row.badge_id, person.account_id): Kind(row.badge_id, row.circle_id) for row in badges}
    takeable = await _takeable(conn, pairs.keys(), pairs.values(), actor)
    is_me = person.account_id == actor.account_id
    return Held(person, badges, frozenset(badge for badge, _ in takeable), is_me, done)


async def takeable_from(
    conn: Connection, badge: BadgeRow, *, actor: Actor, accounts: Collection[int]
) -> frozenset[int]:
    """Those of these people from whom the visitor may take the badge back."""
    pairs = [(badge.id, account) for account in accounts]
    takeable = await _takeable(conn, pairs, [badge.kind for _ in pairs], actor)
    return frozenset(account for _, account in takeable)


async def _takeable(
    conn: Connection, pairs: Collection[tuple[int, int]], kinds: Collection[Kind], actor: Actor
) -> list[tuple[int, int]]:
    """Those pairs of a badge and who has it, whose kinds these are, that may be parted."""
    circles = await circle_ids_of(conn, account_id=actor.account_id)
    given = await taking_back_queries.given_only_by(
        conn,
        giver_id=actor.account_id,
        badges={badge for badge, _ in pairs},
        accounts={account for _, account in pairs},
    )
    return [
        pair
        for pair, kind in zip(pairs, kinds, strict=True)
        if may_take_back(
            kind, is_giver=pair in given, actor_circles=circles, is_admin=actor.is_admin
        )
    ]


def _who_may(badge: BadgeRow, admin_circle: str) -> Text:
    if badge.circle_id is None:
        return Text(
            "This badge is taken back by whoever gave it, or by members of the circle {circle}.",
            circle=quoted(admin_circle),
        )
    names = dict.fromkeys((badge.circle_name or "", admin_circle))
    return Text(
        "This badge is taken back by members of the circle {circles}.",
        circles=any_of(quoted(name) for name in names),
    )
