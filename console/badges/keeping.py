"""Makes and changes badges from their form, in the caller's transaction.

Who may is in `badge.py`. A title is for one badge: who awards by title would else mean another one.
"""

from msgspec import Struct

from console.badges import keeping_queries, queries
from console.badges.badge import (
    CATEGORY_CHARACTERS_MAX,
    DESCRIPTION_CHARACTERS_MAX,
    PAGE_TITLE_CHARACTERS_MAX,
    may_entrust,
)
from console.badges.page_queries import BadgeRow
from console.circles.queries import circle as circle_row
from console.circles.queries import circle_ids_of
from console.database import Connection
from console.web.mistakes import Mistakes
from console.web.one_line import line_mistake
from console.words import Text, any_of, quoted


class Typed(Struct, frozen=True):
    """What stands in the form. `circle_id` None: anybody may award it; 0: no such circle."""

    title: str = ""
    description: str = ""
    category: str = ""
    circle_id: int | None = None


class Actor(Struct, frozen=True):
    """Who makes or changes a badge. `admin_circle`: the one that makes an admin."""

    account_id: int
    is_admin: bool
    admin_circle: str


def typed_of(row: BadgeRow) -> Typed:
    """The form with the badge as it is."""
    return Typed(row.title, row.description, row.category, row.circle_id)


async def make(conn: Connection, typed: Typed, *, actor: Actor) -> int | Mistakes:
    """A new badge; its id."""
    await queries.lock_titles(conn)
    mistakes = await _mistakes(conn, typed, None, actor)
    if mistakes:
        return mistakes
    badge_id = await keeping_queries.insert_badge(
        conn,
        title=typed.title,
        description=typed.description,
        circle_id=typed.circle_id,
        actor_id=actor.account_id,
    )
    await keeping_queries.set_category(conn, badge_id=badge_id, category=typed.category)
    return badge_id


async def change(conn: Connection, typed: Typed, *, row: BadgeRow, actor: Actor) -> Mistakes:
    """Changes the badge that `row` shows, which is locked. Empty: done."""
    await queries.lock_titles(conn)
    mistakes = await _mistakes(conn, typed, row, actor)
    if mistakes:
        return mistakes
    await keeping_queries.update_badge(
        conn,
        badge_id=row.id,
        title=typed.title,
        description=typed.description,
        circle_id=typed.circle_id,
        actor_id=actor.account_id,
    )
    await keeping_queries.set_category(conn, badge_id=row.id, category=typed.category)
    return {}


async def _mistakes(conn: Connection, typed: Typed, row: BadgeRow | None, actor: Actor) -> Mistakes:
    found = {
        "title": await _title_mistake(conn, typed.title, row),
        "description": _description_mistake(typed.description, row),
        "category": line_mistake(
            typed.category, characters_max=CATEGORY_CHARACTERS_MAX, is_needed=False
        ),
        "circle": await _circle_mistake(conn, typed.circle_id, row, actor),
    }
    return {field: words for field, words in found.items() if words is not None}


async def _title_mistake(conn: Connection, title: str, row: BadgeRow | None) -> Text | None:
    if row is not None and title == row.title:
        return None  # also one that the old web app let be longer
    wrong = line_mistake(title, characters_max=PAGE_TITLE_CHARACTERS_MAX)
    if wrong is not None:
        return wrong
    if await keeping_queries.is_title_taken(
        conn, title=title, by_other_than=None if row is None else row.id
    ):
        return Text("There is a badge with this title already.")
    return None


def _description_mistake(description: str, row: BadgeRow | None) -> Text | None:
    if row is not None and description == row.description:
        return None
    if len(description) > DESCRIPTION_CHARACTERS_MAX:
        return Text("At most {n} characters.", n=DESCRIPTION_CHARACTERS_MAX)
    if not all(line.isprintable() for line in description.split("\n")):
        return Text("Only characters that can be seen.")
    return None


async def _circle_mistake(
    conn: Connection, circle_id: int | None, row: BadgeRow | None, actor: Actor
) -> Text | None:
    now = None if row is None else row.circle_id
    if circle_id == now:
        return None
    chosen = None if circle_id is None else await circle_row(conn, circle_id=circle_id)
    if circle_id is not None and chosen is None:
        return Text("Choose a circle.")
    circles = await circle_ids_of(conn, account_id=actor.account_id)
    if may_entrust(circle_id, now=now, actor_circles=circles, is_admin=actor.is_admin):
        return None
    if chosen is None:
        return Text(
            "Only members of the circle {circles} may let everybody award it.",
            circles=quoted(actor.admin_circle),
        )
    return Text(
        "Only members of the circle {circles} may let that circle award it.",
        circles=any_of(quoted(name) for name in dict.fromkeys((chosen.name, actor.admin_circle))),
    )
