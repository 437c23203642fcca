"""Adding somebody to a circle, removing her and putting her back: what it does is shown before."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from console.accounts.queries import Person
from console.audit.undoing import Done
from console.circles import membership
from console.circles.circle import Circle, NoSuchCircle, Refused, may_manage
from console.circles.queries import circle, circle_ids_of
from console.circles.wording import Mistake, mistake, role_words
from console.database import Connection
from console.rights.dry_run import Preview, SaveForm, dry_run
from console.rights.joining import Joining
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
    """What a change would do, for the question whether to save it.

    `is_farewell`: whoever removes herself can't come back by herself.
    """

    told: Preview
    circle: Circle
    kind: Joining
    is_farewell: bool = False


_FAREWELL = Text("You can’t come back by yourself: whoever manages the circle has to add you.")
Refusal = Refused | NoSuchCircle | None
Change = Callable[[Connection], Awaitable[Refusal]]
Outcome = Refusal | Tried
"""None: it is done."""


class Typed(Struct, frozen=True):
    """What stood in a form that isn't saved: why it was refused, or what it would do.

    `done`: what was just done, and how to take it back.
    """

    username: str = ""
    circle: str = ""
    comment: str = ""
    mistake: Mistake | None = None
    asked: SaveForm | None = None
    done: Done | None = None

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to say or to ask."""
        return self.mistake is None and self.asked is None

    def after(
        self,
        outcome: Outcome,
        wanted: Wanted,
        kind: Joining,
        action: str,
        posted: Mapping[str, str],
        back: str,
    ) -> "Typed":
        """The form after it was tried; empty when it is done. `back`: the page it stands on."""
        match outcome:
            case None:
                told = kind.done(wanted.person.shown_name)
                return Typed(done=Done.of(told, action, seen=None))
            case Tried():
                name, group = wanted.person.shown_name, outcome.circle.name
                also = [*role_words(roles_of({group}, wanted.roles))]
                if outcome.is_farewell:
                    also.append(_FAREWELL)
                asked = SaveForm(
                    outcome.told,
                    outcome.kind.question(name, group),
                    action,
                    posted,
                    back,
                    outcome.kind.button(name),
                    is_danger=outcome.kind is Joining.REMOVAL,
                    also=also,
                )
                return Typed(asked=asked)
            case refusal:
                return replace(self, mistake=mistake(refusal))


async def add(conn: Connection, wanted: Wanted, *, seen: str) -> Outcome:
    """Adds her, if just this effect was seen, or it has none."""
    change = _change(membership.add, wanted, comment=wanted.comment)
    return await _try(conn, change, wanted, Joining.ADDITION, seen=seen)


async def remove(conn: Connection, wanted: Wanted, *, seen: str) -> Outcome:
    """Removes her, if just this effect was seen."""
    change = _change(membership.remove, wanted)
    return await _try(conn, change, wanted, Joining.REMOVAL, seen=seen, always=True)


async def put_back(conn: Connection, wanted: Wanted, *, seen: str) -> Outcome:
    """Undoes her removal, if just this effect was seen, or it has none.

    Raises: BadRequest: she was not just removed.
    """
    change = _change(membership.put_back, wanted)
    return await _try(conn, change, wanted, Joining.PUTTING_BACK, seen=seen)


async def putting_back(conn: Connection, wanted: Wanted) -> str | None:
    """What it would do now, as `Preview.seen`; None: it can't be done by the same person."""
    change = _change(membership.put_back, wanted)
    outcome = await _try(conn, change, wanted, Joining.PUTTING_BACK, seen="", always=True)
    return outcome.told.seen if isinstance(outcome, Tried) else None


def _change(how: Callable[..., Awaitable[Refusal]], wanted: Wanted, **more: str) -> Change:
    return partial(
        how,
        circle_id=wanted.circle_id,
        account_id=wanted.person.account_id,
        actor_id=wanted.actor_id,
        **more,
    )


async def _try(
    conn: Connection,
    change: Change,
    wanted: Wanted,
    kind: Joining,
    *,
    seen: str,
    always: bool = False,
) -> Outcome:
    row = await circle(conn, circle_id=wanted.circle_id)
    if row is None:
        return NoSuchCircle()
    gives_role = bool(role_words(roles_of({row.name}, wanted.roles)))
    outcome = await dry_run(
        conn,
        change,
        seen=seen,
        account=AccountRef(wanted.person.account_id),
        always=always or (kind is Joining.ADDITION and gives_role),
    )
    if not isinstance(outcome, Preview):
        return outcome
    return Tried(outcome, row.circle(), kind, await _is_farewell(conn, row.circle(), wanted, kind))


async def _is_farewell(conn: Connection, left: Circle, wanted: Wanted, kind: Joining) -> bool:
    if kind is not Joining.REMOVAL or wanted.actor_id != wanted.person.account_id:
        return False
    mine = await circle_ids_of(conn, account_id=wanted.actor_id)
    return not may_manage(left, mine - {left.circle_id})
