"""What pages say about why somebody can use a door or a tool, or can't, and what helps. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from console.access.at_place import AtPlace
from console.access.queries import CircleRow
from console.rights.missing import Missing
from console.rights.verdict import Ground, Verdict
from console.web import times
from console.words import Text, all_of, any_of, quoted

_EPOCH = datetime.fromtimestamp(0, UTC)
FOREVER = datetime(3000, 1, 1, tzinfo=UTC)
"""A membership that ends later than this is said to have no end."""


class Lack(Struct, frozen=True):
    """Something that is missing, and what would change it."""

    what: Text
    remedy: str

    @property
    def sentences(self) -> Text:
        """Both, one after the other."""
        return Text("{what}. {remedy}", what=self.what, remedy=self.remedy)


class Reasons(Struct, frozen=True):
    """One person at one place, in words. `why` is empty where the answer is no."""

    at: AtPlace
    why: str
    lacks: Sequence[Lack]

    @property
    def is_yes(self) -> bool:
        """Whether she can now."""
        return not self.lacks


def reasons(at: AtPlace, now: datetime, *, tells_standing: bool = True) -> Reasons:
    """Why, or what is missing. `tells_standing`: whoever reads it sees whether she is a member."""
    missing = at.access.missing
    if not tells_standing and Missing.CIRCLE in missing:
        missing = (Missing.CIRCLE,)
    lacks = [_lack(one, at, now, tells_standing=tells_standing) for one in missing]
    lacks = [Lack(lack.what.capital(), lack.remedy) for lack in lacks]
    told = "" if lacks else _why(at, now, tells_standing=tells_standing).capital()
    return Reasons(at, told, lacks)


def _why(at: AtPlace, now: datetime, *, tells_standing: bool) -> Text:
    if at.access.verdict.ground is Ground.EMPLOYED:
        return Text("works for an active company")
    circles = _or(at.through)
    until = end_of(at.access.verdict) if tells_standing else None
    if until is None:
        return Text("in circle {circles}", circles=circles)
    return Text(
        "in circle {circles}, works until {day}",
        circles=circles,
        day=times.within_sentence(until, now),
    )


def end_of(verdict: Verdict) -> datetime | None:
    """When the membership ends or ended, slack included; None: never, or there is none."""
    return moment(verdict.window.not_after_ms if verdict.window else None)


def moment(ms: int | None) -> datetime | None:
    """A moment of the wire; None for none, and for one that never comes."""
    if ms is None:
        return None
    found = _EPOCH + timedelta(milliseconds=ms)
    return None if found >= FOREVER else found


def ask(circles: Sequence[CircleRow]) -> str:
    """Whom to ask to be added to one of these."""
    return Text.joined([_ask(circle) for circle in circles])


def _lack(missing: Missing, at: AtPlace, now: datetime, *, tells_standing: bool) -> Lack:
    window = at.access.verdict.window
    match missing:
        case Missing.PAYMENT | Missing.TIME if not tells_standing:
            return Lack(
                Text("in circle {circles}, but can’t use it now", circles=_or(at.through)),
                Text("The front desk sees what is missing."),
            )
        case Missing.PAYMENT:
            ended = end_of(at.access.verdict)
            what = (
                Text("no membership")
                if ended is None
                else Text(
                    "the membership ended {when}, the day of slack included",
                    when=times.within_sentence(ended, now),
                )
            )
            return Lack(what, Text("A payment: it works within a second."))
        case Missing.TIME:
            begins = moment(window.not_before_ms if window else None) or now
            return Lack(
                Text("the membership begins {when}", when=times.within_sentence(begins, now)),
                Text("It works by itself then."),
            )
        case Missing.BETTER_CARD:
            what = (
                Text("it takes only cards that are hard to copy, and doesn’t open from here")
                if at.place.tool_id is None
                else Text("it takes only cards that are hard to copy")
            )
            return Lack(what, Text("Use a card that proves itself."))
        case Missing.CIRCLE:
            return _no_circle(at)


def _no_circle(at: AtPlace) -> Lack:
    is_door = at.place.tool_id is None
    if not at.circles and is_door:
        return Lack(
            Text("it has no circle: only employees of active companies can open it"),
            Text("An admin gives it a circle."),
        )
    if not at.circles:
        return Lack(
            Text("it has no circle, so nobody can use it"), Text("An admin gives it a circle.")
        )
    return Lack(Text("not in circle {circles}", circles=_or(at.circles)), ask(at.circles))


def _ask(circle: CircleRow) -> str:
    people = all_of([*circle.people, *([_more(circle)] if circle.people_more else [])])
    if not circle.people:
        return Text("Nobody can add you to “{circle}” yet.", circle=circle.name)
    if circle.badges:
        return Text(
            "For “{circle}” ask {people}: they award {badges}.",
            circle=circle.name,
            people=people,
            badges=all_of(quoted(badge) for badge in circle.badges),
        )
    return Text("For “{circle}” ask {people}.", circle=circle.name, people=people)


def _more(circle: CircleRow) -> str:
    return Text("{n} more", n=circle.people_more)


def _or(circles: Sequence[CircleRow]) -> str:
    return any_of(quoted(circle.name) for circle in circles)
