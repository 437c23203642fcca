"""Where the page of a tap leads on to: only where whoever looks at it may go. Pure."""

from collections.abc import Sequence, Set

from msgspec import Struct

from console.explain.tap import TapExplained
from console.rights.missing import Missing
from console.web.routing import Who
from console.words import Text


class NextStep(Struct, frozen=True):
    """A page, and what is to be done there."""

    path: str
    words: Text


def next_steps(told: TapExplained, roles: Set[Who], *, account_id: int) -> Sequence[NextStep]:
    """The most helpful first. `account_id`: who looks."""
    row, today = told.row, told.today
    if row.account_id is None:
        is_admin = Who.ADMIN in roles
        return [NextStep("/cards/unknown", Text("Assign the card"))] if is_admin else []
    is_hers = row.account_id == account_id
    person = f"/members/{row.account_id}"
    steps: list[NextStep] = []
    missing = () if today is None else today.access.missing
    if today is not None and Missing.CIRCLE in missing:
        steps += [
            NextStep(f"/circles/{circle.circle_id}", Text("Circle “{name}”", name=circle.name))
            for circle in today.circles
        ]
    if Missing.PAYMENT in missing and is_hers:
        steps.append(NextStep("/me/membership", Text("Membership")))
    elif Missing.PAYMENT in missing and Who.TREASURER in roles:
        steps.append(NextStep(person, Text("Payments of {name}", name=row.name or "")))
    if is_hers:
        steps.append(NextStep("/me/access", Text("My access")))
    elif Who.FRONT_DESK in roles:
        words = Text("All that {name} can open and use", name=row.name or "")
        steps.append(NextStep(f"{person}/access", words))
    if Who.ADMIN in roles and row.point is not None and not row.is_tool and row.place:
        steps.append(NextStep(f"/doors/{row.point}", Text("Open {place} once", place=row.place)))
    return steps
