"""What the page of a tap says: each question and its answer, what decided, and what helps. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from msgspec import Struct

from console.access.wording import end_of, moment
from console.events.wording import Whose, wording
from console.explain.tap import TapExplained
from console.rights.explain import Check, Mark, Step
from console.rights.verdict import Ground
from console.web import times
from console.words import Text, any_of, quoted
from sync.events import EventKind
from sync.rights import Reason


class Line(Struct, frozen=True):
    """A step in words. `icon`: a sign besides the words of the mark."""

    icon: str
    mark: str
    words: str


_MARKS: Mapping[Mark, tuple[str, str]] = MappingProxyType(
    {
        Mark.YES: ("check", Text("yes")),
        Mark.NO: ("cross", Text("no")),
        Mark.NOT_ASKED: ("dash", Text("not asked")),
        Mark.NOT_KEPT: ("dash", Text("not kept")),
    }
)

_NOT_ASKED: Mapping[Check, str] = MappingProxyType(
    {
        Check.READY: Text("Whether the controller works: not asked any more"),
        Check.POINT: Text("The door or tool: not asked any more"),
        Check.CARD: Text("The card: not asked any more"),
        Check.NOT_LOST: Text("Whether the card is lost: not asked any more"),
        Check.MEMBERSHIP: Text("Membership: not asked any more"),
        Check.GROUND: Text("Circle: not asked any more"),
        Check.ASSURANCE: Text("Kind of card: not asked any more"),
        Check.AGE: Text("Age of the rights: not asked any more"),
        Check.FRESH: Text("Rights of today: not asked any more"),
        Check.HOURS: Text("Hours: not asked any more"),
        Check.FREE: Text("Whether the tool is free: not asked any more"),
        Check.DONE: Text("Whether it could be recorded: not asked any more"),
    }
)

_WITHOUT_DATE: Mapping[Mark, str] = MappingProxyType(
    {
        Mark.YES: Text("Membership: it held"),
        Mark.NO: Text("Membership: it did not hold"),
    }
)


def headline(told: TapExplained) -> str:
    """What was answered."""
    row = told.row
    if row.kind == EventKind.ACCESS_WITHDRAWN:
        return Text("Let in, but it did not open")
    if row.kind == EventKind.ACCESS_GRANTED:
        return Text("Opened") if not row.is_tool else Text("Switched on")
    return Text("Refused")


def lines(told: TapExplained, now: datetime, *, tells_standing: bool) -> Sequence[Line]:
    """Every step in words. `tells_standing`: whoever reads it sees until when she is a member."""

    def words(step: Step) -> str:
        if step.check is Check.MEMBERSHIP and not tells_standing and step.mark in _WITHOUT_DATE:
            return _WITHOUT_DATE[step.mark]
        return _words(step, told, now)

    return [Line(*_MARKS[step.mark], words(step)) for step in told.explained.steps]


def finding(told: TapExplained) -> str:
    """Where the controller said something else than its rights; empty: it did not."""
    if told.explained.agrees is not False or told.explained.replayed is None:
        return ""
    said, expected = _why(told, told.row.reason), _why(told, told.explained.replayed)
    return Text(
        "The controller’s answer doesn’t follow from the rights that it says it had. It said: "
        "{said}. By those rights it had to be: {expected}. Somebody should look at it.",
        said=said,
        expected=expected,
    )


def decided(told: TapExplained, now: datetime, *, names_controller: bool) -> Sequence[str]:
    """Who decided, and on which rights."""
    row, rights = told.row, told.rights
    if row.serial is None:
        if told.explained.has_own_reason:
            return [Text("The controller did not ask its rights.")]
        return [Text("The controller did not say on which rights it decided.")]
    if rights is None:
        return [
            Text(
                "Decided by the controller on rights no. {n}. They are not kept any more, so only "
                "what it said itself can be told.",
                n=row.serial,
            )
        ]
    made = times.within_sentence(rights.made_at, now)
    by = (
        Text(
            "Decided by the controller “{name}” itself, on rights no. {n}.",
            name=row.controller,
            n=row.serial,
        )
        if names_controller
        else Text("Decided by the controller itself, on rights no. {n}.", n=row.serial)
    )
    if rights.next_at is None or rights.next_at > row.happened_at:
        return [by, Text("They were made {when}, and were current.", when=made)]
    return [
        by,
        Text(
            "They were made {when}, and were not the newest any more: others were made {later}, "
            "and had not reached it.",
            when=made,
            later=times.within_sentence(rights.next_at, now),
        ),
    ]


def today(told: TapExplained, now: datetime) -> str:
    """What the same rule says now, of whoever has the card by now."""
    row = told.row
    if row.is_anothers_now and row.owned_since is not None:
        when = times.within_sentence(row.owned_since, now)
        whose = Text("It is {name}’s card now, since {when}.", name=row.owner or "", when=when)
        return Text.joined([whose, _rule_today(told)])
    if row.account_id is None and row.owned_since is not None:
        return Text("Somebody has this card now.")
    if row.account_id is None:
        return Text("The same rule today says no: nobody has this card.")
    if row.is_lost:
        return Text("The same rule today says no: this card is marked lost.")
    return _rule_today(told)


def _rule_today(told: TapExplained) -> Text:
    if told.today is None:
        return Text("The door or tool is not there any more.")
    if told.today.access.decision.is_allowed:
        return Text("The same rule today says yes.")
    return Text("The same rule today says no.")


def remedy(told: TapExplained) -> str:
    """What would change the controller's own reasons; empty where the rule's are all there is."""
    step = next((step for step in told.explained.steps if step.mark is Mark.NO), None)
    own = {Check.READY, Check.POINT, Check.AGE, Check.FRESH, Check.HOURS, Check.FREE, Check.DONE}
    if step is None or step.check not in own:
        return ""
    return wording(told.row.reason, Whose.NOBODYS).remedy


def _words(step: Step, told: TapExplained, now: datetime) -> str:
    if step.mark is Mark.NOT_ASKED:
        return _NOT_ASKED[step.check]
    is_yes = step.mark is Mark.YES
    match step.check:
        case Check.POINT if is_yes:
            return Text("{place} is in the controller’s rights", place=_place(told))
        case Check.CARD:
            return _card(told, now, is_yes=is_yes)
        case Check.NOT_LOST:
            return _lost(told, now, is_yes=is_yes)
        case Check.MEMBERSHIP:
            return _membership(step, told, now)
        case Check.GROUND:
            return _ground(step, told)
        case Check.ASSURANCE if is_yes:
            return Text("The card is hard enough to copy")
        case Check.AGE if is_yes:
            return Text("The controller had heard from here not too long ago")
        case Check.FRESH if is_yes:
            return Text("Its rights were of today")
        case Check.HOURS if is_yes:
            return Text("It was within the hours of this right")
        case _:
            return _why(told, told.row.reason)


def _why(told: TapExplained, reason: str | None) -> str:
    whose = Whose.NOBODYS if told.row.account_id is None else Whose.SOMEBODYS
    return wording(reason, Whose.LOST if told.was_lost else whose).why.capital()


def _card(told: TapExplained, now: datetime, *, is_yes: bool) -> str:
    row = told.row
    if not is_yes and told.was_assigned_later and row.card_since is not None:
        return Text(
            "The card belonged to nobody yet: it was assigned {when}",
            when=times.within_sentence(row.card_since, now),
        )
    if not is_yes or row.name is None:
        return Text("The card belongs to nobody")
    if row.card_since is None:
        return Text("The card is known: it is {name}’s", name=row.name)
    by = row.card_by or Text("somebody at the server’s prompt")
    return Text(
        "The card is known: it is {name}’s, assigned {day} by {by}",
        name=row.name,
        day=times.day(row.card_since, now),
        by=by,
    )


def _lost(told: TapExplained, now: datetime, *, is_yes: bool) -> str:
    lost_at = told.row.lost_at
    if not is_yes and lost_at is not None:
        return Text("It was marked lost {when}", when=times.within_sentence(lost_at, now))
    if lost_at is not None and told.was_lost:
        return Text(
            "In these rights it was not lost yet: it was marked so {when}",
            when=times.within_sentence(lost_at, now),
        )
    return Text("It was not marked lost")


def _membership(step: Step, told: TapExplained, now: datetime) -> str:
    if step.mark is Mark.NOT_KEPT:
        return Text("Membership: what held at that time was not kept")
    if told.verdict is not None and told.verdict.ground is Ground.EMPLOYED:
        return Text("Membership: not needed, for an active company employed her")
    right = told.right
    if step.mark is Mark.YES:
        until = moment(right.not_after_ms) if right else None
        if until is None and told.verdict is not None:
            until = end_of(told.verdict)
        if until is None:
            return Text("Membership: it held")
        return Text(
            "Membership: it held until {when}, the day of slack included",
            when=times.within_sentence(until, now),
        )
    if told.row.reason == Reason.NOT_YET_VALID:
        begins = moment(right.not_before_ms) if right else None
        return _begins_later(begins, now)
    window = told.verdict.window if told.verdict is not None else None
    if window is not None and not window.has_begun(times.ms(told.row.happened_at)):
        return _begins_later(moment(window.not_before_ms), now)
    ended = (moment(right.not_after_ms) if right else None) or told.paid_until
    if ended is None:
        return Text("Membership: there was none")
    return Text(
        "Membership: it ended {when}, the day of slack included",
        when=times.within_sentence(ended, now),
    )


def _begins_later(begins: datetime | None, now: datetime) -> str:
    when = times.within_sentence(begins, now) if begins else Text("later")
    return Text("Membership: it begins {when}", when=when)


def _ground(step: Step, told: TapExplained) -> str:
    place = _place(told)
    if step.mark is Mark.NOT_KEPT:
        return Text("Circle: what held at that time was not kept")
    if step.mark is Mark.NO and told.today is not None and told.today.circles:
        asked = any_of(quoted(circle.name) for circle in told.today.circles)
        return Text(
            "Circle: in none that {place} asks for (now {circles})", place=place, circles=asked
        )
    if step.mark is Mark.NO:
        return Text("Circle: in none that {place} asks for", place=place)
    if told.verdict is None:
        return Text("Circle: the rights of this card had {place}", place=place)
    if told.verdict.ground is Ground.EMPLOYED:
        return Text("Worked for an active company, which opens every door")
    return Text("Circle: in one that {place} asks for", place=place)


def _place(told: TapExplained) -> str:
    return told.row.place or Text("this door")
