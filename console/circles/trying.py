"""Adding somebody to a circle, or removing her, in two steps: what it does is shown before."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from console.accounts.queries import Person
from console.audit.undoing import Undo
from console.circles import membership
from console.circles.circle import Circle, NoSuchCircle, Refused
from console.circles.queries import circle
from console.circles.wording import Mistake, mistake, role_words
from console.database import Connection
from console.rights.dry_run import Preview, SaveForm, dry_run, take_turn
from console.settings import RoleSettings
from console.web.roles import roles_of
from console.words import Text
from sync.ids import AccountRef


class Wanted(Struct, frozen=True):
    """Who is to be added to a circle or removed, by whom. `roles`: which circles give some."""

    circle_id: int
    person: Person
    comment: str
    actor_id: int
    roles: RoleSettings


class Tried(Struct, frozen=True):
    """What a change would do, for the question whether to save it."""

    told: Preview
    circle: Circle
    is_removal: bool


Change = Callable[[Connection], Awaitable[Refused | NoSuchCircle | None]]
Outcome = Refused | NoSuchCircle | Tried | None
"""None: it is done."""


class Typed(Struct, frozen=True):
    """What stood in a form that isn't saved: why it was refused, or what it would do.

    `undo`: how to take back what was just done.
    """

    username: str = ""
    circle: str = ""
    comment: str = ""
    mistake: Mistake | None = None
    asked: SaveForm | None = None
    undo: Undo | None = None

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to say or to ask."""
        return self.mistake is None and self.asked is None

    def after(
        self, outcome: Outcome, wanted: Wanted, action: str, posted: Mapping[str, str], back: str
    ) -> "Typed":
        """The form after it was tried; empty when it is done. `back`: the page it stands on."""
        match outcome:
            case None:
                return Typed()
            case Tried(told, circle_, is_removal):
                name, title = wanted.person.shown_name, circle_.name
                if is_removal:
                    question = Text("Remove {name} from “{circle}”?", name=name, circle=title)
                    save = Text("Remove {name}", name=name)
                else:
                    question = Text("Add {name} to “{circle}”?", name=name, circle=title)
                    save = Text("Add {name}", name=name)
                also = role_words(roles_of({title}, wanted.roles))
                asked = SaveForm(told, question, action, posted, back, save, is_removal, also)
                return Typed(asked=asked)
            case refusal:
                return replace(self, mistake=mistake(refusal))


async def add(conn: Connection, wanted: Wanted, *, seen: str) -> Outcome:
    """Adds her, if just this effect was seen, or it has none."""
    change = partial(
        membership.add,
        circle_id=wanted.circle_id,
        account_id=wanted.person.account_id,
        comment=wanted.comment,
        actor_id=wanted.actor_id,
    )
    return await _try(conn, change, wanted, seen=seen, is_removal=False)


async def remove(conn: Connection, wanted: Wanted, *, seen: str) -> Outcome:
    """Removes her, if just this effect was seen."""
    change = partial(
        membership.remove,
        circle_id=wanted.circle_id,
        account_id=wanted.person.account_id,
        actor_id=wanted.actor_id,
    )
    return await _try(conn, change, wanted, seen=seen, is_removal=True)


async def put_back(conn: Connection, wanted: Wanted) -> Mistake | None:
    """Undoes her removal, with nothing shown before: it was when she was removed. None: done.

    Raises: BadRequest: she was not just removed.
    """
    await take_turn(conn)
    outcome = await membership.put_back(
        conn,
        circle_id=wanted.circle_id,
        account_id=wanted.person.account_id,
        actor_id=wanted.actor_id,
    )
    return mistake(outcome)


async def _try(
    conn: Connection, change: Change, wanted: Wanted, *, seen: str, is_removal: bool
) -> Outcome:
    row = await circle(conn, circle_id=wanted.circle_id)
    if row is None:
        return NoSuchCircle()
    outcome = await dry_run(
        conn,
        change,
        seen=seen,
        account=AccountRef(wanted.person.account_id),
        always=is_removal or bool(role_words(roles_of({row.name}, wanted.roles))),
    )
    return Tried(outcome, row.circle(), is_removal) if isinstance(outcome, Preview) else outcome
