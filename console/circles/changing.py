"""Making a circle and changing it, from its form, in the caller's transaction.

Decides who may change what of it: whoever manages a circle says what it is for and whether it asks
for comments. Its name and who manages it are for admins, as making one is: a name may give rights,
and who manages a circle decides who gets its doors. Source of what a circle needs: the contract of
the old API, §6.
"""

from msgspec import Struct
from msgspec.structs import replace
from psycopg.errors import UniqueViolation

from console.accounts.finding import one_called
from console.circles import keeping, keeping_queries, queries
from console.circles.circle import (
    COMMENT_CHARACTERS_MAX,
    DESCRIPTION_CHARACTERS_MAX,
    NAME_CHARACTERS_MAX,
    Circle,
    ManagementStyle,
)
from console.circles.draft import Draft, Flaw
from console.circles.wording import known_by_name
from console.database import Connection
from console.rights.dry_run import Preview, dry_run
from console.web.mistakes import Mistakes
from console.web.one_line import line_mistake
from console.web.versions import CHANGED_MEANWHILE, version_of
from console.words import Text, quoted


class Typed(Struct, frozen=True):
    """What stands in the form. `style` None: unknown. The last two are of a new one."""

    name: str = ""
    description: str = ""
    style: ManagementStyle | None = ManagementStyle.ADMIN_CIRCLE
    admin_circle: str = ""
    needs_comment: bool = False
    first_member: str = ""
    comment: str = ""


class Change(Struct, frozen=True):
    """Who wants to change a circle; which one she saw, and of which effect.

    `fixed_names`: of circles that are known by their names.
    """

    actor_id: int
    is_admin: bool
    fixed_names: frozenset[str]
    version: str
    seen: str


def typed_of(circle: Circle) -> Typed:
    """The form with the circle as it is."""
    return Typed(
        name=circle.name,
        description=circle.description or "",
        style=circle.style,
        admin_circle=circle.admin_circle_name or "",
        needs_comment=circle.needs_comment,
    )


def version(circle: Circle) -> str:
    """Of what a form shows."""
    return version_of(
        circle.name,
        circle.description or "",
        circle.style,
        circle.admin_circle_id,
        circle.needs_comment,
    )


async def make(conn: Connection, typed: Typed, *, actor_id: int) -> int | Mistakes:
    """A new circle; its id. Whether the actor may make one is for the route."""
    mistakes = _line_mistakes(typed)
    first_member: str | None = None
    if typed.style is ManagementStyle.SELF_ADMIN:
        found = await one_called(conn, typed.first_member)
        if isinstance(found, Text):
            mistakes["first_member"] = found
        else:
            first_member = found.username
    if typed.style is None or mistakes:
        return mistakes
    draft = replace(_draft(typed, typed.style), first_member=first_member, comment=typed.comment)
    made = await keeping.create(conn, draft, actor_id=actor_id)
    if made is Flaw.NAME_TAKEN:
        return await _made_before(conn, typed, draft, actor_id=actor_id) or _flawed(made)
    return _flawed(made) if isinstance(made, Flaw) else made


async def _made_before(
    conn: Connection, typed: Typed, draft: Draft, *, actor_id: int
) -> int | None:
    """The circle, if the form was sent twice: the actor has made just this one a moment ago."""
    circle_id = await keeping_queries.made_just_now(
        conn, name=typed.name, first_member=draft.first_member, actor_id=actor_id
    )
    row = None if circle_id is None else await queries.circle(conn, circle_id=circle_id)
    same = None if row is None else typed_of(row.circle())
    wanted = replace(typed, first_member="", comment="", admin_circle=draft.admin_circle or "")
    return circle_id if same == wanted else None


async def change(
    conn: Connection, typed: Typed, change: Change, *, circle: Circle, members: int
) -> Mistakes | Preview:
    """Changes the circle, which is locked, if its effect was seen. No mistakes: it is done."""
    known = typed_of(circle)
    if not change.is_admin:
        typed = replace(typed, name=known.name, style=known.style, admin_circle=known.admin_circle)
    if typed.style is ManagementStyle.SELF_ADMIN:
        typed = replace(typed, admin_circle="")
        known = replace(known, admin_circle="")
    if typed == known:
        return {}
    if change.version != version(circle):
        return {"form": CHANGED_MEANWHILE}
    mistakes = _line_mistakes(typed)
    if typed.name != circle.name:
        mistakes |= _renaming_mistakes(circle.name, typed.name, change.fixed_names)
    if not members and (
        typed.style is ManagementStyle.SELF_ADMIN or typed.admin_circle == circle.name
    ):
        mistakes["style"] = Text("Nobody is in it who could manage it. Add somebody first.")
    if typed.style is None or mistakes:
        return mistakes
    draft = _draft(typed, typed.style)
    outcome = await dry_run(
        conn,
        lambda conn: _update(conn, draft, circle.circle_id, change.actor_id),
        seen=change.seen,
        always=becomes_managed(circle, typed) is not None,
    )
    match outcome:
        case None:
            return {}
        case Flaw():
            return _flawed(outcome)
        case Preview():
            return outcome


def becomes_managed(circle: Circle, typed: Typed) -> Text | None:
    """Who will say who is in it and who isn't, if others do than before."""
    if typed.style is circle.style and typed.admin_circle == (circle.admin_circle_name or ""):
        return None
    if typed.style is ManagementStyle.SELF_ADMIN:
        return Text("Whoever is in it may add and remove others, and change the circle.")
    return Text(
        "Members of the circle “{circle}” say who is in it from then on.",
        circle=typed.admin_circle,
    )


async def _update(conn: Connection, draft: Draft, circle_id: int, actor_id: int) -> Flaw | None:
    admin_circle_id: int | None = None
    if draft.style is ManagementStyle.ADMIN_CIRCLE:
        if draft.admin_circle is None:
            return Flaw.ADMIN_CIRCLE_MISSING
        admin_circle_id = await keeping_queries.held_circle_id(conn, name=draft.admin_circle)
        if admin_circle_id is None:
            return Flaw.ADMIN_CIRCLE_UNKNOWN
    try:
        async with conn.transaction():
            await keeping_queries.update_circle(
                conn,
                circle_id=circle_id,
                draft=draft,
                admin_circle_id=admin_circle_id,
                actor_id=actor_id,
            )
    except UniqueViolation:
        return Flaw.NAME_TAKEN
    return None


async def circle_locked(conn: Connection, *, circle_id: int) -> queries.CircleRow | None:
    """The circle, which nobody else changes until the transaction ends."""
    await queries.lock_circle(conn, circle_id=circle_id)
    return await queries.circle(conn, circle_id=circle_id)


def _draft(typed: Typed, style: ManagementStyle) -> Draft:
    is_managed = style is ManagementStyle.ADMIN_CIRCLE
    return Draft(
        name=typed.name,
        description=typed.description,
        style=style,
        needs_comment=typed.needs_comment,
        admin_circle=(typed.admin_circle or None) if is_managed else None,
    )


def _line_mistakes(typed: Typed) -> dict[str, Text]:
    found = {
        "name": line_mistake(typed.name, characters_max=NAME_CHARACTERS_MAX),
        "description": line_mistake(
            typed.description, characters_max=DESCRIPTION_CHARACTERS_MAX, is_needed=False
        ),
        "comment": line_mistake(
            typed.comment, characters_max=COMMENT_CHARACTERS_MAX, is_needed=False
        ),
        "style": Text("Choose who manages it.") if typed.style is None else None,
    }
    return {field: words for field, words in found.items() if words is not None}


def _renaming_mistakes(old: str, new: str, fixed_names: frozenset[str]) -> Mistakes:
    if old in fixed_names:
        return {"name": known_by_name(old)}
    if new in fixed_names:
        return {
            "name": Text(
                "The name {name} would give rights to all who are in it. Make a new circle.",
                name=quoted(new),
            )
        }
    return {}


def _flawed(flaw: Flaw) -> Mistakes:
    match flaw:
        case Flaw.ADMIN_CIRCLE_MISSING | Flaw.ADMIN_CIRCLE_UNKNOWN:
            return {"admin_circle": Text("Choose the circle that manages it.")}
        case Flaw.FIRST_MEMBER_MISSING | Flaw.FIRST_MEMBER_UNKNOWN:
            return {"first_member": Text("Somebody has to be in it who manages it.")}
        case Flaw.COMMENT_MISSING:
            return {"comment": Text("This circle asks for a comment: why is she in it?")}
        case Flaw.NAME_TAKEN:
            return {"name": Text("There is a circle with this name already.")}
