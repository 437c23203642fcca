"""Where pages that explain lead on to: only where whoever looks may go. Pure."""

from collections.abc import Iterable, Sequence, Set

from msgspec import Struct

from console.access.at_place import AtPlace
from console.explain.tap import TapExplained
from console.rights.missing import Missing
from console.web.routing import Who
from console.words import Text

STEPS_MAX = 6
"""More of them would hide the first."""


class NextStep(Struct, frozen=True):
    """A page, and what is to be done there."""

    path: str
    words: Text


class Looked(Struct, frozen=True):
    """Whose access somebody looks at. `roles`: of whoever looks; `is_hers`: it is her own."""

    account_id: int
    name: str
    roles: Set[Who]
    is_hers: bool

    @property
    def page(self) -> str:
        """Of the person."""
        return f"/members/{self.account_id}"


def steps_from_tap(told: TapExplained, roles: Set[Who], *, account_id: int) -> Sequence[NextStep]:
    """What helps whoever held the card, the most helpful first. `account_id`: who looks."""
    row, today = told.row, told.today
    if row.is_anothers_now and Who.FRONT_DESK in roles:
        return [NextStep(f"/members/{row.owner_id}", Text("Page of {name}", name=row.owner or ""))]
    if row.account_id is None:
        is_unknown = row.owned_since is None and Who.ADMIN in roles
        return [NextStep("/cards/unknown", Text("Assign the card"))] if is_unknown else []
    looked = Looked(row.account_id, row.name or "", roles, row.account_id == account_id)
    steps = list(steps_from_access([] if today is None else [today], looked))
    if looked.is_hers:
        steps.append(NextStep("/me/access", Text("My access")))
    elif Who.FRONT_DESK in roles:
        words = Text("All that {name} can open and use", name=looked.name)
        steps.append(NextStep(f"{looked.page}/access", words))
    if Who.ADMIN in roles and row.point and row.place and not (row.is_tool or row.has_opened):
        steps.append(NextStep(f"/doors/{row.point}", Text("Open {place} once", place=row.place)))
    return steps


def steps_from_access(places: Iterable[AtPlace], looked: Looked) -> Sequence[NextStep]:
    """What is missing at these places, each step once: first what helps everywhere."""
    lacking = [(missing, at) for at in places for missing in at.access.missing]
    steps: dict[str, NextStep] = {}
    if any(missing is Missing.PAYMENT for missing, _ in lacking):
        if looked.is_hers:
            steps["payment"] = NextStep("/me/membership", Text("Membership"))
        elif Who.TREASURER in looked.roles:
            words = Text("Payments of {name}", name=looked.name)
            steps["payment"] = NextStep(f"{looked.page}/payments", words)
    for missing, at in lacking:
        for circle in at.circles if missing is Missing.CIRCLE else ():
            path = f"/circles/{circle.circle_id}"
            steps.setdefault(path, NextStep(path, Text("Circle “{name}”", name=circle.name)))
    return list(steps.values())[:STEPS_MAX]
